package ggml

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// smallFile is a sound model file with few bytes in it: this package does not ask that the shapes fit the header.
func smallFile(t Type) *File {
	f := &File{
		Header: Header{Vocab: 7, AudioCtx: 3, AudioState: 64, AudioHeads: 1, AudioLayers: 1, TextCtx: 2, TextState: 64,
			TextHeads: 1, TextLayers: 1, Mels: 80, FType: int(t.FType())},
		Filters: MelFilters{Bands: 80, Bins: melBins, Coef: make([]float32, 80*melBins)},
		Vocab:   [][]byte{[]byte("a"), {}, []byte("\xe2\x82"), []byte(strings.Repeat("x", 128))},
	}
	for i := range f.Filters.Coef {
		f.Filters.Coef[i] = float32(i%7) / 7
	}
	add := func(name string, t Type, dims ...int) {
		x := Tensor{Name: name, Type: t, Dims: dims}
		x.Data = make([]byte, t.Bytes(x.Len()))
		for i := range x.Data {
			x.Data[i] = byte(i + len(name))
		}
		f.Tensors = append(f.Tensors, x)
	}
	add("encoder.positional_embedding", F32, 4, 3)
	add("encoder.conv1.weight", F16, 3, 2, 2)
	add("encoder.conv1.bias", F32, 1, 2)
	add("matrix", t, 2*t.Block(), 3)
	add("scalar", F32)
	for len(f.Tensors) < f.Header.Tensors() {
		add(fmt.Sprintf("bias.%d", len(f.Tensors)), F32, 1+len(f.Tensors)%3)
	}
	return f
}

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// prologue is the number of bytes before the tensors of smallFile.
func prologue(f *File) int {
	n := 4 + 11*4 + 2*4 + 4*len(f.Filters.Coef) + 4
	for _, v := range f.Vocab {
		n += 4 + len(v)
	}
	return n
}

func TestFileRoundTrip(t *testing.T) {
	for _, typ := range Types {
		want := smallFile(typ)
		data := encode(t, want)
		got, err := Parse(data)
		if err != nil {
			t.Fatalf("%v: %v", typ, err)
		}
		opts := cmp.Options{cmpopts.IgnoreUnexported(File{}), cmpopts.EquateEmpty()}
		if d := cmp.Diff(want, got, opts); d != "" {
			t.Errorf("%v: written and read (-, +):\n%s", typ, d)
		}
		if !bytes.Equal(data, encode(t, got)) {
			t.Errorf("%v: writing what was read gives other bytes", typ)
		}
		if got.Type() != typ {
			t.Errorf("%v: the header says %v", typ, got.Type())
		}
	}
}

func TestFileLayout(t *testing.T) {
	f := smallFile(Q5_0)
	data := encode(t, f)
	head := []byte("lmgg\x07\x00\x00\x00\x03\x00\x00\x00\x40\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00" +
		"\x40\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x50\x00\x00\x00\x08\x00\x00\x00\x50\x00\x00\x00\xc9\x00\x00\x00")
	if !bytes.HasPrefix(data, head) {
		t.Errorf("the file starts with\n%x, not\n%x", data[:len(head)], head)
	}
	record := append([]byte("\x02\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x03\x00\x00\x00encoder.positional_embedding"), f.Tensors[0].Data...)
	if p := prologue(f); !bytes.HasPrefix(data[p:], record) {
		t.Errorf("the first record is\n%x, not\n%x", data[p:p+len(record)], record)
	}
}

func TestTensorIsView(t *testing.T) {
	f := smallFile(F16)
	data := encode(t, f)
	g, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := g.Tensor("matrix")
	if !ok {
		t.Fatal("the tensor is not found")
	}
	at := bytes.Index(data, []byte("matrix")) + len("matrix")
	if &x.Data[0] != &data[at] {
		t.Error("the tensor's bytes were copied")
	}
	if &g.Vocab[3][0] != &data[prologue(f)-128] {
		t.Error("the vocabulary was copied")
	}
	if cap(x.Data) != len(x.Data) {
		t.Error("the view reaches beyond the tensor")
	}
	if _, ok := g.Tensor("none"); ok {
		t.Error("a tensor was found that is not there")
	}
}

