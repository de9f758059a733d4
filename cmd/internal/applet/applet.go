// Package applet says what a program is inside an executable: a name and a function that makes a command out of the
// world it finds itself in. The same command serves the program of that name, an executable that holds several
// programs, the man pages, the completions and the tests.
package applet

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// Env is the world a program runs in. Programs use nothing of package os that an Env offers.
type Env struct {
	Program string   // the name it was started by, for multicall executables to choose by
	Args    []string // what follows the name

	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string

	// Terminal says which of the streams a person sits at.
	Terminal Terminal

	// Sandbox restricts the process once files are open. It is nil where the process does more than run the program.
	Sandbox *sandbox.Sandbox

	// Models returns the names of the models among the files appended to the executable. It is nil where there are no files.
	Models func() []string

	// Weights returns the model built into the executable: what to call it, and its bytes, which nobody may change. It is nil
	// where there is none.
	Weights func() (name string, data []byte)

	// Beside is the path of the model file that lies beside the executable and is named like it; "" where there is none.
	Beside string

	// Inside returns the model of that name among the files appended to the executable: what to call it, and its bytes, which
	// nobody may change. "" is the first model. The error wraps fs.ErrNotExist where there is none. It is nil where there
	// are no files.
	Inside func(name string) (found string, data []byte, err error)
}

// Terminal says which streams are terminals, and how wide the one behind Stderr is in columns; 0 where that is unknown.
type Terminal struct {
	Stdin, Stdout, Stderr bool
	Width                 int
}

// System returns the process's own streams, arguments and environment, without weights.
func System() Env {
	env := Env{
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Terminal: Terminal{
			Stdin:  term.IsTerminal(int(os.Stdin.Fd())),
			Stdout: term.IsTerminal(int(os.Stdout.Fd())),
			Stderr: term.IsTerminal(int(os.Stderr.Fd())),
		},
		Sandbox: sandbox.System(),
	}
	if len(os.Args) > 0 {
		env.Program, env.Args = os.Args[0], os.Args[1:]
	}
	if env.Terminal.Stderr {
		if w, _, err := term.GetSize(int(os.Stderr.Fd())); err == nil {
			env.Terminal.Width = w
		}
	}
	return env
}

// New makes a program's command. It has no effects until the command runs.
type New func(Env) *cli.App

// Registry holds the programs of an executable by name. The zero value holds none.
type Registry struct {
	news map[string]New
}

// Add puts a program in. It panics if there is one of that name already.
func (r *Registry) Add(name string, n New) {
	if r.news == nil {
		r.news = make(map[string]New)
	}
	if _, ok := r.news[name]; ok {
		panic(fmt.Sprintf("applet: two programs are called %q", name))
	}
	r.news[name] = n
}

// Get returns the program of that name.
func (r *Registry) Get(name string) (New, bool) {
	n, ok := r.news[name]
	return n, ok
}

// Names returns the names of all programs in alphabetical order.
func (r *Registry) Names() []string { return slices.Sorted(maps.Keys(r.news)) }
