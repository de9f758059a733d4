// Command load puts whisper-server under load and prints how it bears it: whether every answer is right, what it takes of
// memory, how much sound it hears in a second beside the command line, how long a short clip waits behind a long one, and how
// soon /health answers meanwhile.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// load is what all parts share.
type load struct {
	out                 io.Writer
	bin, tiny, base     string
	clients, heard, fit int // clients at once, rounds of them, and of the others
	sounds              *sounds
	wrong               int // answers
}

// parts are what is measured, in this order.
var parts = []struct {
	name string
	do   func(*load) error
}{
	{"many", (*load).many},
	{"throughput", (*load).throughput},
	{"fairness", (*load).fairness},
}

func run(out io.Writer, args []string) (err error) {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	l := &load{out: out}
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.StringVar(&l.bin, "bin", "dist", "`directory` of whisper and whisper-server")
	f.StringVar(&l.tiny, "tiny", "tiny.en", "`model` for many clients and for fairness")
	f.StringVar(&l.base, "base", "base", "`model` for throughput")
	f.IntVar(&l.clients, "clients", 100, "how many `clients` come at once")
	f.IntVar(&l.heard, "rounds", 8, "`times` that they come")
	f.IntVar(&l.fit, "pairs", 5, "`times` that throughput is compared with the command line's")
	sound := f.String("audio", "", "`file` to hear instead of the clips of testdata")
	only := f.String("only", strings.Join(names, ","), "`parts` to do")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 || l.clients < 1 || l.heard < 1 || l.fit < 1 {
		return errors.New("load takes flags alone, and numbers from 1 on")
	}
	if l.sounds, err = newSounds(*sound); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.sounds.close()) }()
	l.say("%s", machine())
	for _, name := range strings.Split(*only, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			return fmt.Errorf("there is no part %q; there are %s", name, strings.Join(names, ", "))
		}
		if err := parts[i].do(l); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if l.wrong > 0 {
		return fmt.Errorf("%d answers are wrong or lost", l.wrong)
	}
	return nil
}

func (l *load) say(format string, args ...any) { fmt.Fprintf(l.out, format+"\n", args...) }

// verdict says whether a figure is what is wanted.
func verdict(ok bool, wanted string) string {
	if ok {
		return "(ok: " + wanted + " is wanted)"
	}
	return "(MISSED: " + wanted + " is wanted)"
}
