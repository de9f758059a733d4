package quantize

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
)

// small returns a model with matrices of type t whose rows have cols numbers.
func small(t ggml.Type, cols int) *ggml.File {
	f := &ggml.File{
		Header: ggml.Header{Vocab: 51864, AudioCtx: 3, AudioState: 64, AudioHeads: 1, AudioLayers: 1, TextCtx: 2, TextState: 64,
			TextHeads: 1, TextLayers: 1, Mels: 80, FType: int(t.FType())},
		Filters: ggml.MelFilters{Bands: 80, Bins: 201, Coef: make([]float32, 80*201)},
		Vocab:   [][]byte{[]byte("a"), {}, []byte("\xe2\x82")},
	}
	r := rand.New(rand.NewPCG(1, uint64(cols)))
	add := func(name string, t ggml.Type, dims ...int) {
		x := ggml.Tensor{Name: name, Type: t, Dims: dims}
		numbers := make([]float32, x.Len())
		for i := range numbers {
			numbers[i] = float32(r.NormFloat64())
		}
		x.Data = make([]byte, t.Bytes(len(numbers)))
		ggml.Quantize(t, x.Data, numbers)
		f.Tensors = append(f.Tensors, x)
	}
	add("encoder.positional_embedding", ggml.F32, 64, 3)
	conv := t
	if t.Quantized() {
		conv = ggml.F16
	}
	add("encoder.conv1.weight", conv, 3, 80, 2)
	add("encoder.conv1.bias", ggml.F32, 1, 64)
	add("encoder.conv2.bias", ggml.F32, 1, 64)
	add("decoder.positional_embedding", ggml.F32, 64, 2)
	add("decoder.token_embedding.weight", t, cols, 301)
	add("decoder.blocks.0.mlp.2.weight", t, 4*cols, 1)
	for len(f.Tensors) < f.Header.Tensors() {
		add(fmt.Sprintf("bias.%d", len(f.Tensors)), ggml.F32, 64)
	}
	return f
}

func save(t *testing.T, f *ggml.File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.bin")
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// call runs the program as a shell does.
func call(ctx context.Context, args ...string) (code cli.Code, stdout, stderr string) {
	var o, e bytes.Buffer
	env := applet.Env{Program: "whisper-quantize", Args: args, Stdout: &o, Stderr: &e}
	code = cli.Run(ctx, env, New(env))
	return code, o.String(), e.String()
}

func TestTypes(t *testing.T) {
	for _, source := range []ggml.Type{ggml.F32, ggml.F16} {
		model := small(source, 256)
		in, out := save(t, model), filepath.Join(t.TempDir(), "out.bin")
		for _, to := range offered {
			var results [][]byte
			for _, args := range [][]string{{in, out, name(to)}, {"-t", "1", in, out, strconv.Itoa(int(to.FType()))}, {in, out, name(to), "--threads=5"}} {
				if code, _, stderr := call(t.Context(), args...); code != cli.OK {
					t.Fatalf("%q: exit %d: %s", args, code, stderr)
				}
				data, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				results = append(results, data)
			}
			if !bytes.Equal(results[0], results[1]) || !bytes.Equal(results[0], results[2]) {
				t.Errorf("%v: threads or spelling change the bytes", to)
			}
			got, err := ggml.Parse(results[0])
			if err != nil {
				t.Fatal(err)
			}
			want := model.Header
			want.FType = map[bool]int{true: 2000, false: 0}[to.Quantized()] + int(to.FType())
			if got.Header != want {
				t.Errorf("%v: header %+v, want %+v", to, got.Header, want)
			}
			for i, x := range model.Tensors {
				wantType := x.Type
				switch {
				case strings.HasPrefix(x.Name, "decoder.") && strings.HasSuffix(x.Name, ".weight"):
					wantType = to
				case x.Name == "encoder.conv1.weight" && to == ggml.F16:
					wantType = ggml.F16
				}
				data := x.Data
				if wantType != x.Type {
					numbers := make([]float32, x.Len())
					ggml.Dequantize(x.Type, numbers, x.Data)
					data = make([]byte, wantType.Bytes(len(numbers)))
					ggml.Quantize(wantType, data, numbers)
				}
				y := got.Tensors[i]
				if y.Name != x.Name || y.Type != wantType || !slices.Equal(y.Dims, x.Dims) || !bytes.Equal(y.Data, data) {
					t.Errorf("%v from %v: %s became %v of %v with other bytes", to, source, x.Name, y.Type, y.Dims)
				}
			}
		}
	}
}

func TestOutput(t *testing.T) {
	in := save(t, small(ggml.F16, 64))
	code, stdout, stderr := call(t.Context(), in, filepath.Join(t.TempDir(), "out.bin"), "q5_0")
	if code != cli.OK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	stdout = regexp.MustCompile(`= +\d+\.\d\d ms`).ReplaceAllString(stdout, "= TIME ms")
	stdout = strings.ReplaceAll(stdout, in, "IN")
	lines := strings.SplitAfter(stdout, "\n")
	got := strings.Join(slices.Concat(lines[:8], lines[len(lines)-7:]), "")
	want := `whisper_model_quantize: loading model from 'IN'
                                    encoder.positional_embedding - [   64,     3,     1], type =    f32 size =    0.001 MB
                                            encoder.conv1.weight - [    3,    80,     2], type =    f16 size =    0.001 MB
                                              encoder.conv1.bias - [    1,    64,     1], type =    f32 size =    0.000 MB
                                              encoder.conv2.bias - [    1,    64,     1], type =    f32 size =    0.000 MB
                                    decoder.positional_embedding - [   64,     2,     1], type =    f32 size =    0.000 MB
                                  decoder.token_embedding.weight - [   64,   301,     1], type =    f16 size =     0.07 MB ->     0.01 MB
                                   decoder.blocks.0.mlp.2.weight - [  256,     1,     1], type =    f16 size =     0.00 MB ->     0.00 MB
                                                         bias.49 - [   64,     1,     1], type =    f32 size =    0.000 MB
ggml_common_quantize_0: model size  =     0.09 MB
ggml_common_quantize_0: quant size  =     0.03 MB | ftype = 8 (q5_0)

main: quantize time = TIME ms
main:    total time = TIME ms
`
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("stdout (-want, +got):\n%s", d)
	}
	want = `whisper_model_quantize: n_vocab       = 51864
whisper_model_quantize: n_audio_ctx   = 3
whisper_model_quantize: n_audio_state = 64
whisper_model_quantize: n_audio_head  = 1
whisper_model_quantize: n_audio_layer = 1
whisper_model_quantize: n_text_ctx    = 2
whisper_model_quantize: n_text_state  = 64
whisper_model_quantize: n_text_head   = 1
whisper_model_quantize: n_text_layer  = 1
whisper_model_quantize: n_mels        = 80
whisper_model_quantize: ftype (src)   = 1
whisper_model_quantize: qntvr (src)   = 0
whisper_model_quantize: ftype (dst)   = 2008
whisper_model_quantize: qntvr (dst)   = 2
`
	if d := cmp.Diff(want, stderr); d != "" {
		t.Errorf("stderr (-want, +got):\n%s", d)
	}
}

