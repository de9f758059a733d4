package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

const description = "Each FILE goes to the end of ZIP, an executable or a zip file, in place of one of the same name if there is one. Bytes of " +
	"models begin at a multiple of 64 KiB, so that the program can map them. What is in ZIP already stays where it is.\n" +
	"A whisperfile is an executable with a model, and a file called .args whose lines are arguments:\n" +
	"zipalign -j0 whisper.llamafile ggml-base.bin .args\n" +
	"ZIP is replaced when everything is written: after a failure, or the death of the program, it is as it was."

// ErrWindowsSize is the refusal of a Windows program because of its size, with what to do instead.
var ErrWindowsSize = errors.New("no program of 4 GiB or more starts on Windows: leave the model beside it, as NAME.bin beside NAME.exe, or name its file with -m")

// FixedTime is the time of members where no other is asked for, so that the same files give the same bytes: that of Mozilla's zipalign.
var FixedTime = time.Unix(1700000000, 0).UTC()

// NewZipalign makes the command that puts files into executables.
func NewZipalign(env applet.Env) *cli.App {
	flags := []cli.Flag{
		&cli.BoolFlag{Name: "junk-paths", Aliases: []string{"j"}, Usage: "leave out the directories of names"},
		&cli.IntFlag{Name: "align", Aliases: []string{"a"}, Usage: "begin the bytes of members at a multiple of `N`, a power of two", Value: 1 << 16, Base: 10},
		&cli.BoolFlag{Name: "real-time", Aliases: []string{"N"}, Usage: "keep the times of files; else all have the same, and the result is the same every time"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say what is put where"},
		&cli.BoolFlag{Name: "store", Aliases: []string{"0"}, Usage: "compress nothing (the default)"},
		&cli.BoolFlag{Name: "deflate", Aliases: []string{"1"}, Usage: "deflate all but models; -2 to -9 take longer and get smaller"},
	}
	for level := 2; level <= 9; level++ {
		flags = append(flags, &cli.BoolFlag{Name: strconv.Itoa(level), Hidden: true})
	}
	return &cli.App{
		Name:        "zipalign",
		Usage:       "put models and arguments into an executable",
		ArgsUsage:   "ZIP FILE...",
		Description: description,
		Metadata: mangen.Manual{
			Examples: []mangen.Item{
				{Term: "zipalign -j0 whisper.llamafile ggml-base.bin .args", Text: "Make a whisperfile of a copy of the program"},
				{Term: "unzip -l whisper.llamafile", Text: "List what is inside"},
			},
			SeeAlso: []string{"whisperfile", "assimilate"},
		}.Metadata(),
		Flags: flags,
		Action: func(c *cli.Context) error {
			if c.NArg() < 2 {
				return whisper.Fail(whisper.Usage, errors.New("what is to be put where?"), "usage: zipalign [flags] ZIP FILE...")
			}
			align := c.Int("align")
			if align < 1 || align > 1<<30 || align&(align-1) != 0 {
				return whisper.Failf(whisper.Usage, "-a takes a power of two up to 1073741824, not %d", align)
			}
			a := &addition{align: int64(align)}
			if c.Bool("verbose") {
				a.tell = func(name, how string, size, at int64) {
					fmt.Fprintf(env.Stdout, "%s: %s, %d bytes at %d\n", name, how, size, at)
				}
			}
			level := 0
			for l := 1; l <= 9; l++ {
				if c.Bool(strconv.Itoa(l)) && !c.Bool("store") {
					level = l
				}
			}
			if err := a.collect(c.Args().Tail(), level, c.Bool("junk-paths"), c.Bool("real-time")); err != nil {
				return whisper.Fail(whisper.Input, err, "")
			}
			return a.into(c.Context, c.Args().First())
		},
	}
}

// collect looks at the files that are to be put in.
func (a *addition) collect(files []string, level int, junk, realTime bool) error {
	seen := make(map[string]bool)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, whisper.Bare(err))
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", file)
		}
		name, err := nameInside(file, junk)
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("two files would be called %s", name)
		}
		seen[name] = true
		it := item{
			Part: Part{
				Name: name, Size: info.Size(), Executable: info.Mode()&0o111 != 0,
				Open: func() (io.ReadCloser, error) { return os.Open(file) },
			},
			time: FixedTime, level: level,
		}
		if realTime {
			it.time = info.ModTime()
		}
		if model, err := isModel(file); err != nil {
			return err
		} else if model {
			it.level = 0
		}
		a.items = append(a.items, it)
	}
	return nil
}

// nameInside is what a file is called in the zip: a relative path with slashes that does not leave its directory.
func nameInside(file string, junk bool) (string, error) {
	name := filepath.ToSlash(strings.TrimPrefix(file, filepath.VolumeName(file)))
	if junk {
		name = path.Base(name)
	}
	name = strings.TrimLeft(path.Clean(name), "/")
	if name == "." || name == ".." || strings.HasPrefix(name, "../") {
		return "", fmt.Errorf("%s has no name that a zip can hold; -j leaves directories out", file)
	}
	if len(name) > maxNameLen {
		return "", fmt.Errorf("a name of %d bytes is beyond the limit: %s", len(name), name)
	}
	return name, nil
}

// isModel reports whether a file begins like a model, which is mapped and therefore never compressed.
func isModel(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	b := make([]byte, len(ggmlMagic))
	_, err = io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, nil
	}
	return err == nil && string(b) == ggmlMagic, err
}

// into makes the addition to the file at target. Errors are for the user.
func (a *addition) into(ctx context.Context, target string) error {
	refuse := func(err error) error { return whisper.Fail(whisper.Output, err, "") }
	f, err := os.Open(target)
	if err != nil {
		return refuse(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return refuse(err)
	}
	if !info.Mode().IsRegular() {
		return refuse(fmt.Errorf("%s is no regular file", target))
	}
	p := readProgram(f, info.Size())
	d, err := readDirectory(f, info.Size())
	switch {
	case errors.Is(err, errNoZip) && cut(f, info.Size()):
		return refuse(fmt.Errorf("%s: %w", target, ErrCut))
	case errors.Is(err, errNoZip) && p.format == "" && info.Size() > 0:
		return refuse(fmt.Errorf("%s is neither a zip nor an executable of a 64-bit system", target))
	case errors.Is(err, errNoZip):
		d = &directory{start: info.Size()}
	case err != nil:
		return refuse(fmt.Errorf("%s: %w", target, err))
	}
	if p.signed {
		return refuse(fmt.Errorf("%s is signed, and the signature would not hold any more", target))
	}
	if err := d.check(f); err != nil {
		return refuse(fmt.Errorf("%s: %w", target, err))
	}
	names := make(map[string]bool)
	for _, it := range a.items {
		names[it.Name] = true
	}
	keep, end, err := d.plan(f, names, max(p.end, d.endOfBuilds()))
	if err != nil {
		return refuse(fmt.Errorf("%s: %w", target, err))
	}
	if len(keep)+len(a.items) > maxEntries {
		return refuse(fmt.Errorf("%s would hold more than %d files", target, maxEntries))
	}
	change := func(out *os.File) error {
		if err := a.append(ctx, out, keep, d.comment, end); err != nil {
			return err
		}
		now, err := out.Stat()
		if err != nil {
			return err
		}
		if p.format == "PE" && now.Size() > math.MaxUint32 {
			return ErrWindowsSize
		}
		written, err := readDirectory(out, now.Size())
		if err != nil {
			return err
		}
		return written.check(out)
	}
	f.Close()
	if err := Rewrite(ctx, target, target, end, change); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return refuse(err)
	}
	return nil
}
