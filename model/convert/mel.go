package convert

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/whisperfile/whisperfile/ggml"
)

// melFilters is OpenAI's file mel_filters.npz: a zip of NumPy arrays mel_80 and mel_128 in single precision.
//
//go:embed mel_filters.npz
var melFilters []byte

// MelFilters returns OpenAI's filters for 80 or 128 mel bands, to the bit: those of librosa with Slaney's scale and
// normalisation for 16 kHz and 400 samples. Other numbers of bands are an error that wraps ggml.ErrUnsupported.
func MelFilters(bands int) (ggml.MelFilters, error) {
	const bins = 201
	if bands != 80 && bands != 128 {
		return ggml.MelFilters{}, fmt.Errorf("filters for %d mel bands: %w", bands, ggml.ErrUnsupported)
	}
	data, err := readArray(fmt.Sprintf("mel_%d.npy", bands))
	if err != nil {
		return ggml.MelFilters{}, err
	}
	f := ggml.MelFilters{Bands: bands, Bins: bins, Coef: make([]float32, bands*bins)}
	data = data[len(data)-4*len(f.Coef):] // the array stands behind a header
	for i := range f.Coef {
		f.Coef[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return f, nil
}

func readArray(name string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(melFilters), int64(len(melFilters)))
	if err != nil {
		return nil, err
	}
	r, err := z.Open(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
