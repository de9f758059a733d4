// Package model turns speech into text with Whisper models.
//
// A [Model] is a ggml file opened on a [ggml.Backend]; a [Session] is one transcription's state over the model's weights.
// Audio comes in as a stream, segments go out through a callback as they are final, and memory does not grow with the
// length of the audio.
package model
