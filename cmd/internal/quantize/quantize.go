package quantize

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
	"github.com/whisperfile/whisperfile/ggml"
	"github.com/whisperfile/whisperfile/model/convert"
)

// run reads the model at in and writes it to out with its matrices in type to. Everything that can be refused is refused
// before out is touched and before anything is printed.
func run(ctx context.Context, env applet.Env, in, out string, to ggml.Type, threads int) error {
	start := time.Now()
	policy := sandbox.Policy{Read: []string{in}, Outputs: []string{out}}
	env.Sandbox.Begin(policy)
	model, closeModel, err := open(in)
	if err != nil {
		return err
	}
	defer closeModel()
	if err := check(model, in, to); err != nil {
		return err
	}
	if same(in, out) {
		return cli.Failf(cli.Usage, "%s would be overwritten while it is read", in)
	}
	if err := cli.CanWrite(out); err != nil {
		return cli.Fail(cli.Output, err, "")
	}
	env.Sandbox.Enter(policy)

	q := &quantizer{ctx: ctx, model: model, to: to, threads: threads, report: newReport(env, model, to)}
	q.report.start(in)
	defer q.report.bar.Close()
	began := time.Now()
	if err := cli.WriteFile(out, q.write); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return cli.Fail(cli.Output, err, "")
	}
	q.report.end(time.Since(began), time.Since(start))
	return nil
}

// open reads a ggml file or a CTranslate2 directory.
func open(in string) (*ggml.File, func() error, error) {
	info, err := os.Stat(in)
	switch {
	case err != nil:
		return nil, nil, cli.Fail(cli.Model, err, "")
	case info.IsDir():
		m, err := convert.Open(in)
		if err != nil {
			return nil, nil, cli.Fail(cli.Model, err, hint(err))
		}
		return &m.File, m.Close, nil
	}
	f, err := ggml.Open(in)
	if err != nil {
		return nil, nil, cli.Fail(cli.Model, err, hint(err))
	}
	return f, f.Close, nil
}

func hint(err error) string {
	if errors.Is(err, ggml.ErrTruncated) {
		return "get the model again: the download may have broken off"
	}
	return ""
}

// same reports whether both paths name one file that is there.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// check refuses models that cannot be turned into type to.
func check(f *ggml.File, in string, to ggml.Type) error {
	if from := f.Type(); from.Quantized() {
		return cli.Fail(cli.Model, fmt.Errorf("%s is quantised already, to %s", in, name(from)), "quantise the file in f16 instead")
	}
	for _, t := range f.Tensors {
		if target(t, to) == to && t.Cols()%to.Block() != 0 {
			return cli.Fail(cli.Model, fmt.Errorf("%s: rows of %d numbers in %s cannot be cut into %s's blocks of %d", in, t.Cols(), t.Name, name(to), to.Block()),
				"types that fit: "+strings.Join(names(fits(t.Cols())), " "))
		}
	}
	return nil
}

// target returns the type that tensor t of a model gets when the model is turned into type to. Convolutions are never
// quantised, but half precision is for them as well.
func target(t ggml.Tensor, to ggml.Type) ggml.Type {
	if t.Matrix() || to == ggml.F16 && len(t.Dims) == 3 {
		return to
	}
	return t.Type
}

// header returns the header of a model turned into type to. Quantised files carry the version of ggml's formats, 2, in
// the thousands of their ftype.
func header(h ggml.Header, to ggml.Type) ggml.Header {
	h.FType = int(to.FType())
	if to.Quantized() {
		h.FType += 2000
	}
	return h
}

// quantizer writes a model in another type.
type quantizer struct {
	ctx     context.Context
	model   *ggml.File
	to      ggml.Type
	threads int
	report  *report
	buf     []byte
}

func (q *quantizer) write(out io.Writer) error {
	w := ggml.NewWriter(out, header(q.model.Header, q.to), q.model.Filters, q.model.Vocab)
	for _, t := range q.model.Tensors {
		result := t
		if to := target(t, q.to); to != t.Type {
			n := to.Bytes(t.Len())
			q.buf = slices.Grow(q.buf[:0], n)
			result.Type, result.Data = to, q.buf[:n]
			if err := q.convert(result, t); err != nil {
				return err
			}
		}
		if err := w.WriteTensor(result); err != nil {
			return err
		}
		q.report.tensor(t, result)
	}
	return w.Flush()
}

// convert fills dst from src, whose rows are shared out to the threads.
func (q *quantizer) convert(dst, src ggml.Tensor) error {
	rows, cols := src.Rows(), src.Cols()
	batch := max(1, 1<<16/cols)
	var mu sync.Mutex
	next := 0
	take := func() (from, to int) {
		mu.Lock()
		defer mu.Unlock()
		q.report.rows(next * cols)
		from, to = next, min(next+batch, rows)
		next = to
		return from, to
	}
	var wg sync.WaitGroup
	for range min(q.threads, (rows+batch-1)/batch) {
		wg.Go(func() {
			numbers := make([]float32, batch*cols)
			for {
				from, to := take()
				if from == to || q.ctx.Err() != nil {
					return
				}
				x := numbers[:(to-from)*cols]
				ggml.Dequantize(src.Type, x, part(src, from, to))
				ggml.Quantize(dst.Type, part(dst, from, to), x)
			}
		})
	}
	wg.Wait()
	return q.ctx.Err()
}

// part returns the bytes of rows from…to−1.
func part(t ggml.Tensor, from, to int) []byte {
	n := t.Type.Bytes(t.Cols())
	return t.Data[from*n : to*n]
}