func TestRefusals(t *testing.T) {
	in := save(t, small(ggml.F16, 64))
	quantised := save(t, small(ggml.Q8_0, 64))
	dir := t.TempDir()
	cut := filepath.Join(t.TempDir(), "cut.bin")
	data, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, data[:len(data)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.bin")
	for _, test := range []struct {
		args []string
		code cli.Code
		says string
	}{
		{[]string{in, out}, cli.Usage, "2 arguments"},
		{[]string{in, out, "q8_0", "x"}, cli.Usage, "4 arguments"},
		{[]string{in, out, "q9_9"}, cli.Usage, `unknown type "q9_9"`},
		{[]string{in, out, "Q8_0"}, cli.Usage, `unknown type "Q8_0"`},
		{[]string{in, out, "0"}, cli.Usage, `unknown type "0"`},
		{[]string{in, out, "q8_0", "-t", "0"}, cli.Usage, "--threads"},
		{[]string{in, in, "q8_0"}, cli.Usage, "overwritten"},
		{[]string{in, out, "q4_k"}, cli.Model, "rows of 64 numbers in decoder.token_embedding.weight cannot be cut into q4_k's blocks of 256\nhint: types that fit: q4_0 q4_1 q5_0 q5_1 q8_0 f16"},
		{[]string{quantised, out, "q4_0"}, cli.Model, "is quantised already, to q8_0"},
		{[]string{cut, out, "q8_0"}, cli.Model, "the file is cut short\nhint: "},
		{[]string{in + ".none", out, "q8_0"}, cli.Model, "in.bin.none"},
		{[]string{dir, out, "f16"}, cli.Model, "model.bin"},
		{[]string{in, filepath.Join(dir, "none", "out.bin"), "q8_0"}, cli.Output, "none"},
		{[]string{in, dir, "q8_0"}, cli.Output, "is a directory"},
	} {
		code, stdout, stderr := call(t.Context(), test.args...)
		if code != test.code || !strings.Contains(stderr, test.says) || stdout != "" || strings.Count(stderr, "\n") > 2 {
			t.Errorf("%q: exit %d, stdout %q, stderr %q", test.args, code, stdout, stderr)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%q: left behind: %v", test.args, left)
		}
	}
}

func TestInterrupted(t *testing.T) {
	in, dir := save(t, small(ggml.F32, 256)), t.TempDir()
	out := filepath.Join(dir, "out.bin")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := call(ctx, in, out, "q6_k")
	if code != cli.Interrupted || !strings.HasSuffix(stderr, "whisper-quantize: interrupted\n") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
