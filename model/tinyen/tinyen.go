// Package tinyen is the smallest English model, embedded: OpenAI's tiny.en with its matrices in q5_1 (32 MB). A program
// that imports it grows by as much. The file was made with
//
//	whisper-quantize CTRANSLATE2_DIRECTORY ggml-tiny.en-q5_1.bin q5_1
package tinyen

import _ "embed"

// Name is what the model is called.
const Name = "tiny.en-q5_1"

//go:embed ggml-tiny.en-q5_1.bin
var data []byte

// Data returns the model as a whisper ggml file. It is the program's only copy, paged in as it is read, and must not be
// written to.
func Data() []byte { return data[:len(data):len(data)] }
