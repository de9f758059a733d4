package synth

import "github.com/whisperfile/whisperfile/ggml"

// Goldens lists the models that model/testdata/oracle has activations of, NAME.golden each.
var Goldens = []struct {
	Name    string
	Options Options
}{
	{"large-v3", Options{Header: Shrink(Header("large-v3"), 128, 2, 2), Type: ggml.F16, Seed: 3}},
	{"large-v3-turbo", Options{Header: Shrink(Header("large-v3-turbo"), 192, 2, 1), Type: ggml.F32, Seed: 4}},
}
