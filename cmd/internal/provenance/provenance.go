// Package provenance says where a program comes from: its version and commit, what it was built with, the licences of the modules in it, and
// the origin and checksums of its weights. Packages below it write the same down for others: NOTICE and a bill of materials.
package provenance

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"text/tabwriter"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
	"github.com/whisperfile/whisperfile/ggml"
)

//go:generate go run ./notice

// devel is the version of a build that knows none.
const devel = "devel"

// StdModule stands for Go's standard library and runtime among modules.
const StdModule = "std"

// Licence returns the SPDX expression of a module that is linked into some build of the programs, or "" for one that is not known.
func Licence(module string) string { return licences[module] }

// BuildVersion returns the version of the main module that the go command recorded in a build: a tag or a pseudo-version of its commit.
// It is "devel" where nothing was recorded.
func BuildVersion(info *debug.BuildInfo) string {
	if info == nil || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return devel
	}
	return info.Main.Version
}

// Setting returns what the go command recorded in a build under key, such as "vcs.revision" or "-tags"; "" where it did not.
func Setting(info *debug.BuildInfo, key string) string {
	if info != nil {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}

// Write tells w all about the program of env, which goes by that name and version: a line each for the build, a paragraph for the
// weights inside, whose checksums it computes, and one for the modules.
func Write(w io.Writer, name, version string, env applet.Env) error {
	info, _ := debug.ReadBuildInfo()
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range facts(info, version) {
		fmt.Fprintf(out, "%s\t%s\n", f[0], f[1])
	}
	weights, err := weightsOf(env)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\nweights of %s:\n", name)
	if len(weights) == 0 {
		fmt.Fprintln(out, "  none inside")
	}
	for _, m := range weights {
		fmt.Fprintf(out, "  %s, %d bytes, %s\n    sha256 %s\n", m.Name, m.Size, m.where, m.SHA256)
		if m.Origin() != "" {
			fmt.Fprintf(out, "    %s\n", m.Origin())
		}
	}
	fmt.Fprintln(out, "\nlicences:")
	fmt.Fprintf(out, "  whisperfile\t%s\tMIT\n", version)
	for _, m := range Modules(info) {
		fmt.Fprintf(out, "  %s\t%s\t%s\n", m.Path, m.Version, cmp.Or(Licence(m.Path), "unknown"))
	}
	fmt.Fprintln(out, "Their texts are in NOTICE.")
	return out.Flush()
}

// facts are the lines about the build and the machine, as names and values.
func facts(info *debug.BuildInfo, version string) [][2]string {
	target := runtime.GOOS + "/" + runtime.GOARCH
	for _, key := range []string{"GOAMD64", "GOARM64", "GOEXPERIMENT"} {
		if v := Setting(info, key); v != "" {
			target += ", " + key + "=" + v
		}
	}
	return [][2]string{
		{"version", version},
		{"commit", commit(info)},
		{"go", runtime.Version()},
		{"tags", cmp.Or(Setting(info, "-tags"), "none")},
		{"target", target},
		{"kernels", kernels()},
		{"sandbox", sandbox.Status()},
	}
}

// commit is the revision a build was made of, or what is known instead.
func commit(info *debug.BuildInfo) string {
	revision := Setting(info, "vcs.revision")
	if revision == "" {
		return "not recorded"
	}
	if t := Setting(info, "vcs.time"); t != "" {
		revision += " of " + t
	}
	if Setting(info, "vcs.modified") == "true" {
		revision += ", with changes"
	}
	return revision
}

// kernels is the rung that a model would be computed with, or why there is none.
func kernels() string {
	pool := ggml.NewPool(0)
	defer pool.Close()
	cpu, err := ggml.NewCPU(pool, ggml.CPUOptions{})
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(cpu.Device(), "CPU ")
}

// Module is a module in a build. Sum is the hash of go.sum, "h1:" and base64; it is empty where there is none.
type Module struct {
	Path, Version, Sum string
}

// Modules returns the modules that are linked into a build, by path, and last the standard library.
func Modules(info *debug.BuildInfo) []Module {
	if info == nil {
		return nil
	}
	var all []Module
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		all = append(all, Module{d.Path, d.Version, d.Sum})
	}
	return append(all, Module{Path: StdModule, Version: info.GoVersion})
}
