package ggml

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// spin is how long a worker waits for the next stage before it parks. Waking a parked worker takes about 60 µs, a
// spinning one 0.2 µs, and the operations of a decoder step follow each other within 50.
const spin = 50 * time.Microsecond

// Pool runs jobs, stage after stage, on several goroutines, the caller's among them. Its owner closes it after the last backend
// that uses it. A Pool may be shared: the stages of several goroutines run one after another.
type Pool struct {
	mu     sync.Mutex // held by the caller whose stages are running
	stages []stage    // read by whoever has a chunk of one, since they do not end before it is done
	first  uint64     // serial number of stages[0]
	shares []share    // one a thread
	_      [64]byte

	// open is the serial number of the stage whose chunks may be taken, and in chunkBits how many it has: none between two runs.
	open atomic.Uint64
	_    [56]byte // open is polled by all, left written by all: a cache line each

	// left counts the chunks of the open stage that are not done. A worker takes off those it did when it finds no more, since the
	// line goes from core to core each time. Until then the stage cannot end.
	left atomic.Int64
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

// stage is a job and how many chunks it is cut into.
type stage struct {
	job    job
	chunks int
}

// chunkBits is how many bits of a number are for chunks. A serial number has the others, which last for years of steps.
const chunkBits = 20

func pack(serial uint64, chunks int) uint64 { return serial<<chunkBits | uint64(chunks) }

func unpack(n uint64) (serial uint64, chunks int) { return n >> chunkBits, int(n & (1<<chunkBits - 1)) }

// share is a run of a stage's chunks for one worker, which takes them in order, so that what it fetches ahead is its own. Others help
// where theirs is done.
type share struct {
	// left is the serial number of a stage and how many chunks of this share of it nobody took yet. Of a later stage that is all of them, so
	// that nobody needs to write it when a stage opens.
	left atomic.Uint64
	_    [56]byte
}

// take takes a chunk of a share of size chunks, and returns how many were left before, 0 if none was.
func (s *share) take(serial uint64, size int) int {
	for {
		was := s.left.Load()
		at, left := unpack(was)
		if at > serial {
			return 0
		}
		if at < serial {
			left = size
		}
		if left == 0 || s.left.CompareAndSwap(was, pack(serial, left-1)) {
			return left
		}
	}
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

// run runs stages one after another and returns when all are done. If a chunk panics the others of its stage
// still run and later stages do not; then run panics with a *TaskPanic. A chunk must not call run.
func (p *Pool) run(stages ...stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range stages {
		if s.chunks >= 1<<chunkBits {
			panic(fmt.Sprintf("ggml: a job of %d chunks", s.chunks))
		}
	}
	p.stages = stages
	last, _ := unpack(p.open.Load())
	p.first = last + 1
	p.next(0, p.first)
	for open := p.open.Load(); p.drain(0, open); open = p.open.Load() {
		p.join(open)
	}
	p.stages = nil
	if f := p.failure.Swap(nil); f != nil {
		panic(f)
	}
}

// next opens the stage with that serial number, or none if the one before, which is done, was the last. What is a single chunk, or none, the worker does
// without telling anybody.
func (p *Pool) next(worker int, serial uint64) {
	chunks := 0
	for ; serial-p.first < uint64(len(p.stages)) && p.failure.Load() == nil; serial++ {
		if chunks = p.stages[serial-p.first].chunks; chunks > 1 {
			break
		}
		for ; chunks > 0; chunks-- {
			p.chunk(worker, serial, 0)
		}
	}
	p.left.Store(int64(chunks))
	p.open.Store(pack(serial, chunks))
	if asleep := int(p.asleep.Load()); asleep > 0 {
		// Those that are awake come by themselves.
		p.rouse(min(chunks-1, p.workers) - p.workers + asleep)
	}
	if p.joining.Load() && p.joining.CompareAndSwap(true, false) {
		p.joined <- struct{}{}
	}
}

// join waits until the open stage is another. That takes no longer than a chunk, unless the system gave the CPU of a worker to
// somebody else: then it may as well have ours.
func (p *Pool) join(open uint64) {
	if p.moves(open) {
		return
	}
	for start := time.Now(); time.Since(start) < spin; runtime.Gosched() {
		if p.moves(open) {
			return
		}
	}
	for p.open.Load() == open {
		p.joining.Store(true)
		// A worker that saw nobody waiting sends no token, and one that ended the stage before may send us its own.
		if p.open.Load() == open || !p.joining.CompareAndSwap(true, false) {
			<-p.joined
		}
	}
}

// moves reports whether within the next 0.1 µs another stage is open than was.
func (p *Pool) moves(was uint64) bool {
	for range 100 {
		if p.open.Load() != was {
			return true
		}
	}
	return false
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
		open := p.open.Load()
		p.drain(id, open)
		p.await(open)
	}
}

// await returns when another stage is open than was, or the pool was closed.
func (p *Pool) await(was uint64) {
	for start := time.Now(); time.Since(start) < spin; {
		if p.moves(was) || p.closed.Load() {
			return
		}
	}
	p.asleep.Add(1)
	// Who saw us awake sends no token, so look again now that we are counted.
	if (p.open.Load() != was || p.closed.Load()) && p.takeSleeper() {
		return
	}
	<-p.wake
}

// drain runs chunks of the stage that is or was open until none is left, those of the worker's own share first. Who does the last of them opens the
// next stage. It returns false where no stage was open.
func (p *Pool) drain(worker int, open uint64) bool {
	serial, chunks := unpack(open)
	if chunks == 0 {
		return false
	}
	threads, done := len(p.shares), 0
	for i := range threads {
		share := worker + i
		if share >= threads {
			share -= threads
		}
		end := (chunks*(share+1) + threads - 1) / threads
		size := end - (chunks*share+threads-1)/threads
		for {
			left := p.shares[share].take(serial, size)
			if left == 0 {
				break
			}
			p.chunk(worker, serial, end-left)
			done++
		}
	}
	if done > 0 && p.left.Add(int64(-done)) == 0 {
		p.next(worker, serial+1)
	}
	return true
}

// chunk is a function of its own, with the interface call in it, so that the runtime finds a place to preempt a worker
// whose kernels are all assembly.
//
//go:noinline
func (p *Pool) chunk(worker int, serial uint64, i int) {
	defer p.catch()
	p.stages[serial-p.first].job.run(worker, i)
}

func (p *Pool) catch() {
	if v := recover(); v != nil {
		p.failure.CompareAndSwap(nil, &TaskPanic{Value: v, Stack: debug.Stack()})
	}
}
