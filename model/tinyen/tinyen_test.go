package tinyen

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/whisperfile/whisperfile/ggml"
)

// The sum is that of the file whisper.cpp's quantizer makes of tiny.en.
func TestData(t *testing.T) {
	const want = "3b7e1c5104d3767c105131d0380d0069fec5b10ad3948b119dcc2f5c1f1dd1c0"
	sum := sha256.Sum256(Data())
	if got := hex.EncodeToString(sum[:]); got != want {
		t.Errorf("%d bytes with SHA-256 %s, want %s", len(Data()), got, want)
	}
	f, err := ggml.Parse(Data())
	if err != nil {
		t.Fatal(err)
	}
	if f.Type() != ggml.Q5_1 || f.AudioLayers != 4 || f.Header.Vocab != 51864 {
		t.Errorf("another model: %+v", f.Header)
	}
}
