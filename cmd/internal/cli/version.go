package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
)

// version is the release this is; the linker sets it (-X …/cmd/internal/cli.version=1.2.3).
var version string

// Version returns the release, or what the build recorded of the module and its commit, or "devel".
func Version() string {
	if version != "" {
		return version
	}
	info, _ := debug.ReadBuildInfo()
	return provenance.BuildVersion(info)
}

// versionFlags are those of every program. A program with a --verbose of its own keeps it.
func versionFlags(app *cli.App) []cli.Flag {
	flags := []cli.Flag{&cli.BoolFlag{
		Name: "version", Usage: "show the version; with --verbose also commit, build, processor, sandbox, weights inside and licences",
	}}
	if !slices.ContainsFunc(app.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "verbose") }) {
		flags = append(flags, &cli.BoolFlag{Name: "verbose", Hidden: true})
	}
	return flags
}

// showVersion prints a line, or with --verbose all that is known of the program.
func showVersion(env applet.Env, app *cli.App, flags []string) error {
	_, err := fmt.Fprintf(env.Stdout, "%s %s (%s %s/%s)\n", app.Name, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if err == nil && slices.Contains(flags, "--verbose") {
		err = provenance.Write(env.Stdout, app.Name, Version(), env)
	}
	return Fail(Output, err, "")
}
