package serve

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errFull means that as many wait as may.
var errFull = errors.New("the queue is full")

// queue lets so many work at once and so many wait, first come, first served.
type queue struct {
	mu      sync.Mutex
	free    int // workers that may start
	size    int // how many may wait
	workers int
	waiting []*ticket
	mean    time.Duration // how long work takes, the last counting most
}

// ticket is a place in the queue.
type ticket struct {
	turn  chan struct{} // closed when it may start
	moved chan struct{} // holds a token when its place has changed
	place int           // 1 is next
}

func newQueue(workers, size int) *queue { return &queue{free: workers, workers: workers, size: size} }

// enter waits for its turn, calling moved, if that is not nil, with each place it gets meanwhile; 1 is next. leave must be
// called when the work is done. The error is errFull or the cause with which ctx ended.
func (q *queue) enter(ctx context.Context, moved func(place int) error) (leave func(), err error) {
	t, err := q.take()
	if err != nil {
		return nil, err
	}
	for {
		select {
		case <-t.turn:
			start := time.Now()
			return sync.OnceFunc(func() { q.leave(time.Since(start)) }), nil
		case <-t.moved:
			if moved == nil {
				continue
			}
			q.mu.Lock()
			place := t.place
			q.mu.Unlock()
			if err := moved(place); err != nil {
				q.abandon(t)
				return nil, err
			}
		case <-ctx.Done():
			q.abandon(t)
			return nil, context.Cause(ctx)
		}
	}
}

func (q *queue) take() (*ticket, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := &ticket{turn: make(chan struct{}), moved: make(chan struct{}, 1)}
	switch {
	case q.free > 0:
		q.free--
		close(t.turn)
	case len(q.waiting) >= q.size:
		return nil, errFull
	default:
		q.waiting = append(q.waiting, t)
		q.number()
	}
	return t, nil
}

// number tells all that wait their places.
func (q *queue) number() {
	for i, t := range q.waiting {
		if t.place == i+1 {
			continue
		}
		t.place = i + 1
		select {
		case t.moved <- struct{}{}:
		default:
		}
	}
}

func (q *queue) leave(took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mean == 0 {
		q.mean = took
	}
	q.mean += (took - q.mean) / 8
	q.pass()
}

// pass gives a worker to who is next.
func (q *queue) pass() {
	if len(q.waiting) == 0 {
		q.free++
		return
	}
	t := q.waiting[0]
	q.waiting = append(q.waiting[:0], q.waiting[1:]...)
	close(t.turn)
	q.number()
}

// abandon gives up a place, or the turn that came at the same moment.
func (q *queue) abandon(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, w := range q.waiting {
		if w == t {
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			q.number()
			return
		}
	}
	q.pass()
}

// state says how many work and wait, and after how long there should be room in a full queue: from a second to a minute.
func (q *queue) state() (working, waiting int, room time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room = min(max(q.mean/time.Duration(q.workers), time.Second), time.Minute)
	return q.workers - q.free, len(q.waiting), room
}
