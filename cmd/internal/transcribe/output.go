package transcribe

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
)

// task is one input and where its text goes.
type task struct {
	input  string
	base   string // name of the output files without extension; "-" is standard output
	stdout bool   // a format goes to standard output, and nothing else does
}

// plan pairs inputs with the names of their output files. Two outputs of one name, and an output of an input's name, are
// usage errors.
func plan(s settings) ([]task, error) {
	inputs := s.inputs
	if s.render != "" {
		inputs = []string{s.render}
	}
	taken := make(map[string]string) // who reads or writes the file
	for _, in := range inputs {
		if in == "-" && taken[in] != "" {
			return nil, whisper.Failf(whisper.Usage, "standard input can be heard once: -")
		}
		taken[in] = "an input file"
		taken[filepath.Clean(in)] = "an input file"
	}
	var tasks []task
	for i, in := range inputs {
		t := task{input: in, base: in}
		if s.render != "" {
			t.base = strings.TrimSuffix(in, ".json")
		}
		if i < len(s.bases) && s.bases[i] != "" {
			t.base = s.bases[i]
		}
		t.stdout = t.base == "-" && len(s.formats) > 0
		for _, path := range t.paths(s.formats) {
			clean := filepath.Clean(path)
			if who := taken[clean]; who != "" {
				return nil, whisper.Fail(whisper.Usage, fmt.Errorf("the output for %s is %s: %s", in, who, path), "-of names the output files, one for each input")
			}
			taken[clean] = "that for another"
		}
		tasks = append(tasks, t)
	}
	return tasks, nil
}

// paths returns the files that t writes.
func (t task) paths(formats []format) []string {
	if t.base == "-" {
		return nil
	}
	var paths []string
	for _, f := range formats {
		paths = append(paths, t.base+"."+f.ext)
	}
	return paths
}

// check returns an error where a file of t cannot be written, before any work has gone into it.
func (b *batch) check(t task) error {
	for _, path := range t.paths(b.formats) {
		if err := whisper.CanWrite(path); err != nil {
			return whisper.Fail(whisper.Output, fmt.Errorf("cannot write: %w", err), "-of names another place")
		}
	}
	if t.stdout && len(b.formats) > 1 {
		var others []string
		for _, f := range b.formats[1:] {
			others = append(others, f.ext)
		}
		b.note("only one format goes to standard output: %s is written, %s not", b.formats[0].ext, strings.Join(others, " and "))
	}
	return nil
}

// write writes the files of t.
func (b *batch) write(t task, tr *transcript.Transcript) error {
	if t.stdout {
		var text strings.Builder
		if err := b.formats[0].write(&text, tr); err != nil {
			return err
		}
		_, err := io.WriteString(b.env.Stdout, text.String())
		return stdoutFailed(err)
	}
	for i, path := range t.paths(b.formats) {
		f := b.formats[i]
		if !b.quiet {
			fmt.Fprintf(b.env.Stderr, "%s: saving output to '%s'\n", f.name, path)
		}
		if err := whisper.WriteFile(path, func(w io.Writer) error { return f.write(w, tr) }); err != nil {
			return whisper.Fail(whisper.Output, fmt.Errorf("cannot write: %s: %w", path, whisper.Bare(err)), "")
		}
	}
	return nil
}

// note prints a line for the user that is no error.
func (b *batch) note(format string, args ...any) {
	fmt.Fprintf(b.env.Stderr, "whisper: "+format+"\n", args...)
}
