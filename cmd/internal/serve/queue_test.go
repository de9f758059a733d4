package serve

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"
)

// TestQueueOrder lets one work after another: first come, first served, each told its places.
func TestQueueOrder(t *testing.T) {
	q := newQueue(1, 3)
	leave, err := q.enter(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var order []int
	places := make([][]int, 3)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			leave, err := q.enter(context.Background(), func(place int) error {
				mu.Lock()
				defer mu.Unlock()
				places[i] = append(places[i], place)
				return nil
			})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			leave()
		})
		settle(t, "it waits", func() bool { _, waiting, _ := q.state(); return waiting == i+1 })
		settle(t, "it knows its place", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(places[i]) > 0
		})
	}
	if _, err := q.enter(context.Background(), nil); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
	leave()
	leave() // once is enough
	all.Wait()
	if !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("order %v", order)
	}
	for i, p := range places {
		if p[0] != i+1 || !slices.IsSortedFunc(p, func(a, b int) int { return b - a }) {
			t.Errorf("places of %d: %v", i, p)
		}
	}
	if working, waiting, room := q.state(); working+waiting != 0 || room != time.Second {
		t.Errorf("%d work, %d wait, room in %v", working, waiting, room)
	}
}

// TestQueueAbandoned: who leaves makes room, even where the turn comes at that moment.
func TestQueueAbandoned(t *testing.T) {
	q := newQueue(2, 100)
	for range 50 {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				if i%2 == 0 {
					time.AfterFunc(time.Duration(i)*10*time.Microsecond, cancel)
				}
				defer cancel()
				leave, err := q.enter(ctx, nil)
				if err != nil {
					return
				}
				if working, _, _ := q.state(); working > 2 {
					t.Errorf("%d work", working)
				}
				leave()
			})
		}
		all.Wait()
		if working, waiting, _ := q.state(); working+waiting != 0 {
			t.Fatalf("%d work, %d wait", working, waiting)
		}
	}
	leave, err := q.enter(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	second, err := q.enter(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer second()
	gone := errors.New("gone")
	if _, err := q.enter(context.Background(), func(int) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("%v", err)
	}
	if _, waiting, _ := q.state(); waiting != 0 {
		t.Errorf("%d wait", waiting)
	}
}
