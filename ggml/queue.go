package ggml

// queue holds small operations until somebody wants what they give. The pool then runs them in one go, where handing them out one by one would
// take as long as the smallest of them do.
type queue struct {
	stages  []stage
	ids     uint64 // of steps so far
	norms   operations[norm]
	steps   operations[step]
	stores  operations[store]
	attends operations[attend]
}

// operations are the arguments of queued operations, kept so that a job is a pointer to what exists.
type operations[T any] struct {
	all  [maxQueued]T
	used int
}

// maxQueued bounds the operations of a kind that are queued: those of a few layers.
const maxQueued = 64

// next returns the arguments of one more operation, which hold what another left there. It flushes the queue where there is no room for it.
func (o *operations[T]) next(c *CPU) *T {
	if o.used == maxQueued {
		c.flush()
	}
	o.used++
	return &o.all[o.used-1]
}

// queue appends a job of that many chunks.
func (c *CPU) queue(j job, chunks int) { c.queued.stages = append(c.queued.stages, stage{j, chunks}) }

// flush does all that is queued.
func (c *CPU) flush() {
	q := &c.queued
	stages := q.stages
	q.stages = q.stages[:0]
	q.norms.used, q.steps.used, q.stores.used, q.attends.used = 0, 0, 0, 0
	if len(stages) > 0 {
		c.pool.run(stages...)
	}
}
