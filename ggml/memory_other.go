//go:build !linux

package ggml

func largePages([]byte) {}
