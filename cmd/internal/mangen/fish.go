package mangen

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Fish returns commands that complete the command lines of app in fish from 3.0 on.
func Fish(app *cli.App) string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "# Completes %s in fish. %[1]s --generate fish prints it.\n", app.Name)
	programs := Of(app).Programs
	if len(programs) == 0 {
		fishProgram(b, app.Name, "", Flags(app), arguments(app))
		return b.String()
	}
	var names []string
	for _, inner := range programs {
		names = append(names, inner.Name)
		fmt.Fprintf(b, "complete -c %s -n __fish_use_subcommand -a %s -d %s\n", app.Name, inner.Name, fishQuote(inner.Usage))
	}
	for _, inner := range programs {
		fishProgram(b, app.Name, "__fish_seen_subcommand_from "+inner.Name, Flags(inner), arguments(inner))
	}
	fishProgram(b, app.Name, "not __fish_seen_subcommand_from "+strings.Join(names, " "), withFirst(app), arguments(programs[0]))
	return b.String()
}

// fishProgram writes what completes a program's flags and arguments while the condition holds, always where it is "".
func fishProgram(b *strings.Builder, command, condition string, flags []Flag, args []argument) {
	head := "complete -c " + command
	if condition != "" {
		head += " -n " + fishQuote(condition)
	}
	if len(args) == 0 {
		fmt.Fprintf(b, "%s -f\n", head)
	}
	for i, a := range args {
		if a.words != nil {
			place := fmt.Sprintf("__fish_is_nth_token %d", i+1)
			if condition != "" {
				place = fmt.Sprintf("%s; and __fish_is_nth_token %d", condition, i+2)
			}
			fmt.Fprintf(b, "complete -c %s -n %s -f -a %s\n", command, fishQuote(place), fishQuote(strings.Join(a.words, " ")))
		}
	}
	for _, f := range flags {
		b.WriteString(head)
		for _, n := range f.Names {
			switch name := strings.TrimLeft(n, "-"); {
			case strings.HasPrefix(n, "--"):
				b.WriteString(" -l " + name)
			case len(name) == 1:
				b.WriteString(" -s " + name)
			default:
				b.WriteString(" -o " + name)
			}
		}
		if f.Value != "" {
			b.WriteString(fishValue(f))
		}
		fmt.Fprintf(b, " -d %s\n", fishQuote(f.Brief()))
	}
}

func fishValue(f Flag) string {
	switch how, ending := f.completes(); how {
	case fromWords:
		return " -x -a " + fishQuote(strings.Join(f.Words, " "))
	case fromFiles:
		return " -r -F"
	case fromEndings:
		return " -x -a " + fishQuote("(__fish_complete_suffix "+ending+")")
	case fromDirs:
		return " -x -a '(__fish_complete_directories)'"
	}
	return " -x"
}

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
