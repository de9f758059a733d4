// Package mangen turns a program's command, the same that runs, into its manual page and its completions for shells.
package mangen

import (
	"cmp"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// Manual is what people are told of a program beyond its usage and its flags. A command carries it as Metadata.
type Manual struct {
	Often       []string            // flags used most, by their first names
	Words       map[string][]string // what an argument can be, by its name in ArgsUsage
	Examples    []Item              // a command line, and what it does
	Exit        []Item              // exit codes
	Environment []Item              // variables
	SeeAlso     []string            // other pages of section 1

	// Programs are those that the first argument can name. Where it names none, the first of them is meant.
	Programs []*cli.App
}

// Item is a term and what it means.
type Item struct{ Term, Text string }

const metadata = "manual"

// Metadata makes m what Of finds in a command.
func (m Manual) Metadata() map[string]any { return map[string]any{metadata: m} }

// Of returns the manual that app carries; the zero Manual if it carries none.
func Of(app *cli.App) Manual {
	m, _ := app.Metadata[metadata].(Manual)
	return m
}

// choice is a flag that knows what its value can be.
type choice struct {
	documented
	words []string
}

// documented is what every flag of package cli does.
type documented interface {
	cli.Flag
	cli.DocGenerationFlag
	cli.VisibleFlag
	cli.CategorizableFlag
}

// OneOf returns f with the words that its value can be, for completions; it refuses no other. f must be a flag of package cli.
func OneOf(f cli.Flag, words ...string) cli.Flag { return &choice{f.(documented), words} }

// Flag is a flag as people see it.
type Flag struct {
	Names    []string // with dashes, as the name is written most often: one for short names, two for the last
	Value    string   // what the value is called; "" for a switch
	Usage    string   // what it does, with backquotes around Value where it is spoken of
	Default  string   // of a flag with a value; "" for none
	Category string
	Words    []string // what the value can be; nil where that is open
	Repeats  bool
}

// Flags returns the flags of app that are not hidden. The name of a flag's value stands in backquotes in its Usage, as in
// package flag.
func Flags(app *cli.App) []Flag {
	var all []Flag
	for _, f := range app.Flags {
		d, ok := f.(documented)
		if !ok || !d.IsVisible() {
			continue
		}
		g := Flag{Usage: d.GetUsage(), Category: cmp.Or(d.GetCategory(), "Other")}
		names := d.Names()
		for _, alias := range names[1:] {
			g.Names = append(g.Names, "-"+alias)
		}
		if len(names[0]) == 1 {
			g.Names = append(g.Names, "-"+names[0])
		} else {
			g.Names = append(g.Names, "--"+names[0])
		}
		if d.TakesValue() {
			g.Value = cmp.Or(quoted(g.Usage), "VALUE")
			g.Default = strings.Trim(d.GetDefaultText(), `"`)
		}
		if c, ok := f.(*choice); ok {
			g.Words = c.words
			f = c.documented
		}
		_, g.Repeats = f.(*cli.StringSliceFlag)
		all = append(all, g)
	}
	return all
}

// Plain returns the usage without backquotes.
func (f Flag) Plain() string { return strings.ReplaceAll(f.Usage, "`", "") }

// Brief returns the usage up to the first semicolon, without backquotes.
func (f Flag) Brief() string {
	s, _, _ := strings.Cut(f.Plain(), ";")
	return s
}

// quoted returns what stands between the first two backquotes.
func quoted(s string) string {
	_, s, _ = strings.Cut(s, "`")
	name, _, ok := strings.Cut(s, "`")
	if !ok {
		return ""
	}
	return name
}

// Categories returns the categories of flags in the order in which they appear first.
func Categories(flags []Flag) []string {
	var names []string
	for _, f := range flags {
		if !slices.Contains(names, f.Category) {
			names = append(names, f.Category)
		}
	}
	return names
}

// argument is one of those that are no flags.
type argument struct {
	name    string
	words   []string // what it can be; a file where nil
	repeats bool
}

func arguments(app *cli.App) []argument {
	var all []argument
	words := Of(app).Words
	for _, a := range strings.Fields(app.ArgsUsage) {
		name, repeats := strings.CutSuffix(a, "...")
		all = append(all, argument{name: name, words: words[name], repeats: repeats})
	}
	return all
}

// completion is how a value is completed.
type completion int

const (
	anything    completion = iota // not at all
	fromWords                     // by one of its words
	fromFiles                     // by a path
	fromEndings                   // by the path of a file with an ending
	fromDirs                      // by the path of a directory
)

// completes follows from what a value is called: FILE and NAME are paths, FILE.json one with this ending, DIR a directory.
func (f Flag) completes() (how completion, ending string) {
	switch {
	case f.Words != nil:
		return fromWords, ""
	case f.Value == "FILE", f.Value == "NAME":
		return fromFiles, ""
	case strings.HasPrefix(f.Value, "FILE."):
		return fromEndings, strings.TrimPrefix(f.Value, "FILE")
	case f.Value == "DIR":
		return fromDirs, ""
	}
	return anything, ""
}
