package assimilate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

const description = "FILE, a whisperfile for all systems, becomes a program of this system, or of the one named, that starts without a shell: where " +
	"FILE itself says \"exec format error\", as in systemd's units and in programs that start others. The files inside stay where they " +
	"are. What is written over, the first 1024 bytes, is kept in the file: one that was turned can be turned back, or into " +
	"another. A file that is what it is to become stays as it is.\n" +
	"FILE is replaced when everything is written: after a failure, or the death of the program, it is as it was."

// New makes the command that turns a file for all systems into a program of one.
func New(env applet.Env) *cli.App {
	return &cli.App{
		Name:        "assimilate",
		Usage:       "turn a file for all systems into a program of one",
		ArgsUsage:   "FILE",
		Description: description,
		Metadata: mangen.Manual{
			Examples: []mangen.Item{
				{Term: "assimilate whisperfile", Text: "Make it a program of this system"},
				{Term: "assimilate -o whisperfile.arm --platform linux/arm64 whisperfile", Text: "Make one for a Raspberry Pi, and leave the file as it is"},
				{Term: "assimilate --undo whisperfile", Text: "Make it a file for all systems again"},
			},
			SeeAlso: []string{"whisperfile", "zipalign"},
		}.Metadata(),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `OUT`, and leave FILE as it is"},
			mangen.OneOf(
				&cli.StringFlag{Name: "platform", Aliases: []string{"p"}, Usage: "for `OS/ARCH`, as in linux/arm64, instead of this system; darwin alone is both processors of macOS"},
				"linux/amd64", "linux/arm64", "darwin", "darwin/amd64", "darwin/arm64", "freebsd/amd64", "freebsd/arm64", "netbsd/amd64", "openbsd/amd64"),
			&cli.BoolFlag{Name: "gpu", Usage: "take the Linux build that finds GPUs, which needs glibc; else it is the one that needs nothing"},
			&cli.BoolFlag{Name: "undo", Usage: "turn it back into a file for all systems"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return whisper.Fail(whisper.Usage, errors.New("which file is to be turned?"), "usage: assimilate [flags] FILE")
			}
			p, err := wanted(c)
			if err != nil {
				return whisper.Fail(whisper.Usage, err, "")
			}
			return convert(c.Context, env, c.Args().First(), c.String("output"), p)
		},
	}
}

// wanted is the platform that the flags name.
func wanted(c *cli.Context) (Platform, error) {
	name, gpu := c.String("platform"), c.Bool("gpu")
	if c.Bool("undo") {
		if name != "" || gpu {
			return Platform{}, errors.New("--undo goes without --platform and --gpu")
		}
		return Platform{}, nil
	}
	p := Platform{OS: runtime.GOOS, Arch: runtime.GOARCH, GPU: gpu}
	if p.OS == darwin {
		p.Arch = ""
	}
	if name != "" {
		goos, arch, slash := strings.Cut(name, "/")
		if goos == "" || slash == (arch == "") {
			return Platform{}, fmt.Errorf("--platform takes OS/ARCH, not %q", name)
		}
		p.OS, p.Arch = goos, arch
	}
	if gpu && p.OS != linux {
		return Platform{}, fmt.Errorf("--gpu is for Linux, where there are two builds, not for %v", Platform{OS: p.OS, Arch: p.Arch})
	}
	return p, nil
}

// convert makes out, or the file at path itself where out is "", a program of p. Errors are for the user.
func convert(ctx context.Context, env applet.Env, path, out string, p Platform) error {
	refuse := func(err error) error { return whisper.Fail(whisper.Input, err, "") }
	in, err := os.Open(path)
	if err != nil {
		return refuse(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return refuse(err)
	}
	if !info.Mode().IsRegular() {
		return refuse(fmt.Errorf("%s is no regular file", path))
	}
	f, err := Read(in, info.Size())
	if err != nil {
		return refuse(fmt.Errorf("%s: %w", path, err))
	}
	head, kept, err := f.Headers(p)
	if err != nil {
		return refuse(fmt.Errorf("%s: %w", path, err))
	}
	if out == "" {
		if f.Is(head, kept) {
			fmt.Fprintf(env.Stdout, "%s is for %v already\n", path, p)
			return nil
		}
		out = path
	}
	in.Close() // no file that is open is replaced on Windows
	err = bundle.Rewrite(ctx, path, out, info.Size(), func(w *os.File) error { return Write(w, head, kept) })
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return whisper.Fail(whisper.Output, err, "")
	}
	return nil
}
