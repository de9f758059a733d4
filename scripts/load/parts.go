package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// patience is for how long a part may take.
const patience = time.Hour

// many lets clients come all at once, several times.
func (l *load) many() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	want := make([]string, len(l.sounds.short))
	for i, c := range l.sounds.short {
		if want[i], err = l.program(l.tiny, c); err != nil {
			return err
		}
	}
	s, err := l.start(l.tiny)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if _, err := s.ask(ctx, l.sounds.short[0]); err != nil {
		return err
	}
	goroutines := s.metric(ctx, "go_goroutines")
	_, own, _ := s.memory()
	l.say("\nmany: %d clients at once, %s, short clips; before: %.0f MB and the weights, %.0f goroutines", l.clients, l.tiny, own, goroutines)

	pulse := s.feel(ctx)
	var after []float64 // memory
	for round := range l.heard {
		right, wrong, lost, took, length := l.crowd(ctx, s, want)
		l.wrong += wrong + lost
		all, own, most := s.memory()
		after = append(after, own)
		l.say("  round %d: %d right, %d wrong, %d lost, in %.1f s, which is %.1f s of sound a second; %.0f MB, %.0f without what is mapped; peak %.0f MB",
			round+1, right, wrong, lost, took.Seconds(), length.Seconds()/took.Seconds(), all, own, most)
	}
	times, failed := pulse()
	l.wrong += failed
	l.say("  /health meanwhile: p50 %v, p99 %v, at most %v, %d asked, %d failed %s", round(quantile(times, 0.5)), round(quantile(times, 0.99)),
		round(quantile(times, 1)), len(times), failed, verdict(quantile(times, 0.99) < 50*time.Millisecond, "p99 under 50 ms"))
	if steps := s.metric(ctx, "whisper_step_rows_count"); steps > 0 {
		l.say("  a step of the decoder took %.1f tokens in, in the mean", s.metric(ctx, "whisper_step_rows_sum")/steps)
	}
	s.client.CloseIdleConnections()
	time.Sleep(time.Second)
	now := s.metric(ctx, "go_goroutines")
	_, own, _ = s.memory()
	l.say("  a second later: %.0f MB, %.0f goroutines %s", own, now, verdict(now <= goroutines+5, "no more than before"))
	// The collector lets garbage grow to as much as is in use before it looks, which takes some hundred requests.
	if n, half := len(after), (len(after)+1)/2; n > half {
		growth := after[n-1] / after[half-1]
		l.say("  memory after round %d is %.2f × that after round %d %s", n, growth, half, verdict(growth < 1.1, "below 1.1"))
	}
	return nil
}

// crowd sends all clients at once.
func (l *load) crowd(ctx context.Context, s *server, want []string) (right, wrong, lost int, took, length time.Duration) {
	var mu sync.Mutex
	var clients sync.WaitGroup
	start := make(chan struct{})
	for i := range l.clients {
		c := l.sounds.short[i%len(want)]
		length += c.length
		clients.Go(func() {
			<-start
			text, err := s.ask(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				lost++
				l.say("  lost: %v", err)
			case text != want[i%len(want)]:
				wrong++
				l.say("  wrong: %q, not %q", text, want[i%len(want)])
			default:
				right++
			}
		})
	}
	began := time.Now()
	close(start)
	clients.Wait()
	return right, wrong, lost, time.Since(began), length
}

// feel asks for /health again and again until the returned function is called.
func (s *server) feel(ctx context.Context) (stop func() (times []time.Duration, failed int)) {
	ctx, cancel := context.WithCancel(ctx)
	var times []time.Duration
	failed := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			began := time.Now()
			_, err := s.get(ctx, "/health")
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				failed++
			}
			times = append(times, time.Since(began))
			time.Sleep(5 * time.Millisecond)
		}
	}()
	return func() ([]time.Duration, int) {
		cancel()
		<-done
		return times, failed
	}
}

// company is how many clients throughput is measured with.
const company = 8

