package mangen

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// Bash returns a script that completes the command lines of app in bash from 3.2 on.
func Bash(app *cli.App) string {
	b := new(strings.Builder)
	fmt.Fprintf(b, "# Completes %s in bash. %[1]s --generate bash prints it.\n", app.Name)
	programs := Of(app).Programs
	for _, inner := range programs {
		bashFunction(b, inner.Name, Flags(inner), arguments(inner), nil)
	}
	if len(programs) > 0 {
		bashFunction(b, app.Name, withFirst(app), nil, programs)
	} else {
		bashFunction(b, app.Name, Flags(app), arguments(app), nil)
	}
	fmt.Fprintf(b, "complete -o bashdefault -o default -F %s %s\n", function(app.Name), app.Name)
	return b.String()
}

// withFirst returns the flags of a program of programs, and those of the one that is meant where none is named.
func withFirst(app *cli.App) []Flag {
	flags := Flags(app)
	known := make(map[string]bool)
	for _, f := range flags {
		known[f.Names[len(f.Names)-1]] = true
	}
	for _, f := range Flags(Of(app).Programs[0]) {
		if !known[f.Names[len(f.Names)-1]] {
			flags = append(flags, f)
		}
	}
	return flags
}

// function is what the function for a program is called.
func function(program string) string { return "_" + strings.ReplaceAll(program, "-", "_") }

// bashFunction writes the function for one program. Where it sets nothing, readline offers names of files.
func bashFunction(b *strings.Builder, name string, flags []Flag, args []argument, programs []*cli.App) {
	fmt.Fprintf(b, `%s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} head= words= path
`, function(name))
	var names []string
	if len(programs) > 0 {
		for _, inner := range programs {
			names = append(names, inner.Name)
		}
		fmt.Fprintf(b, `	if [[ $COMP_CWORD -gt 1 ]]; then
		case ${COMP_WORDS[1]} in
		%s)
			local COMP_WORDS=("${COMP_WORDS[@]:1}") COMP_CWORD=$((COMP_CWORD - 1))
			"_${COMP_WORDS[0]//-/_}"
			return
			;;
		esac
	fi
`, strings.Join(names, " | "))
	}
	// Bash splits --flag=value in three, unless COMP_WORDBREAKS was changed.
	b.WriteString(`	case $cur in
	=) cur= ;;
	-*=*) prev=${cur%%=*} head=${cur%%=*}= cur=${cur#*=} ;;
	*) [[ $prev == = && $COMP_CWORD -gt 2 ]] && prev=${COMP_WORDS[COMP_CWORD-2]} ;;
	esac
	case $prev in
`)
	var all, files, open []string
	var patterns []string // of flags with values
	for _, f := range flags {
		all = append(all, f.Names...)
		if f.Value == "" {
			continue
		}
		pattern := strings.Join(f.Names, " | ")
		patterns = append(patterns, pattern)
		switch how, ending := f.completes(); how {
		case fromWords:
			fmt.Fprintf(b, "\t%s) words='%s' ;;\n", pattern, strings.Join(f.Words, " "))
		case fromFiles:
			files = append(files, pattern)
		case fromEndings:
			fmt.Fprintf(b, `	%s)
		compopt -o filenames 2>/dev/null
		while IFS= read -r path; do COMPREPLY+=("$head$path"); done < <(compgen -f -X '!*%s' -- "$cur"; compgen -d -- "$cur")
		return
		;;
`, pattern, ending)
		case fromDirs:
			fmt.Fprintf(b, `	%s)
		compopt -o filenames 2>/dev/null
		while IFS= read -r path; do COMPREPLY+=("$head$path"); done < <(compgen -d -- "$cur")
		return
		;;
`, pattern)
		default:
			open = append(open, pattern)
		}
	}
	if len(files) > 0 {
		fmt.Fprintf(b, "\t%s) return ;;\n", strings.Join(files, " | "))
	}
	if len(open) > 0 {
		fmt.Fprintf(b, `	%s)
		compopt +o default +o bashdefault 2>/dev/null
		return
		;;
`, strings.Join(open, " | "))
	}
	b.WriteString("\t*)\n")
	fmt.Fprintf(b, "\t\tif [[ -z $head && $cur == -* ]]; then\n\t\t\twords='%s'\n", strings.Join(all, " "))
	switch {
	case len(programs) > 0:
		fmt.Fprintf(b, `		elif [[ $COMP_CWORD -eq 1 ]]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen -W '%s' -- "$cur"; compgen -f -- "$cur")
			return
`, strings.Join(names, " "))
	case hasWords(args):
		bashArguments(b, args, patterns)
	}
	b.WriteString(`		fi
		;;
	esac
	[[ -z $words ]] && return
	compopt +o default +o bashdefault 2>/dev/null
	COMPREPLY=($(compgen -P "$head" -W "$words" -- "$cur"))
}
`)
}

func hasWords(args []argument) bool {
	for _, a := range args {
		if a.words != nil {
			return true
		}
	}
	return false
}

// bashArguments writes what completes arguments by their place among those that are no flags.
func bashArguments(b *strings.Builder, args []argument, withValue []string) {
	b.WriteString(`		else
			local i n=0
			for ((i = 1; i < COMP_CWORD; i++)); do
				case ${COMP_WORDS[i]} in
`)
	if len(withValue) > 0 {
		fmt.Fprintf(b, `				%s)
					[[ ${COMP_WORDS[i+1]} == = ]] && i=$((i + 1))
					i=$((i + 1))
					;;
`, strings.Join(withValue, " | "))
	}
	b.WriteString("\t\t\t\t-?*) ;;\n\t\t\t\t*) n=$((n + 1)) ;;\n\t\t\t\tesac\n\t\t\tdone\n\t\t\tcase $n in\n")
	for i, a := range args {
		if a.words != nil {
			fmt.Fprintf(b, "\t\t\t%d) words='%s' ;;\n", i, strings.Join(a.words, " "))
		}
	}
	b.WriteString("\t\t\tesac\n")
}
