package bundle

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// The two programs that a start may mean that names none.
const (
	hearing = "whisper"
	serving = "whisper-server"
)

// home is how a server is started that nobody asked for by name; what is said behind it counts more.
var home = []string{"--port", "51524", "--browser"}

// Main runs one program, with the model inside its executable if there is one, and returns its exit code.
func Main(n applet.New) int {
	return within(applet.System(), func(env applet.Env, _ *Bundle) int { return whisper.Main(env, n) })
}

// Multicall runs one of several programs and returns its exit code: that of the name the executable was started by, else
// that of the first argument. Neither is given the arguments inside the executable. Else these apply, with the user's in their place, and
// say which program it is: the one they name in their first line; whisper-server for --server and whisper for --cli, the user's word
// before that inside; whisper where there is a file to hear; whisper-server. Flags inside that only the other of the two
// knows are passed over. A start without weights and arguments is whisper, which says what it wants.
func Multicall(env applet.Env, reg applet.Registry) int {
	return within(env, func(env applet.Env, b *Bundle) int { return dispatch(env, reg, b) })
}

// within gives env the model inside the executable, and the name that a fat file was started by.
func within(env applet.Env, run func(applet.Env, *Bundle) int) int {
	if len(env.Args) == 1 && env.Args[0] == Probe {
		return int(whisper.OK)
	}
	var b *Bundle
	var err error
	if path := launched(); path != "" {
		env.Program = path
		env.Sandbox.Launched(path, launch(path))
		b, err = Open(path)
	} else {
		b, err = Own(env.Program)
	}
	if err != nil {
		whisper.Report(env.Stderr, base(env.Program), err)
		return int(whisper.Model)
	}
	defer b.Close()
	env.Beside = b.beside()
	if !b.empty() {
		env.Inside, env.Models = b.Weights, b.Models
	}
	return run(env, b)
}

func base(program string) string { return withoutExe(filepath.Base(program)) }

// withoutExe takes the ending of Windows programs off a name: Windows tells a program that was started without it that it is called NAME.EXE.
func withoutExe(name string) string {
	if n := len(name) - len(".exe"); n >= 0 && strings.EqualFold(name[n:], ".exe") {
		return name[:n]
	}
	return name
}

func dispatch(env applet.Env, reg applet.Registry, b *Bundle) int {
	name := base(env.Program)
	n, named := reg.Get(name)
	if !named && len(env.Args) > 0 {
		if n, named = reg.Get(env.Args[0]); named {
			env.Args = env.Args[1:]
		}
	}
	if named {
		return whisper.Main(env, n)
	}
	if len(env.Args) > 0 && strings.HasPrefix(env.Args[0], "--generate") {
		return whisper.Main(env, func(env applet.Env) *cli.App { return about(env, reg) })
	}
	program, err := choose(&env, reg, b.args)
	if err != nil {
		whisper.Report(env.Stderr, name, err)
		return int(whisper.CodeOf(err))
	}
	n, _ = reg.Get(program)
	return whisper.Main(env, func(env applet.Env) *cli.App {
		app := n(env)
		app.Description = strings.TrimSpace(app.Description + "\n\nPrograms in this file, to be named first or linked to by name: " + strings.Join(reg.Names(), ", ") + ".")
		return app
	})
}

// choose returns the program of a start that names none, and makes env's arguments those it gets.
func choose(env *applet.Env, reg applet.Registry, inside []string) (string, error) {
	user, err := whisper.Respond(env.Args)
	if err != nil {
		return "", whisper.Fail(whisper.Usage, err, "")
	}
	if len(inside) > 0 {
		if _, ok := reg.Get(inside[0]); ok {
			env.Args = texts([]phrase{{words: expand(inside[1:], user)}})
			return inside[0], nil
		}
	} else {
		inside = []string{dots}
	}
	hears, serves := flagsOf(*env, reg, hearing), flagsOf(*env, reg, serving)
	takesValue := make(map[string]bool)
	for _, flags := range []map[string]bool{hears, serves} {
		for name, takes := range flags {
			takesValue[name] = takesValue[name] || takes
		}
	}
	all := phrases(expand(inside, user), takesValue)
	program := chooseProgram(all, weightsInside(*env))
	all = slices.DeleteFunc(all, func(p phrase) bool { return p.flag == "server" || p.flag == "cli" })
	own, other := hears, serves
	if program == serving {
		own, other = serves, hears
	}
	all = slices.DeleteFunc(all, func(p phrase) bool {
		_, known := own[p.flag]
		_, foreign := other[p.flag]
		return p.words[0].inside && !known && foreign
	})
	if program == serving {
		all = slices.DeleteFunc(all, func(p phrase) bool {
			return p.flag == "convert" && p.words[0].inside && !ffmpeg(*env)
		})
		env.Args = append(slices.Clone(home), texts(all)...)
	} else {
		env.Args = texts(all)
	}
	return program, nil
}

// ffmpeg reports whether it is installed; a person is told where it is not.
func ffmpeg(env applet.Env) bool {
	if _, err := sandbox.LookPath("ffmpeg"); err == nil {
		return true
	}
	fmt.Fprintf(env.Stderr, "%s: %s inside asks for --convert, but ffmpeg is not installed: only what is read without it is heard\n", serving, argsName)
	return false
}

// chooseProgram follows the rules of Multicall.
func chooseProgram(all []phrase, weights bool) string {
	program, word := "", false // word: the user's
	file := false
	for _, p := range all {
		mine := !p.words[0].inside
		switch p.flag {
		case "server", "cli":
			if word && !mine {
				continue
			}
			program, word = hearing, mine
			if p.flag == "server" {
				program = serving
			}
		case "", "f", "file", "render", "h", "help", "version":
			file = true
		}
	}
	switch {
	case program != "":
		return program
	case file, len(all) == 0 && !weights:
		return hearing
	}
	return serving
}

// flagsOf returns the names of a program's flags, and which take a value.
func flagsOf(env applet.Env, reg applet.Registry, program string) map[string]bool {
	names := make(map[string]bool)
	n, ok := reg.Get(program)
	if !ok {
		return names
	}
	for _, f := range n(env).Flags {
		for _, name := range f.Names() {
			names[name] = f.(cli.DocGenerationFlag).TakesValue()
		}
	}
	return names
}

// weightsInside reports whether a model came with the program.
func weightsInside(env applet.Env) bool {
	if env.Inside != nil {
		if _, _, err := env.Inside(""); err == nil {
			return true
		}
	}
	return env.Weights != nil || env.Beside != ""
}
