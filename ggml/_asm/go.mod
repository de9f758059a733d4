module github.com/whisperfile/whisperfile/ggml/_asm

go 1.26.0
