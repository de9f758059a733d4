package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
)

func hearing() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "file", Aliases: []string{"f"}},
		&cli.BoolFlag{Name: "output-txt", Aliases: []string{"otxt"}},
		&cli.BoolFlag{Name: "output-srt", Aliases: []string{"osrt"}},
		&cli.IntFlag{Name: "beam-size", Aliases: []string{"bs"}},
		&cli.StringFlag{Name: "prompt"},
	}
}

func TestNormalise(t *testing.T) {
	letters := []cli.Flag{
		&cli.BoolFlag{Name: "quick", Aliases: []string{"q"}}, &cli.BoolFlag{Name: "x"}, &cli.BoolFlag{Name: "1"}, &cli.IntFlag{Name: "t"},
	}
	cutting := []cli.Flag{&cli.IntFlag{Name: "threads", Aliases: []string{"t"}}}
	for _, test := range []struct {
		args  string // separated by blanks, _ for an empty argument
		flags []cli.Flag
		want  string
		err   string
	}{
		{args: "", want: "--"},
		{args: "-otxt -osrt -bs 5 a.wav", want: "--output-txt --output-srt --beam-size=5 --file=a.wav --"},
		{args: "a.wav b.wav -otxt", want: "--file=a.wav --file=b.wav --output-txt --"},
		{args: "a.wav -f b.wav c.wav", want: "--file=a.wav --file=b.wav --file=c.wav --"},
		{args: "--otxt --output-srt --bs 5", want: "--output-txt --output-srt --beam-size=5 --"},
		{args: "-beam-size=5", want: "--beam-size=5 --"},
		{args: "-", want: "--file=- --"},
		{args: "-f - -otxt", want: "--file=- --output-txt --"},
		{args: "--prompt -otxt -otxt", want: "--prompt=-otxt --output-txt --"},
		{args: "--prompt _", want: "--prompt= --"},
		{args: "--prompt a=b", want: "--prompt=a=b --"},
		{args: "--prompt --", want: "--prompt=-- --"},
		{args: "-bs -1", want: "--beam-size=-1 --"},
		{args: "-otxt=false", want: "--output-txt=false --"},
		{args: "-otxt=T", want: "--output-txt=true --"},
		{args: "_", want: "--file= --"},
		{args: "-otxt -- -osrt --", want: "--output-txt --file=-osrt --file=-- --"},
		{args: "a,b.wav", want: "--file=a,b.wav --"},
		{args: "@a b", want: "--file=@a --file=b --"},
		{args: "-otxt=5", err: `-otxt is a switch and takes no value: "5"`},
		{args: "-bs", err: "-bs needs a value"},
		{args: "--no-such-flag", err: "unknown flag: --no-such-flag"},
		{args: "--no-such=1", err: "unknown flag: --no-such"},
		{args: "---otxt", err: "unknown flag: ---otxt"},
		{args: "-otxtosrt", err: "unknown flag: -otxtosrt"},
		{args: "-qx -xq1", flags: letters, want: "--quick --x --x --quick --1 --"},
		{args: "-qt", flags: letters, err: "unknown flag: -qt"},
		{args: "-qz", flags: letters, err: "unknown flag: -qz"},
		{args: "--qx", flags: letters, err: "unknown flag: --qx"},
		{args: "-qx=true", flags: letters, err: "unknown flag: -qx"},
		{args: "in -t 2 out q5_0", flags: cutting, want: "--threads=2 -- in out q5_0"},
		{args: "in - -- -t", flags: cutting, want: "-- in - -t"},
	} {
		flags := test.flags
		if flags == nil {
			flags = hearing()
		}
		var args []string
		for _, a := range strings.Fields(test.args) {
			args = append(args, strings.TrimPrefix(a, "_"))
		}
		got, err := Normalise(args, flags)
		if test.err != "" {
			if err == nil || err.Error() != test.err {
				t.Errorf("%q: error %v, want %s", test.args, err, test.err)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%q: %q, %v, want %s", test.args, got, err, test.want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("-otxt\x00a.wav\x00--\x00-bs")
	f.Add("--prompt\x00-x\x00-bs=\x00=\x00-=\x00-")
	f.Fuzz(func(t *testing.T, joined string) {
		args := strings.Split(joined, "\x00")
		once, err := Normalise(args, hearing())
		if err != nil {
			return
		}
		twice, err := Normalise(once, hearing())
		if err != nil {
			t.Fatalf("%q became %q, which is refused: %v", args, once, err)
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Fatalf("%q: not a fixed point: %s", args, diff)
		}
	})
}

func TestRespond(t *testing.T) {
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "args")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + name
	}
	for _, test := range []struct {
		name       string
		args, want []string
	}{
		{"none", nil, nil},
		{"lines are arguments as they stand", []string{file("-f\n my file.wav \n\n--prompt\r\n\"x\"\n")}, []string{"-f", " my file.wav ", "", "--prompt", `"x"`}},
		{"no newline at the end", []string{file("-otxt")}, []string{"-otxt"}},
		{"an empty file", []string{file("")}, nil},
		{"beside other arguments @ is a name", []string{"@a", "b"}, []string{"@a", "b"}},
	} {
		got, err := Respond(test.args)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	for _, bad := range []string{"@" + filepath.Join(t.TempDir(), "none"), "@" + t.TempDir(), "@", file(strings.Repeat("x", 1<<20+1))} {
		if got, err := Respond([]string{bad}); err == nil {
			t.Errorf("%s: %d arguments and no error", bad, len(got))
		}
	}
}
