package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
)

// productSizes are the sizes of the square matrices that -w 2 multiplies, productTypes their types, a line each.
var (
	productSizes = []int{64, 128, 256, 512, 1024, 2048, 4096}
	productTypes = [][]ggml.Type{{ggml.Q4_0, ggml.Q4_1}, {ggml.Q5_0, ggml.Q5_1, ggml.Q8_0}, {ggml.F16, ggml.F32}}
)

// products measures products of square matrices and prints whisper.cpp's lines, each as soon as it is complete.
func products(ctx context.Context, w io.Writer, threads int, sizes []int) error {
	pool := ggml.NewPool(threads)
	defer pool.Close()
	cpu, err := ggml.NewCPU(pool, ggml.CPUOptions{})
	if err != nil {
		return cli.Fail(cli.Device, err, "")
	}
	for _, n := range sizes {
		for _, line := range productTypes {
			fields := make([]string, len(line))
			for i, t := range line {
				rate, runs, err := product(ctx, cpu, t, n)
				if err != nil {
					return errors.Join(err, cpu.Close())
				}
				fields[i] = fmt.Sprintf("%-4s %7.1f GFLOPS (%3d runs)", strings.ToUpper(t.String()), rate, runs)
			}
			fmt.Fprintf(w, "%4d x %4d: %s\n", n, n, strings.Join(fields, " | "))
		}
	}
	return cpu.Close()
}

// product multiplies two matrices of n × n, the first of type t, for a second but at least three and at most 128 times. It
// returns billions of operations a second.
func product(ctx context.Context, b ggml.Backend, t ggml.Type, n int) (rate float64, runs int, err error) {
	data := make([]byte, t.Bytes(n*n))
	for i := range data {
		data[i] = byte(i & 63)
	}
	weight, err := b.Weight(ggml.Tensor{Name: "benchmark", Type: t, Dims: []int{n, n}, Data: data})
	if err != nil {
		return 0, 0, err
	}
	x, err := b.Floats(n * n)
	if err != nil {
		return 0, 0, err
	}
	y, err := b.Floats(n * n)
	if err != nil {
		return 0, 0, err
	}
	numbers := make([]float32, n*n)
	for i := range numbers {
		numbers[i] = float32(i&63) / 64
	}
	b.Write(x, 0, numbers)
	op := ggml.Linear{Dst: ggml.View(y, n, n), X: ggml.View(x, n, n), W: weight, Regime: ggml.Window}
	var spent time.Duration
	var last [1]float32
	for run := -1; run < 128 && (run < 3 || spent < time.Second); run++ {
		start := ggml.Now()
		b.Linear(op)
		if err := b.Read(ctx, last[:], y, n*n-1); err != nil {
			return 0, 0, err
		}
		if run >= 0 { // one to warm up
			spent += since(start)
			runs++
		}
	}
	return 2 * float64(n) * float64(n) * float64(n) * float64(runs) / spent.Seconds() / 1e9, runs, nil
}
