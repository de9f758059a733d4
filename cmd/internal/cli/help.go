package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Help returns the text of --help: how to call app, its flags by category in the order they were given, and the exit
// codes. The name of a flag's value stands in backquotes in its Usage, as in package flag.
func Help(app *cli.App) string {
	var b strings.Builder
	args := app.ArgsUsage
	if args != "" {
		args = " " + args
	}
	fmt.Fprintf(&b, "%s: %s\n\nusage: %s [flags]%s\n", app.Name, app.Usage, app.Name, args)
	if app.Description != "" {
		fmt.Fprintf(&b, "\n%s\n", wrap(app.Description, 0))
	}
	var categories []string
	lines := make(map[string][]string)
	for _, f := range app.Flags {
		v, ok := f.(cli.VisibleFlag)
		if !ok || !v.IsVisible() {
			continue
		}
		category := ""
		if c, ok := f.(cli.CategorizableFlag); ok {
			category = c.GetCategory()
		}
		if _, ok := lines[category]; !ok {
			categories = append(categories, category)
		}
		lines[category] = append(lines[category], flagLine(f.(cli.DocGenerationFlag)))
	}
	for _, c := range categories {
		title := c
		if title == "" {
			title = "Other"
		}
		fmt.Fprintf(&b, "\n%s:\n%s", title, strings.Join(lines[c], ""))
	}
	b.WriteString("\nExit codes:\n")
	for _, c := range Codes {
		fmt.Fprintf(&b, "  %-5d%s\n", c.Code, c.Meaning)
	}
	return b.String()
}

// indent is the column where the explanation of a flag starts.
const indent = 30

// flagLine is "  -t N, --threads N   explanation [default]"; short names have one dash as in whisper.cpp.
func flagLine(f cli.DocGenerationFlag) string {
	usage, value := f.GetUsage(), ""
	if before, after, ok := strings.Cut(usage, "`"); ok {
		if name, tail, ok := strings.Cut(after, "`"); ok {
			value, usage = name, before+name+tail
		}
	}
	if f.TakesValue() {
		value = " " + cmp.Or(value, "VALUE")
		if def := f.GetDefaultText(); def != "" {
			usage += " [" + strings.Trim(def, `"`) + "]"
		}
	}
	names := f.Names()
	left := "  "
	for _, alias := range names[1:] {
		left += "-" + alias + value + ", "
	}
	left += "--" + names[0] + value
	if len(left) >= indent-1 {
		return left + "\n" + strings.Repeat(" ", indent) + wrap(usage, indent) + "\n"
	}
	return left + strings.Repeat(" ", indent-len(left)) + wrap(usage, indent) + "\n"
}

// wrap breaks the paragraphs of s at 100 columns; lines but the first start at column from.
func wrap(s string, from int) string {
	const width = 100
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
