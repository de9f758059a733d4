// Package cli is what all programs share between the operating system and their command: arguments as people of
// whisper.cpp write them, help, version, signals, messages and exit codes.
package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// grace is how long a command has for itself once it was interrupted: some shells and timeout send the signal twice, to
// the process and to its group, and the second one must not end the clean-up.
const grace = time.Second

// Main runs a program until it is done or interrupted and returns its exit code. An error is reported on env.Stderr. The
// first interrupt cancels the command's context; one that comes more than grace later ends the process.
func Main(env applet.Env, n applet.New) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, stop) })
	return int(Run(ctx, env, n(env)))
}

// Run runs app with env's arguments and returns the exit code.
func Run(ctx context.Context, env applet.Env, app *cli.App) Code {
	err := run(ctx, env, app)
	if err != nil {
		Report(env.Stderr, app.Name, err)
	}
	return CodeOf(err)
}

func run(ctx context.Context, env applet.Env, app *cli.App) error {
	Prepare(app)
	hint := app.Name + " --help lists the flags"
	app.Writer, app.ErrWriter, app.Reader = env.Stdout, env.Stderr, env.Stdin
	app.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return Fail(Usage, err, hint) }
	app.ExitErrHandler = func(*cli.Context, error) {}
	args, err := Respond(env.Args)
	if err != nil {
		return Fail(Usage, err, "")
	}
	if args, err = Normalise(args, app.Flags); err != nil {
		return Fail(Usage, err, hint)
	}
	// Asked for before anything is parsed, so that a bad value beside them does not hide the help.
	flags := args[:slices.Index(args, "--")]
	if done, err := tell(env, app, flags); done {
		return err
	}
	if slices.Contains(flags, "--version") {
		return showVersion(env, app, flags)
	}
	return app.RunContext(ctx, append([]string{app.Name}, args...))
}

// Prepare gives app what every program has: -h, --help, --generate, --version, and values of flags that may hold commas.
func Prepare(app *cli.App) {
	app.HideHelp, app.HideVersion = true, true
	app.DisableSliceFlagSeparator = true
	app.Flags = append(append(app.Flags, helpFlags()...), versionFlags(app)...)
	complete(app)
}