func TestCutAtAnyByte(t *testing.T) {
	f := smallFile(Q8_0)
	data := encode(t, f)
	filters := 4 + 11*4 + 2*4
	for n := range data {
		if n > filters+1000 && n < prologue(f)-1000 && n%997 != 0 {
			continue // deep inside the filters one byte is like the other
		}
		_, err := Parse(data[:n:n])
		var format *FormatError
		if !errors.Is(err, ErrTruncated) || !errors.As(err, &format) {
			t.Fatalf("%d of %d bytes: %v", n, len(data), err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	sound := smallFile(Q4_0)
	p := prologue(sound)
	put := func(off int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.LittleEndian.PutUint32(b[off:], v); return b }
	}
	vocabAt := 4 + 11*4 + 2*4 + 4*len(sound.Filters.Coef)
	for _, test := range []struct {
		field string
		edit  func([]byte) []byte
		want  error
	}{
		{"magic", put(0, 0x46554747), ErrFormat},
		{"n_vocab", put(4, 0), ErrFormat},
		{"n_vocab", put(4, 1<<20+1), ErrFormat},
		{"n_audio_ctx", put(8, 1<<31), ErrFormat},
		{"n_audio_head", put(12, 128), ErrFormat},
		{"n_audio_layer", put(20, 129), ErrFormat},
		{"n_text_head", put(32, 2), ErrFormat},
		{"n_text_layer", put(36, 0xffffffff), ErrFormat},
		{"n_mels", put(40, 81), ErrFormat},
		{"ftype", put(44, 24), ErrUnsupported},
		{"ftype", put(44, 0xffffffff), ErrUnsupported},
		{"mel filter bands", put(48, 128), ErrFormat},
		{"mel filter bins", put(52, 1<<30), ErrFormat},
		{"number of tokens", put(vocabAt, 8), ErrFormat},
		{"length of a token", put(vocabAt+4, 1<<30), ErrFormat},
		{"length of a token", put(vocabAt+4, 0xffffffff), ErrFormat},
		{"number of dimensions", put(p, 5), ErrFormat},
		{"length of a tensor's name", put(p+4, 0), ErrFormat},
		{"length of a tensor's name", put(p+4, 1<<20), ErrFormat},
		{"type of a tensor", put(p+8, 4), ErrUnsupported},
		{"type of a tensor", put(p+8, 30), ErrUnsupported},
		{"dimension of a tensor", put(p+12, 0), ErrFormat},
		{"dimension of a tensor", put(p+12, 1<<31-1), ErrTruncated},
		{"encoder.positional_embedding", put(p+16, 1<<14), ErrTruncated},
		{"encoder.positional_embedding", put(p+8, uint32(Q2_K)), ErrFormat},
		{"encoder.positional_embedding", put(p+8, uint32(F16)), ErrUnsupported},
		{"end", func(b []byte) []byte { return append(b, 0) }, ErrFormat},
		{"bias.6", func(b []byte) []byte { return bytes.Replace(b, []byte("bias.7"), []byte("bias.6"), 1) }, ErrFormat},
	} {
		f, err := Parse(test.edit(encode(t, sound)))
		var format *FormatError
		if f != nil || !errors.Is(err, test.want) || !errors.As(err, &format) || format.Field != test.field {
			t.Errorf("%s: got %v, want %v", test.field, err, test.want)
		}
	}
}

func TestHeaderOfEverySize(t *testing.T) {
	for _, test := range []struct {
		vocab, state, audio, text, mels, tensors int
	}{
		{51864, 384, 4, 4, 80, 167},
		{51865, 512, 6, 6, 80, 245},
		{51865, 768, 12, 12, 80, 479},
		{51865, 1024, 24, 24, 80, 947},
		{51865, 1280, 32, 32, 80, 1259},
		{51866, 1280, 32, 32, 128, 1259},
		{51866, 1280, 32, 4, 128, 587},
		{51865, 1280, 32, 2, 80, 539},
	} {
		h := Header{Vocab: test.vocab, AudioCtx: 1500, AudioState: test.state, AudioHeads: test.state / 64, AudioLayers: test.audio,
			TextCtx: 448, TextState: test.state, TextHeads: test.state / 64, TextLayers: test.text, Mels: test.mels, FType: 2008}
		if field, err := h.Check(); err != nil {
			t.Errorf("%+v: %s: %v", h, field, err)
		}
		if got := h.Tensors(); got != test.tensors {
			t.Errorf("%+v: %d tensors, want %d", h, got, test.tensors)
		}
		if h.Type() != Q5_0 {
			t.Errorf("ftype 2008 is %v", h.Type())
		}
	}
}

func TestWriterRefuses(t *testing.T) {
	for name, edit := range map[string]func(*File){
		"n_mels":           func(f *File) { f.Mels = 64 },
		"mel filters":      func(f *File) { f.Filters.Coef = f.Filters.Coef[1:] },
		"number of tokens": func(f *File) { f.Header.Vocab = 3 },
		"token 1":          func(f *File) { f.Vocab[1] = make([]byte, maxToken+1) },
		"tensors":          func(f *File) { f.Tensors = f.Tensors[1:] },
		"more":             func(f *File) { f.Tensors = append(f.Tensors, Tensor{Name: "more"}) },
		"bias.6":           func(f *File) { f.Tensors[7].Name = "bias.6" },
		"matrix":           func(f *File) { f.Tensors[3].Type = Q4_1 },
		"scalar":           func(f *File) { f.Tensors[4].Data = nil },
	} {
		f := smallFile(Q4_0)
		f.Vocab, f.Tensors = slices.Clone(f.Vocab), slices.Clone(f.Tensors)
		edit(f)
		var b bytes.Buffer
		if err := f.Write(&b); err == nil || !strings.HasPrefix(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type failingWriter int

var errFull = errors.New("disk full")

func (w *failingWriter) Write(b []byte) (int, error) {
	if *w -= failingWriter(len(b)); *w < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterKeepsError(t *testing.T) {
	f := smallFile(F16)
	total := len(encode(t, f))
	for _, room := range []int{0, 100, total - 1} {
		w := failingWriter(room)
		if err := f.Write(&w); !errors.Is(err, errFull) {
			t.Errorf("room for %d of %d bytes: %v", room, total, err)
		}
	}
}

func TestOpenAndClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ggml-small.bin")
	want := smallFile(Q6_K)
	if err := os.WriteFile(path, encode(t, want), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if x, ok := f.Tensor("matrix"); !ok || !bytes.Equal(x.Data, want.Tensors[3].Data) {
		t.Error("the tensor is not what was written")
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}

	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrTruncated) || !strings.HasPrefix(err.Error(), path+": ") {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := Open(path + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	data, unmap, err := Map(path)
	if err != nil || len(data) != 0 {
		t.Errorf("Map of an empty file: %d bytes, %v", len(data), err)
	}
	if err := unmap(); err != nil {
		t.Error(err)
	}
}

// The fuzzer gets files without the 64 kB of their mel filters, which would only make it slow.
func FuzzFile(f *testing.F) {
	const start, end = 4 + 11*4 + 2*4, 4 + 11*4 + 2*4 + 4*80*melBins
	for _, t := range []Type{F32, F16, Q5_1, Q3_K} {
		data := encode(f, smallFile(t))
		data = slices.Delete(data, start, end)
		f.Add(data)
		f.Add(data[:len(data)-9])
	}
	f.Add([]byte("lmgg"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= start {
			data = slices.Insert(bytes.Clone(data), start, make([]byte, end-start)...)
		}
		m, err := Parse(data)
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) || !(errors.Is(err, ErrFormat) || errors.Is(err, ErrTruncated) || errors.Is(err, ErrUnsupported)) {
				t.Fatalf("an error without a place or a sentinel: %v", err)
			}
			return
		}
		if !bytes.Equal(encode(t, m), data) {
			t.Fatal("writing what was read gives other bytes")
		}
	})
}
