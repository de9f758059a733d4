package mangen_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

// hear is a program with every kind of flag and argument.
func hear() *cli.App {
	return &cli.App{
		Name:      "hear-it",
		Usage:     "write what's said",
		ArgsUsage: "IN OUT TYPE",
		Description: "IN is heard with --model; \"-\" is standard input. .5 of it takes -t threads \\ and a ~ and ^ and `.\n" +
			".args begins the second paragraph… and -1 is no flag, é no letter of ASCII.",
		Metadata: mangen.Manual{
			Words:    map[string][]string{"TYPE": {"q5_0", "q5_1", "f16"}},
			Examples: []mangen.Item{{Term: "hear-it 'a b' -", Text: "Hear a file"}},
			Exit:     []mangen.Item{{Term: "0", Text: "all done"}},
			SeeAlso:  []string{"see-it", "feel-it"},
		}.Metadata(),
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "file", Aliases: []string{"f"}, Usage: "hear `FILE`; may repeat", Category: "Input"},
			&cli.StringFlag{Name: "model", Aliases: []string{"m"}, Usage: "with the model in `FILE` [or: elsewhere]", Category: "Input"},
			mangen.OneOf(&cli.StringFlag{Name: "gpu", Usage: "compute on `NAME`", Value: "auto"}, "auto", "nvidia", "amd"),
			&cli.IntFlag{Name: "threads", Aliases: []string{"t"}, Usage: "with `N` threads", Value: 4},
			&cli.BoolFlag{Name: "output-txt", Aliases: []string{"otxt"}, Usage: "write it's text"},
			&cli.StringFlag{Name: "render", Usage: "write what `FILE.json` holds"},
			&cli.StringFlag{Name: "public", Usage: "serve `DIR`"},
			&cli.StringFlag{Name: "bare", Usage: "a value without name"},
			&cli.BoolFlag{Name: "0", Usage: "nothing"},
			&cli.BoolFlag{Name: "hidden", Hidden: true},
		},
	}
}

// see is a program without arguments.
func see() *cli.App {
	return &cli.App{Name: "see-it", Usage: "see: what is shown", Flags: []cli.Flag{
		mangen.OneOf(&cli.StringFlag{Name: "colour", Aliases: []string{"c"}, Usage: "in `COLOUR`"}, "red", "green"),
	}}
}

// all is a program of both.
func all() *cli.App {
	return &cli.App{
		Name: "all-of-it", Usage: "hear and see", ArgsUsage: "[PROGRAM] [ARGUMENT...]",
		Metadata: mangen.Manual{Programs: []*cli.App{hear(), see()}}.Metadata(),
		Flags:    []cli.Flag{&cli.BoolFlag{Name: "server", Usage: "serve"}},
	}
}

func TestFlags(t *testing.T) {
	want := []mangen.Flag{
		{Names: []string{"-f", "--file"}, Value: "FILE", Usage: "hear `FILE`; may repeat", Category: "Input", Repeats: true},
		{Names: []string{"-m", "--model"}, Value: "FILE", Usage: "with the model in `FILE` [or: elsewhere]", Category: "Input"},
		{Names: []string{"--gpu"}, Value: "NAME", Usage: "compute on `NAME`", Default: "auto", Category: "Other", Words: []string{"auto", "nvidia", "amd"}},
		{Names: []string{"-t", "--threads"}, Value: "N", Usage: "with `N` threads", Default: "4", Category: "Other"},
		{Names: []string{"-otxt", "--output-txt"}, Usage: "write it's text", Category: "Other"},
		{Names: []string{"--render"}, Value: "FILE.json", Usage: "write what `FILE.json` holds", Category: "Other"},
		{Names: []string{"--public"}, Value: "DIR", Usage: "serve `DIR`", Category: "Other"},
		{Names: []string{"--bare"}, Value: "VALUE", Usage: "a value without name", Category: "Other"},
		{Names: []string{"-0"}, Usage: "nothing", Category: "Other"},
	}
	got := mangen.Flags(hear())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Input", "Other"}, mangen.Categories(got)); diff != "" {
		t.Error(diff)
	}
	if got[0].Plain() != "hear FILE; may repeat" || got[0].Brief() != "hear FILE" {
		t.Errorf("%q, %q", got[0].Plain(), got[0].Brief())
	}
}

// TestOneOf runs a command whose flag has words: it is parsed as without.
func TestOneOf(t *testing.T) {
	app := see()
	got := ""
	app.Action = func(c *cli.Context) error {
		got = c.String("colour")
		if !c.IsSet("colour") {
			t.Error("the flag is not set")
		}
		return nil
	}
	if err := app.Run([]string{"see-it", "-c", "blue"}); err != nil || got != "blue" {
		t.Errorf("%q, %v", got, err)
	}
}

// need returns the path of a program that not every machine has.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// tokens splits a line at blanks; _ stands for an empty word.
func tokens(line string) []string {
	words := strings.Fields(line)
	for i, w := range words {
		if w == "_" {
			words[i] = ""
		}
	}
	return words
}
