package provenance

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// Weights is a model in an executable: its name, its length in bytes and the SHA-256 of them in hexadecimal.
type Weights struct {
	Name   string
	Size   int64
	SHA256 string

	where string
}

// TinyEn is the model that package tinyen embeds.
var TinyEn = Weights{
	Name:   "tiny.en-q5_1",
	Size:   32166155,
	SHA256: "3b7e1c5104d3767c105131d0380d0069fec5b10ad3948b119dcc2f5c1f1dd1c0",
}

// Sum returns what is to be said about the bytes of a model.
func Sum(name string, data []byte) Weights {
	sum := sha256.Sum256(data)
	return Weights{Name: name, Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:])}
}

// Origin says where weights come from and under which licence, in a line. It is "" for bytes that are not known here.
func (m Weights) Origin() string {
	if m.SHA256 == TinyEn.SHA256 {
		return "OpenAI Whisper tiny.en, Copyright (c) 2022 OpenAI, MIT; matrices in q5_1 by whisper-quantize"
	}
	return ""
}

// Licence returns the SPDX expression of weights, "" for bytes that are not known here.
func (m Weights) Licence() string {
	if m.Origin() != "" {
		return "MIT"
	}
	return ""
}

// weightsOf returns the models in the zip of the executable and then the one that it was built with.
func weightsOf(env applet.Env) ([]Weights, error) {
	var all []Weights
	if env.Models != nil && env.Inside != nil {
		for _, name := range env.Models() {
			_, data, err := env.Inside(name)
			if err != nil {
				return nil, err
			}
			m := Sum(name, data)
			m.where = "in the zip"
			all = append(all, m)
		}
	}
	if env.Weights != nil {
		m := Sum(env.Weights())
		m.where = "built in"
		all = append(all, m)
	}
	return all, nil
}
