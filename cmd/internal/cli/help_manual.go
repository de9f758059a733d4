package cli

import (
	"fmt"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
)

// generators are what --generate makes of a command.
var generators = map[string]func(applet.Env, *cli.App) string{
	"man":  func(env applet.Env, app *cli.App) string { return mangen.Man(app, edition(env)) },
	"bash": func(_ applet.Env, app *cli.App) string { return mangen.Bash(app) },
	"zsh":  func(_ applet.Env, app *cli.App) string { return mangen.Zsh(app) },
	"fish": func(_ applet.Env, app *cli.App) string { return mangen.Fish(app) },
}

// helpFlags are those that tell of a program.
func helpFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "h", Usage: "show the flags used most"},
		&cli.BoolFlag{Name: "help", Usage: "show the manual, on a terminal in $MANPAGER, $PAGER, less or more"},
		mangen.OneOf(
			&cli.StringFlag{Name: "generate", Usage: "print `WHAT`: man is the manual page, bash, zsh and fish are completions for these shells"},
			slices.Sorted(maps.Keys(generators))...),
	}
}

// complete adds to a command's manual what is the same for all.
func complete(app *cli.App) {
	m := mangen.Of(app)
	m.Exit = nil
	for _, c := range Codes {
		m.Exit = append(m.Exit, mangen.Item{Term: strconv.Itoa(int(c.Code)), Text: c.Meaning})
	}
	if app.Metadata == nil {
		app.Metadata = make(map[string]any)
	}
	maps.Copy(app.Metadata, m.Metadata())
	for _, inner := range m.Programs {
		Prepare(inner)
	}
}

// tell does what flags ask to be told; done says whether they ask for anything.
func tell(env applet.Env, app *cli.App, flags []string) (done bool, err error) {
	text := ""
	for _, f := range flags {
		what, ok := strings.CutPrefix(f, "--generate=")
		if !ok {
			continue
		}
		generate, ok := generators[what]
		if !ok {
			return true, Fail(Usage, fmt.Errorf("--generate knows no %q", what), "--generate takes "+strings.Join(slices.Sorted(maps.Keys(generators)), ", "))
		}
		text = generate(env, app)
	}
	switch {
	case text != "":
	case slices.Contains(flags, "--help"):
		text = Help(app, columns(env))
		if browse(env, app, text) {
			return true, nil
		}
	case slices.Contains(flags, "--h"):
		text = Short(app)
	default:
		return false, nil
	}
	_, err = io.WriteString(env.Stdout, text)
	return true, Fail(Output, err, "")
}

// columns is how many there are for help.
func columns(env applet.Env) int {
	const least = 50 // narrower than this, terminals break lines better
	if w := env.Terminal.Width; env.Terminal.Stdout && w > 0 {
		return max(min(w, helpWidth), least)
	}
	return helpWidth
}

// edition is dated by $SOURCE_DATE_EPOCH, else as the commit that was built.
func edition(env applet.Env) mangen.Edition {
	e := mangen.Edition{Version: Version()}
	if env.Getenv != nil {
		if t, ok := provenance.SourceDate(env.Getenv); ok {
			e.Date = t
			return e
		}
	}
	info, _ := debug.ReadBuildInfo()
	e.Date, _ = time.Parse(time.RFC3339, provenance.Setting(info, "vcs.time"))
	return e
}
