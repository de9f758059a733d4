// Command mkfat writes an executable for all systems: go run ./cmd/internal/fat/mkfat -o OUT -builds DIRECTORY [MODEL...] in the root of the
// checkout. The directory holds the programs, called linux-amd64, windows-amd64.exe and so on, and nothing else. Behind them go LICENSE, NOTICE
// and a bill of materials, and then the models.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/fat"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance/sbom"
)

func main() {
	out := flag.String("o", "", "write the executable to `FILE`")
	builds := flag.String("builds", "", "take the programs from `DIRECTORY`")
	version := flag.String("version", "", "the `VERSION` that the programs were built as; empty is what they have recorded")
	flag.Parse()
	if err := run(*out, *builds, *version, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mkfat:", err)
		os.Exit(1)
	}
}

func run(out, builds, version string, models []string) error {
	if out == "" || builds == "" {
		return errors.New("usage: mkfat -o OUT -builds DIRECTORY [-version VERSION] [MODEL...]")
	}
	programs, err := filepath.Glob(filepath.Join(builds, "*"))
	if err != nil {
		return err
	}
	product := sbom.Product{Version: version, Builds: programs}
	var weights []bundle.File
	for _, name := range models {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		name = filepath.Base(name)
		weights = append(weights, bundle.File{Name: name, Data: data})
		product.Weights = append(product.Weights, provenance.Sum(name, data))
	}
	files, err := sbom.Entries(".", product)
	if err != nil {
		return err
	}
	return fat.Write(context.Background(), out, builds, append(files, weights...))
}
