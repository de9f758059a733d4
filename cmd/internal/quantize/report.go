package quantize

import (
	"fmt"
	"io"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/ggml"
)

const mebibyte = 1 << 20

// report prints what whisper.cpp's quantizer prints, and shows a bar where a person watches.
type report struct {
	stdout, stderr io.Writer
	header         ggml.Header
	to             ggml.Type
	bar            *cli.Bar
	done           int // numbers of the tensors that are finished
	before, after  int // bytes
}

func newReport(env applet.Env, f *ggml.File, to ggml.Type) *report {
	total := 0
	for _, t := range f.Tensors {
		total += t.Len()
	}
	return &report{stdout: env.Stdout, stderr: env.Stderr, header: f.Header, to: to, bar: cli.NewBar(env, name(to), int64(total))}
}

func (r *report) start(in string) {
	const program = "whisper_model_quantize"
	r.bar.Hide()
	fmt.Fprintf(r.stdout, "%s: loading model from '%s'\n", program, in)
	h := r.header
	dst := header(h, r.to).FType
	for _, field := range []struct {
		name  string
		value int
	}{
		{"n_vocab", h.Vocab},
		{"n_audio_ctx", h.AudioCtx},
		{"n_audio_state", h.AudioState},
		{"n_audio_head", h.AudioHeads},
		{"n_audio_layer", h.AudioLayers},
		{"n_text_ctx", h.TextCtx},
		{"n_text_state", h.TextState},
		{"n_text_head", h.TextHeads},
		{"n_text_layer", h.TextLayers},
		{"n_mels", h.Mels},
		{"ftype (src)", h.FType},
		{"qntvr (src)", h.FType / 1000},
		{"ftype (dst)", dst},
		{"qntvr (dst)", dst / 1000},
	} {
		fmt.Fprintf(r.stderr, "%s: %-13s = %d\n", program, field.name, field.value)
	}
}

// rows says that n numbers of the tensor in hand are done.
func (r *report) rows(n int) { r.bar.Set(int64(r.done + n)) }

// tensor prints the line of a tensor that is written. Sizes before count single precision, whatever the source is in.
func (r *report) tensor(src, dst ggml.Tensor) {
	dims := [3]int{1, 1, 1}
	copy(dims[:], src.Dims)
	single := 4 * src.Len()
	r.bar.Hide()
	fmt.Fprintf(r.stdout, "%64s - [%5d, %5d, %5d], type = %6s ", src.Name, dims[0], dims[1], dims[2], src.Type)
	if src.Type != dst.Type {
		fmt.Fprintf(r.stdout, "size = %8.2f MB -> %8.2f MB\n", float64(single)/mebibyte, float64(len(dst.Data))/mebibyte)
	} else {
		fmt.Fprintf(r.stdout, "size = %8.3f MB\n", float64(len(dst.Data))/mebibyte)
	}
	r.done += src.Len()
	r.before += single
	r.after += len(dst.Data)
	r.rows(0)
}

func (r *report) end(quantizing, total time.Duration) {
	const program = "ggml_common_quantize_0"
	r.bar.Hide()
	fmt.Fprintf(r.stdout, "%s: model size  = %8.2f MB\n", program, float64(r.before)/mebibyte)
	fmt.Fprintf(r.stdout, "%s: quant size  = %8.2f MB | ftype = %d (%s)\n\n", program, float64(r.after)/mebibyte, r.to.FType(), r.to)
	fmt.Fprintf(r.stdout, "main: quantize time = %8.2f ms\n", quantizing.Seconds()*1000)
	fmt.Fprintf(r.stdout, "main:    total time = %8.2f ms\n", total.Seconds()*1000)
}
