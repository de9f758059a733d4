// Package ggml holds tensors and the numbers in them: the whisper ggml file, the stored number formats with their reference
// quantisers and dequantisers, and the [Backend] that computes with them, with its CPU implementation.
package ggml