// throughput compares the server under some clients with the command line, run as often one after the other, in turn.
func (l *load) throughput() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := l.start(l.base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	want, err := l.program(l.base, l.sounds.half)
	if err != nil {
		return err
	}
	if _, err := s.ask(ctx, l.sounds.half); err != nil {
		return err
	}
	sound := company * l.sounds.half.length.Seconds()
	l.say("\nthroughput: %d clients at once, %s, 30 s each, greedy, beside %d runs of the command line one after the other", company, l.base, company)
	served := func() (float64, error) {
		began := time.Now()
		texts := make([]string, company)
		errs := make([]error, company)
		var clients sync.WaitGroup
		for i := range company {
			clients.Go(func() { texts[i], errs[i] = s.ask(ctx, l.sounds.half) })
		}
		clients.Wait()
		took := time.Since(began)
		for _, text := range texts {
			if text != want {
				l.wrong++
				l.say("  wrong: %q, not %q", text, want)
			}
		}
		return took.Seconds(), errors.Join(errs...)
	}
	alone := func() (float64, error) {
		began := time.Now()
		for range company {
			if _, err := l.program(l.base, l.sounds.half); err != nil {
				return 0, err
			}
		}
		return time.Since(began).Seconds(), nil
	}
	var ratios []float64
	for pair := range l.fit {
		order := []func() (float64, error){served, alone}
		if pair%2 == 1 {
			order[0], order[1] = order[1], order[0]
		}
		var took [2]float64
		for i, f := range order {
			if took[i], err = f(); err != nil {
				return err
			}
		}
		if pair%2 == 1 {
			took[0], took[1] = took[1], took[0]
		}
		ratios = append(ratios, took[1]/took[0])
		l.say("  pair %d: server %.1f s, %.1f s of sound a second; command line %.1f s, %.1f; %.2f ×", pair+1, took[0], sound/took[0], took[1], sound/took[1], took[1]/took[0])
	}
	ratio := quantile(ratios, 0.5)
	l.say("  median: %.2f × the throughput of the command line %s", ratio, verdict(ratio >= 1.2, "1.2 ×"))
	return nil
}

// fairness measures how long a short clip takes alone, and while a long one is heard.
func (l *load) fairness() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := l.start(l.tiny)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	short := l.sounds.short[len(l.sounds.short)-1]
	want, err := s.ask(ctx, short)
	if err != nil {
		return err
	}
	once := func() (time.Duration, error) {
		began := time.Now()
		text, err := s.ask(ctx, short)
		if err == nil && text != want {
			l.wrong++
			l.say("  wrong: %q, not %q", text, want)
		}
		return time.Since(began), err
	}
	var idle, behind []time.Duration
	for range 11 {
		t, err := once()
		if err != nil {
			return err
		}
		idle = append(idle, t)
	}
	type answer struct {
		text string
		err  error
		took time.Duration
	}
	long := make(chan answer, 1)
	began := time.Now()
	go func() {
		text, err := s.ask(ctx, l.sounds.long)
		long <- answer{text, err, time.Since(began)}
	}()
	time.Sleep(time.Second)
	for {
		t, err := once()
		if err != nil {
			return err
		}
		select {
		case a := <-long:
			if a.err != nil {
				return a.err
			}
			return l.sayFairness(short, idle, behind, a.took, a.text)
		default:
			behind = append(behind, t)
		}
	}
}

func (l *load) sayFairness(short clip, idle, behind []time.Duration, took time.Duration, text string) error {
	if len(behind) == 0 {
		return fmt.Errorf("10 minutes of sound took %v, too short to measure beside", round(took))
	}
	ratio := float64(quantile(behind, 0.5)) / float64(quantile(idle, 0.5))
	l.say("\nfairness: a clip of %.1f s, %s, alone and while 10 minutes of sound are heard", short.length.Seconds(), l.tiny)
	l.say("  alone: median %v of %d", round(quantile(idle, 0.5)), len(idle))
	l.say("  beside: median %v of %d, at most %v; %.2f × %s", round(quantile(behind, 0.5)), len(behind), round(quantile(behind, 1)), ratio, verdict(ratio < 2, "under 2 ×"))
	l.say("  the 10 minutes took %v and have %d characters", round(took), len(text))
	return nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
