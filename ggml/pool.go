package ggml

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// spin is how long a worker waits for the next job before it parks. Waking a parked worker takes about 60 µs, a
// spinning one 0.2 µs, and the operations of a decoder step follow each other within 50.
const spin = 50 * time.Microsecond

// Pool runs the chunks of one job at a time on several goroutines, the caller's among them. Its owner closes it after the
// last backend that uses it. A Pool may be shared: jobs of several goroutines run one after another.
type Pool struct {
	mu  sync.Mutex // held by the caller whose job is running
	job job
	due int64 // what done is when the job has ended

	shares []share // one a thread
	jobs   int64   // that were cut into shares

	// open is the number of the job, from when its shares can be taken until somebody finds none left, else 0.
	open atomic.Int64
	_    [56]byte // open is polled by all, done written by all: a cache line each

	// done counts the chunks of all jobs that are done. A worker adds those it did when it finds no more, since the line goes from
	// core to core each time, which takes up to 0.2 µs. Until then the job cannot end.
	done atomic.Int64
	_    [56]byte

	joining atomic.Bool // the caller waits for joined
	joined  chan struct{}

	workers int          // goroutines beside the caller's
	asleep  atomic.Int64 // workers that wait for wake, less the tokens under way
	wake    chan struct{}
	closed  atomic.Bool
	exited  sync.WaitGroup
	failure atomic.Pointer[TaskPanic]
}

// share is a run of chunks for one worker, which takes them in order, so that what it fetches ahead is its own. Others help
// where theirs is done.
type share struct {
	// left counts the chunks that nobody took yet, and falls below 0 as workers find none. A worker reads end, job and due
	// only after it took a chunk: the job cannot end before that chunk is counted, so they are the chunk's own.
	left atomic.Int64
	end  int // the chunk behind the last
	_    [48]byte
}

// job is work cut into chunks that may run in any order and at the same time. worker is below Pool.Threads and names
// the goroutine: no two chunks run with the same one at once.
type job interface {
	run(worker, chunk int)
}

// TaskPanic is what a Pool panics with in its caller when a chunk panicked, be it in another goroutine.
type TaskPanic struct {
	Value any    // what the chunk panicked with
	Stack []byte // of the goroutine that ran it
}

func (p *TaskPanic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap returns Value where it is an error, such as a runtime.Error.
func (p *TaskPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// NewPool starts a pool of the given number of threads, the caller's among them; 0 stands for [DefaultThreads]. More
// threads than GOMAXPROCS or CPUs could only wait for each other, so no more than that are started.
func NewPool(threads int) *Pool {
	if threads <= 0 {
		threads = DefaultThreads()
	}
	return newPool(min(threads, runtime.GOMAXPROCS(0), runtime.NumCPU()))
}

func newPool(threads int) *Pool {
	p := &Pool{shares: make([]share, threads), workers: threads - 1, wake: make(chan struct{}, threads), joined: make(chan struct{}, 1)}
	p.exited.Add(p.workers)
	for id := 1; id < threads; id++ {
		go p.work(id)
	}
	return p
}

// Threads returns how many goroutines compute, the caller's among them.
func (p *Pool) Threads() int { return p.workers + 1 }

// Close ends the workers and waits for them. A job must not be running.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Swap(true) {
		return
	}
	p.rouse(p.workers)
	p.exited.Wait()
}

// run runs the chunks [0, n) of j and returns when all are done. If a chunk panics the others still run; then run panics
// with a *TaskPanic. A chunk must not call run.
func (p *Pool) run(j job, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.job = j
	if n > 1 {
		p.due += int64(n)
		p.share(n)
		// Those that are awake come by themselves.
		p.rouse(min(n-1, p.workers) - p.workers + int(p.asleep.Load()))
		p.drain(0)
		p.join()
	} else if n == 1 {
		p.chunk(0, 0)
	}
	if f := p.failure.Swap(nil); f != nil {
		panic(f)
	}
}

// share hands out n chunks.
func (p *Pool) share(n int) {
	threads, first := len(p.shares), 0
	for i := range p.shares {
		s := &p.shares[i]
		s.end = (n*(i+1) + threads - 1) / threads
		s.left.Store(int64(s.end - first))
		first = s.end
	}
	p.jobs++
	p.open.Store(p.jobs)
}

// join waits until all chunks are done. That takes no longer than a chunk, unless the system gave the CPU of a worker to
// somebody else: then it may as well have ours.
func (p *Pool) join() {
	for start := time.Now(); time.Since(start) < spin; runtime.Gosched() {
		for range 100 {
			if p.done.Load() == p.due {
				return
			}
		}
	}
	for p.done.Load() < p.due {
		p.joining.Store(true)
		// A worker that saw nobody waiting sends no token, and one that ended the job before may send us its own.
		if p.done.Load() < p.due || !p.joining.CompareAndSwap(true, false) {
			<-p.joined
		}
	}
}

// rouse sends up to n sleeping workers a token.
func (p *Pool) rouse(n int) {
	for ; n > 0 && p.takeSleeper(); n-- {
		p.wake <- struct{}{}
	}
}

// takeSleeper takes one worker off the count of those asleep: whoever does owes it a token, or is that worker.
func (p *Pool) takeSleeper() bool {
	for {
		n := p.asleep.Load()
		if n == 0 {
			return false
		}
		if p.asleep.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func (p *Pool) work(id int) {
	defer p.exited.Done()
	for !p.closed.Load() {
		p.drain(id)
		p.await()
	}
}

// await returns when there may be work, or the pool was closed.
func (p *Pool) await() {
	for start := time.Now(); time.Since(start) < spin; {
		for range 100 {
			if p.open.Load() != 0 || p.closed.Load() {
				return
			}
		}
	}
	p.asleep.Add(1)
	// A caller that saw us awake sends no token, so look again now that we are counted.
	if (p.open.Load() != 0 || p.closed.Load()) && p.takeSleeper() {
		return
	}
	<-p.wake
}

// drain runs chunks until none is left, those of the worker's own share first.
func (p *Pool) drain(worker int) {
	open := p.open.Load()
	if open == 0 {
		return
	}
	done := int64(0)
	for i := range p.shares {
		s := &p.shares[(worker+i)%len(p.shares)]
		for s.left.Load() > 0 {
			left := s.left.Add(-1)
			if left < 0 {
				break
			}
			p.chunk(worker, s.end-1-int(left))
			done++
		}
	}
	p.open.CompareAndSwap(open, 0)
	if done > 0 {
		p.count(done)
	}
}

// chunk is a function of its own, with the interface call in it, so that the runtime finds a place to preempt a worker
// whose kernels are all assembly.
//
//go:noinline
func (p *Pool) chunk(worker, i int) {
	defer p.catch()
	p.job.run(worker, i)
}

func (p *Pool) catch() {
	if v := recover(); v != nil {
		p.failure.CompareAndSwap(nil, &TaskPanic{Value: v, Stack: debug.Stack()})
	}
}

// count adds chunks that a worker did, and tells the caller if they were the last.
func (p *Pool) count(done int64) {
	due := p.due // after the last chunk it may be that of the next job
	if p.done.Add(done) == due && p.joining.CompareAndSwap(true, false) {
		p.joined <- struct{}{}
	}
}
