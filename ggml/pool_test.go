package ggml

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counting counts how often each chunk ran and demands that no two chunks share a worker.
type counting struct {
	t    *testing.T
	busy []atomic.Bool
	ran  []atomic.Int32
	wait time.Duration
	sum  []int // a number each worker writes without a lock
}

func newCounting(t *testing.T, p *Pool, chunks int) *counting {
	return &counting{t: t, busy: make([]atomic.Bool, p.Threads()), ran: make([]atomic.Int32, chunks), sum: make([]int, p.Threads())}
}

func (c *counting) run(worker, chunk int) {
	if c.busy[worker].Swap(true) {
		c.t.Errorf("worker %d runs two chunks at once", worker)
	}
	c.ran[chunk].Add(1)
	c.sum[worker]++
	for start := time.Now(); time.Since(start) < c.wait; {
	}
	c.busy[worker].Store(false)
}

func (c *counting) check(jobs int) {
	c.t.Helper()
	total := 0
	for _, n := range c.sum {
		total += n
	}
	if want := jobs * len(c.ran); total != want {
		c.t.Errorf("%d chunks ran, want %d", total, want)
	}
	for i := range c.ran {
		if n := c.ran[i].Load(); int(n) != jobs {
			c.t.Errorf("chunk %d ran %d times, want %d", i, n, jobs)
		}
	}
}

func TestPoolRunsEveryChunkOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := newPool(threads)
		for _, chunks := range []int{0, 1, 2, 5, 64} {
			j := newCounting(t, p, chunks)
			for i := range 300 {
				p.run(stage{j, chunks})
				if i%100 == 99 {
					time.Sleep(2 * spin) // let the workers park
				}
			}
			j.check(300)
		}
		p.Close()
		p.Close()
	}
}

func TestPoolSharedByCallers(t *testing.T) {
	p := newPool(3)
	defer p.Close()
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			j := newCounting(t, p, 7)
			for range 200 {
				p.run(stage{j, 7})
			}
			j.check(200)
		})
	}
	callers.Wait()
}

// ordered demands that all chunks of the stages before its own are done, and none of those behind it.
type ordered struct {
	t       *testing.T
	done    *atomic.Int32
	earlier int32
	chunks  int32
}

func (o ordered) run(int, int) {
	if n := o.done.Add(1); n <= o.earlier || n > o.earlier+o.chunks {
		o.t.Errorf("chunk %d of all ran in a stage of %d chunks behind %d others", n, o.chunks, o.earlier)
	}
}

func TestPoolRunsStagesInOrder(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := newPool(threads)
		for i := range 300 {
			var done atomic.Int32
			var stages []stage
			var all int32
			for j := range 20 {
				chunks := []int{1, 7, 2, 40, 1, 0}[(i+j)%6]
				stages = append(stages, stage{ordered{t, &done, all, int32(chunks)}, chunks})
				all += int32(chunks)
			}
			p.run(stages...)
			if n := done.Load(); n != all {
				t.Fatalf("%d threads: %d of %d chunks ran", threads, n, all)
			}
			if i%100 == 99 {
				time.Sleep(2 * spin) // let the workers park
			}
		}
		p.Close()
	}
}

type failing struct{ value any }

func (f failing) run(_, chunk int) {
	if chunk%2 == 1 {
		panic(f.value)
	}
}

func TestPoolPanics(t *testing.T) {
	cause := errors.New("broken")
	for _, threads := range []int{1, 2, 5} {
		p := newPool(threads)
		unwanted := newCounting(t, p, 3)
		for range 50 {
			err := func() (err error) {
				defer func() { err = recover().(*TaskPanic) }()
				p.run(stage{failing{cause}, 10}, stage{unwanted, 3})
				return nil
			}()
			if !errors.Is(err, cause) {
				t.Fatalf("%d threads: got %v", threads, err)
			}
		}
		unwanted.check(0)
		j := newCounting(t, p, 20)
		p.run(stage{j, 20})
		j.check(1)
		p.Close()
	}
}

func TestPoolParks(t *testing.T) {
	p := newPool(4)
	defer p.Close()
	p.run(stage{newCounting(t, p, 8), 8})
	for range 1000 {
		if p.asleep.Load() == 3 {
			return
		}
		time.Sleep(spin)
	}
	t.Errorf("%d of 3 workers parked", p.asleep.Load())
}

func TestPoolBoundsThreads(t *testing.T) {
	limit := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	for threads, want := range map[int]int{0: DefaultThreads(), 1: 1, limit: limit, 10 * limit: limit} {
		p := NewPool(threads)
		if p.Threads() != want {
			t.Errorf("NewPool(%d) has %d threads, want %d", threads, p.Threads(), want)
		}
		p.Close()
	}
}

// TestPoolPreempts holds all CPUs with jobs and demands that a timer still fires.
func TestPoolPreempts(t *testing.T) {
	p := newPool(runtime.GOMAXPROCS(0))
	defer p.Close()
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		j := newCounting(t, p, 64)
		j.wait = 20 * time.Microsecond
		for !stop.Load() {
			p.run(stage{j, 64})
		}
	}()
	start := time.Now()
	time.Sleep(time.Millisecond)
	stop.Store(true)
	if d := time.Since(start); d > time.Second {
		t.Errorf("a sleep of 1 ms took %v", d)
	}
	<-done
}

func BenchmarkPoolEmptyJob(b *testing.B) {
	p := NewPool(0)
	defer p.Close()
	for b.Loop() {
		p.run(stage{empty{}, p.Threads()})
	}
}

type empty struct{}

func (empty) run(int, int) {}
