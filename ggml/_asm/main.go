// Command _asm writes the kernels whose bodies differ only in a number of rows and columns: the tiles of the matrix
// product, of floats and of whole numbers, and the dots. Everything else in ggml/internal/kernel is written by hand.
//
// usage, in this folder: go run . -out ../internal/kernel
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "", "folder to write the files to")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	files := amd64()
	maps.Copy(files, intTiles())
	maps.Copy(files, arm64())
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(*out, name), []byte(text), 0o666); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
