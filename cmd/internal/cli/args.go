package cli

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// Normalise rewrites a command line into the one form that package flag understands whatever stands in it: every flag as
// --name or --name=value under its first name, and behind "--" the arguments that are none.
//
//   - A flag may be written with one dash or two, under any of its names, before or behind files: -otxt, --otxt,
//     --output-txt.
//   - A flag that takes a value takes the next argument, whatever that looks like: --prompt -x. --name=value does as
//     well. A switch takes a value only as --name=value, which must be a boolean.
//   - Switches of one letter may share a dash where no flag is called so: -jv.
//   - "-" and whatever stands behind "--" are no flags. Where the program has a flag called "file", arguments that are
//     no flags become values of it, so that -f and bare names keep their order.
//
// Errors name the argument at fault and are the user's.
func Normalise(args []string, flags []cli.Flag) ([]string, error) {
	byName := make(map[string]cli.DocGenerationFlag)
	for _, f := range flags {
		for _, name := range f.Names() {
			byName[name] = f.(cli.DocGenerationFlag)
		}
	}
	_, files := byName["file"]
	var out, rest []string
	plain := func(arg string) {
		if files {
			out = append(out, "--file="+arg)
		} else {
			rest = append(rest, arg)
		}
	}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			for _, a := range args[i+1:] {
				plain(a)
			}
			break
		}
		if arg == "-" || !strings.HasPrefix(arg, "-") {
			plain(arg)
			continue
		}
		given, value, hasValue := strings.Cut(arg, "=")
		f, ok := byName[strings.TrimPrefix(strings.TrimPrefix(given, "-"), "-")]
		if !ok {
			names := switches(arg, byName)
			if names == nil {
				return nil, fmt.Errorf("unknown flag: %s", given)
			}
			out = append(out, names...)
			continue
		}
		name := "--" + f.Names()[0]
		switch {
		case !f.TakesValue():
			if hasValue {
				on, err := strconv.ParseBool(value)
				if err != nil {
					return nil, fmt.Errorf("%s is a switch and takes no value: %q", given, value)
				}
				name += "=" + strconv.FormatBool(on)
			}
			out = append(out, name)
		case hasValue:
			out = append(out, name+"="+value)
		case i+1 == len(args):
			return nil, fmt.Errorf("%s needs a value", given)
		default:
			i++
			out = append(out, name+"="+args[i])
		}
	}
	return append(append(out, "--"), rest...), nil
}

// switches returns the names of the switches that a word like -jv stands for, or nil if it is none.
func switches(word string, byName map[string]cli.DocGenerationFlag) (names []string) {
	for _, letter := range word[1:] {
		f, ok := byName[string(letter)]
		if !ok || f.TakesValue() {
			return nil
		}
		names = append(names, "--"+f.Names()[0])
	}
	return names
}

// Respond replaces a command line of the single argument @FILE by the lines of FILE, an argument each, as they stand.
func Respond(args []string) ([]string, error) {
	if len(args) != 1 || !strings.HasPrefix(args[0], "@") {
		return args, nil
	}
	name := args[0][1:]
	const limit = 1 << 20
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("response file: %w", err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("response file %s is larger than %d bytes", name, limit)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("response file: %w", err)
	}
	text := strings.TrimSuffix(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}
