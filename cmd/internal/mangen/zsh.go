package mangen

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Zsh returns a function that completes the command lines of app in zsh, for a file called _NAME in a directory of $fpath, or
// to be read by a shell where compinit has run.
func Zsh(app *cli.App) string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "#compdef %s\n# Completes %[1]s in zsh. %[1]s --generate zsh prints it.\n", app.Name)
	programs := Of(app).Programs
	for _, inner := range programs {
		zshFunction(b, inner.Name, Flags(inner), arguments(inner))
	}
	self := function(app.Name)
	if len(programs) > 0 {
		zshFunction(b, app.Name+"-alone", withFirst(app), arguments(programs[0]))
		zshChoice(b, app.Name, programs)
	} else {
		zshFunction(b, app.Name, Flags(app), arguments(app))
	}
	fmt.Fprintf(b, "if [[ $funcstack[1] == _%s ]]; then\n\t%s \"$@\"\nelse\n\tcompdef %[2]s %[1]s\nfi\n", app.Name, self)
	return b.String()
}

// zshChoice writes the function of a program of programs.
func zshChoice(b *strings.Builder, name string, programs []*cli.App) {
	var names, described []string
	for _, inner := range programs {
		names = append(names, inner.Name)
		described = append(described, zshQuote(inner.Name+":"+strings.ReplaceAll(inner.Usage, ":", `\:`)))
	}
	fmt.Fprintf(b, `%s() {
	case $words[2] in
	(%s)
		if (( CURRENT > 2 )); then
			shift words
			(( CURRENT-- ))
			"_${words[1]//-/_}"
			return
		fi
		;;
	esac
	local -a programs=(
		%s
	)
	if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
		_describe -t commands program programs
		_files
		return
	fi
	%[1]s_alone
}
`, function(name), strings.Join(names, "|"), strings.Join(described, "\n\t\t"))
}

// zshFunction writes the function of one program.
func zshFunction(b *strings.Builder, name string, flags []Flag, args []argument) {
	fmt.Fprintf(b, "%s() {\n\t_arguments -S", function(name))
	for _, f := range flags {
		for _, n := range f.Names {
			spec := "(" + strings.Join(f.Names, " ") + ")" + n
			if f.Repeats {
				spec = "*" + n
			}
			if f.Value != "" && strings.HasPrefix(n, "--") {
				spec += "="
			}
			spec += "[" + zshText(f.Brief(), `\[]`) + "]"
			if f.Value != "" {
				spec += ":" + zshText(f.Value, `\:`) + ":" + zshAction(f)
			}
			fmt.Fprintf(b, " \\\n\t\t%s", zshQuote(spec))
		}
	}
	for i, a := range args {
		action := "_files"
		if a.words != nil {
			action = "(" + strings.Join(a.words, " ") + ")"
		}
		place := fmt.Sprint(i + 1)
		if a.repeats {
			place = "*"
		}
		fmt.Fprintf(b, " \\\n\t\t%s", zshQuote(place+":"+zshText(a.name, `\:`)+":"+action))
	}
	b.WriteString("\n}\n")
}

func zshAction(f Flag) string {
	switch how, ending := f.completes(); how {
	case fromWords:
		return "(" + strings.Join(f.Words, " ") + ")"
	case fromFiles:
		return "_files"
	case fromEndings:
		return `_files -g "*` + ending + `"`
	case fromDirs:
		return "_files -/"
	}
	return " "
}

// zshText puts a backslash before every special character.
func zshText(s, special string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func zshQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
