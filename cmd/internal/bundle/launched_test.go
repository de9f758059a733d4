package bundle

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

func TestLaunched(t *testing.T) {
	me := strconv.Itoa(os.Getpid())
	for _, test := range []struct{ value, want string }{
		{"", ""},
		{me, ""},
		{me + ":", ""},
		{me + ":/a b/x:y\n", "/a b/x:y\n"},
		{me + "0:/x", ""},
		{":/x", ""},
		{"/x", ""},
	} {
		t.Setenv(variable, test.value)
		if diff := cmp.Diff(test.want, launched()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.value, diff)
		}
		if _, ok := os.LookupEnv(variable); ok {
			t.Errorf("%q: children inherit it", test.value)
		}
	}
}

// A program that a fat file started is what the fat file's name and contents say.
func TestMulticallLaunched(t *testing.T) {
	here(t, map[string]string{"zip": "", "cut": string(elf(4096)), ".args": "cut\ninside\n"})
	must(t, "cut", ".args")
	for _, test := range []struct{ variable, program, args, want string }{
		{"/wherever/whisperfile", "whisperfile", "a.wav", "whisper a.wav\n"},
		{"cut", "whisperfile", "a.wav", "cut a.wav\n"},
		{"fat", "whisperfile", "a.wav", "cut inside a.wav\n"},
		{"fat", "whisperfile", Probe, ""},
		{"", "main", Probe, ""},
	} {
		os.Remove("fat")
		if err := os.Link("cut", "fat"); err != nil {
			t.Fatal(err)
		}
		value := ""
		if test.variable != "" {
			value = strconv.Itoa(os.Getpid()) + ":" + test.variable
		}
		if strings.HasPrefix(test.variable, "/") {
			value = "1" + value // another process's
		}
		t.Setenv(variable, value)
		var out bytes.Buffer
		env := applet.Env{Program: test.program, Args: []string{test.args}, Stdout: &out, Stderr: &out, Getenv: os.Getenv}
		if code := Multicall(env, programs()); code != 0 || out.String() != test.want {
			t.Errorf("%+v: exit %d, %q", test, code, out.String())
		}
	}
}

// The programs of a fat file stay; what is behind them may go.
func TestZipalignBuilds(t *testing.T) {
	here(t, map[string]string{
		"fat": string(elf(4096)), "plain": string(elf(4096)), FirstBuild: "MZ", "bin/linux-amd64": "ELF", "bin/x": "new", "LICENSE": "free",
	})
	must(t, "plain", "bin/linux-amd64")
	must(t, "plain", "bin/linux-amd64")
	must(t, "fat", FirstBuild, "bin/linux-amd64", "LICENSE")
	for _, name := range []string{FirstBuild, "bin/linux-amd64"} {
		if code, said := zipalign("fat", name); code == 0 || !strings.Contains(said, "is a part of the program") {
			t.Errorf("%s is replaced: exit %d, %s", name, code, said)
		}
	}
	must(t, "fat", "LICENSE")
	must(t, "fat", "bin/x")
}
