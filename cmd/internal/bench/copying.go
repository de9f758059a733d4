package bench

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/whisperfile/whisperfile/ggml"
)

// copySize is how much -w 1 copies at once, as whisper.cpp does.
const copySize = 1024_000_000

// copying measures how fast memory is copied, with one thread and with each number of them, and prints whisper.cpp's lines.
func copying(ctx context.Context, w io.Writer, threads, size int) error {
	const rounds = 20
	src, dst := make([]byte, size), make([]byte, size)
	for i := range src {
		src[i] = byte(i)
	}
	measure := func(threads int) (float64, error) {
		parallelCopy(dst, src, threads)
		start := ggml.Now()
		for range rounds {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			parallelCopy(dst, src, threads)
		}
		return rounds * float64(size) / since(start).Seconds() / 1e9, nil
	}
	lines := []struct {
		threads int
		label   string
	}{{1, "heat-up"}, {1, " 1 thread"}}
	for k := 1; k <= threads; k++ {
		lines = append(lines, struct {
			threads int
			label   string
		}{k, fmt.Sprintf("%2d thread", k)})
	}
	for _, l := range lines {
		rate, err := measure(l.threads)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "memcpy: %7.2f GB/s (%s)\n", rate, l.label)
	}
	var sum float64
	for _, b := range dst {
		sum += float64(b)
	}
	fmt.Fprintf(w, "sum:    %f\n", sum)
	return nil
}

// parallelCopy copies a slice each in as many goroutines, started for it.
func parallelCopy(dst, src []byte, threads int) {
	if threads == 1 {
		copy(dst, src)
		return
	}
	var wg sync.WaitGroup
	part := (len(src) + threads - 1) / threads
	for from := 0; from < len(src); from += part {
		to := min(from+part, len(src))
		wg.Go(func() { copy(dst[from:to], src[from:to]) })
	}
	wg.Wait()
}
