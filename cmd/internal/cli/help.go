package cli

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// helpWidth is how many columns the text of --help takes where there are as many, and shortWidth that of -h.
const helpWidth, shortWidth = 100, 80

// Help returns the text of --help: how to call app, its flags by category in the order they were given, what else its
// manual tells, and the exit codes. Lines are at most width columns long, but for examples.
func Help(app *cli.App, width int) string {
	var b strings.Builder
	head(&b, app)
	if app.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap(app.Description, 0, width))
	}
	m, flags := mangen.Of(app), mangen.Flags(app)
	if len(m.Programs) > 0 {
		b.WriteString("\nPrograms:\n")
		for _, p := range m.Programs {
			row(&b, "  "+p.Name, p.Usage, width)
		}
	}
	for _, c := range mangen.Categories(flags) {
		fmt.Fprintf(&b, "\n%s:\n", c)
		for _, f := range flags {
			if f.Category == c {
				flagRow(&b, f, f.Plain(), width)
			}
		}
	}
	if len(m.Examples) > 0 {
		b.WriteString("\nExamples:\n")
		for _, x := range m.Examples {
			fmt.Fprintf(&b, "  %s\n      %s\n", x.Term, wrap(x.Text, 6, width))
		}
	}
	if len(m.Environment) > 0 {
		b.WriteString("\nEnvironment:\n")
		for _, v := range m.Environment {
			row(&b, "  "+v.Term, v.Text, width)
		}
	}
	b.WriteString("\nExit codes:\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "  %-5d%s\n", c.Code, c.Meaning)
	}
	return b.String()
}

// Short returns the text of -h: how to call app, the flags used most, and where the rest is. It fits a terminal of 24 lines.
func Short(app *cli.App) string {
	var b strings.Builder
	head(&b, app)
	b.WriteByte('\n')
	flags := mangen.Flags(app)
	often := mangen.Of(app).Often
	if often == nil {
		for _, f := range flags {
			often = append(often, first(f))
		}
	}
	for _, name := range often {
		for _, f := range flags {
			if first(f) == name {
				flagRow(&b, f, f.Brief(), shortWidth)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s --help tells everything\n", app.Name)
	return b.String()
}

// first is the first name of a flag, without dashes.
func first(f mangen.Flag) string { return strings.TrimLeft(f.Names[len(f.Names)-1], "-") }

func head(b *strings.Builder, app *cli.App) {
	args := app.ArgsUsage
	if args != "" {
		args = " " + args
	}
	fmt.Fprintf(b, "%s: %s\n\nusage: %s [flags]%s\n", app.Name, app.Usage, app.Name, args)
}

// flagRow is "  -t N, --threads N   explanation [default]"; short names have one dash as in whisper.cpp.
func flagRow(b *strings.Builder, f mangen.Flag, usage string, width int) {
	value := ""
	if f.Value != "" {
		value = " " + f.Value
		if f.Default != "" {
			usage += " [" + f.Default + "]"
		}
	}
	row(b, "  "+strings.Join(f.Names, value+", ")+value, usage, width)
}

// row puts an explanation beside its term, or below where the term is long.
func row(b *strings.Builder, term, explanation string, width int) {
	const indent = 30 // the column where explanations start
	if len(term) >= indent-1 {
		fmt.Fprintf(b, "%s\n%s%s\n", term, strings.Repeat(" ", indent), wrap(explanation, indent, width))
		return
	}
	fmt.Fprintf(b, "%-*s%s\n", indent, term, wrap(explanation, indent, width))
}

// wrap breaks the paragraphs of s at width columns; lines but the first start at column from.
func wrap(s string, from, width int) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteString("\n" + strings.Repeat(" ", from))
		}
		column := from
		for j, word := range strings.Fields(paragraph) {
			switch {
			case j == 0:
			case column+1+len(word) > width:
				b.WriteString("\n" + strings.Repeat(" ", from))
				column = from
			default:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += len(word)
		}
	}
	return b.String()
}
