// Command attach puts LICENSE, NOTICE and a bill of materials into the zips of executables, of whichever system: go run
// ./cmd/internal/provenance/attach FILE... in the root of the checkout. With -o it writes the bill of all FILEs, with their checksums, into a
// file of its own instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance/sbom"
)

func main() {
	version := flag.String("version", "", "the `VERSION` that the files were built as; empty is what they have recorded")
	out := flag.String("o", "", "write the bill of all files into `FILE` and leave them as they are")
	flag.Parse()
	if err := run(*version, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "attach:", err)
		os.Exit(1)
	}
}

func run(version, out string, files []string) error {
	if len(files) == 0 {
		return errors.New("no file is named: attach -h tells how")
	}
	if out != "" {
		bill, err := sbom.Bill(sbom.Product{Version: version, Builds: files, Sums: true})
		if err != nil {
			return err
		}
		return os.WriteFile(out, bill, 0o644)
	}
	for _, f := range files {
		if err := attach(version, f); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
	}
	return nil
}

// attach names the models in the zip of the file in its bill as well.
func attach(version, file string) error {
	weights, err := inside(file)
	if err != nil {
		return err
	}
	entries, err := sbom.Entries(".", sbom.Product{Version: version, Builds: []string{file}, Weights: weights})
	if err != nil {
		return err
	}
	return bundle.Put(context.Background(), file, entries, memberTime())
}

func inside(file string) ([]provenance.Weights, error) {
	b, err := bundle.Open(file)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	var all []provenance.Weights
	for _, name := range b.Models() {
		_, data, err := b.Weights(name)
		if err != nil {
			return nil, err
		}
		all = append(all, provenance.Sum(name, data))
	}
	return all, nil
}

// memberTime is the time of what is put in: SOURCE_DATE_EPOCH, or the one that zipalign gives.
func memberTime() time.Time {
	if t, ok := provenance.SourceDate(os.Getenv); ok {
		return t
	}
	return bundle.FixedTime
}
