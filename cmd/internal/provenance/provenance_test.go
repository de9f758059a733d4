package provenance

import (
	"bytes"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
)

// recorded is what the go command records, as go version -m prints it without its first line.
const recorded = `path	github.com/whisperfile/whisperfile/cmd/whisper
mod	github.com/whisperfile/whisperfile	v1.2.3
dep	github.com/urfave/cli/v2	v2.27.7	h1:bH59vdhbjLv3LAvIu6gd0usJHgoTTPhCFib8qqOwXYU=
dep	golang.org/x/term	v0.1.0
=>	golang.org/x/term	v0.47.0	h1:cpyOwQkr2Nzxe2p6KnrTG7Ei2wtzjsuSjhpXXepZ/BM=
build	-tags=nogpu
build	GOAMD64=v3
build	vcs.revision=0123456789
build	vcs.time=2026-11-24T15:41:43Z
build	vcs.modified=true
`

func parse(t *testing.T, text string) *debug.BuildInfo {
	t.Helper()
	info, err := debug.ParseBuildInfo(text)
	if err != nil {
		t.Fatal(err)
	}
	info.GoVersion = "go1.26.8"
	return info
}

func TestBuild(t *testing.T) {
	for _, test := range []struct{ recorded, version, commit, target string }{
		{recorded, "v1.2.3", "0123456789 of 2026-11-24T15:41:43Z, with changes", ", GOAMD64=v3"},
		{"mod\tm\t(devel)\nbuild\tvcs.revision=42\n", devel, "42", ""},
		{"", devel, "not recorded", ""},
	} {
		info := parse(t, test.recorded)
		if got := BuildVersion(info); got != test.version {
			t.Errorf("version %q, want %q", got, test.version)
		}
		lines := make(map[string]string)
		for _, f := range facts(info, "v9") {
			lines[f[0]] = f[1]
		}
		if lines["commit"] != test.commit || lines["target"] != runtime.GOOS+"/"+runtime.GOARCH+test.target || lines["version"] != "v9" {
			t.Errorf("%q", lines)
		}
	}
	if BuildVersion(nil) != devel || Setting(nil, "-tags") != "" || Modules(nil) != nil {
		t.Error("a build without a record is more than that")
	}
}

func TestModules(t *testing.T) {
	want := []Module{
		{"github.com/urfave/cli/v2", "v2.27.7", "h1:bH59vdhbjLv3LAvIu6gd0usJHgoTTPhCFib8qqOwXYU="},
		{"golang.org/x/term", "v0.47.0", "h1:cpyOwQkr2Nzxe2p6KnrTG7Ei2wtzjsuSjhpXXepZ/BM="},
		{StdModule, "go1.26.8", ""},
	}
	got := Modules(parse(t, recorded))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, m := range got {
		if Licence(m.Path) == "" {
			t.Errorf("%s has no licence", m.Path)
		}
	}
	if Licence("example.com/other") != "" {
		t.Error("a module of nobody has a licence")
	}
}

func TestWrite(t *testing.T) {
	files := map[string]string{"a.bin": "lmgg1", "b.bin": "lmgg22"}
	env := applet.Env{
		Models: func() []string { return []string{"a.bin", "b.bin"} },
		Inside: func(name string) (string, []byte, error) {
			text, ok := files[name]
			if !ok {
				return "", nil, fs.ErrNotExist
			}
			return name, []byte(text), nil
		},
		Weights: func() (string, []byte) { return "c", []byte("lmgg") },
	}
	var out bytes.Buffer
	if err := Write(&out, "whisper", "v1", env); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"version  v1\n",
		"\nkernels  ",
		"\nsandbox  ",
		"\nweights of whisper:\n  a.bin, 5 bytes, in the zip\n    sha256 4538c8921ce497f470ea1caceb308a0ba309a758beee35875624f07435a47849\n  b.bin, 6 bytes, in the zip\n",
		"  c, 4 bytes, built in\n",
		"\nlicences:\n  whisperfile ",
		"BSD-3-Clause\nTheir texts are in NOTICE.\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := Write(&out, "whisper", "v1", applet.Env{}); err != nil || !strings.Contains(out.String(), "weights of whisper:\n  none inside\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
	delete(files, "b.bin")
	if err := Write(&out, "whisper", "v1", env); err == nil {
		t.Error("a model that cannot be read is no error")
	}
}

func TestTinyEn(t *testing.T) {
	data, err := os.ReadFile("../../../model/tinyen/ggml-tiny.en-q5_1.bin")
	if err != nil {
		t.Fatal(err)
	}
	m := Sum("tiny.en-q5_1", data)
	if m != TinyEn {
		t.Errorf("%+v, want %+v", m, TinyEn)
	}
	if m.Origin() == "" || m.Licence() != "MIT" {
		t.Error("nobody knows where the weights come from")
	}
	if other := Sum("tiny.en-q5_1", data[1:]); other.Origin() != "" || other.Licence() != "" {
		t.Error("other bytes have an origin")
	}
}

func TestSourceDate(t *testing.T) {
	for _, test := range []struct {
		value string
		want  time.Time
		ok    bool
	}{
		{"", time.Time{}, false},
		{"soon", time.Time{}, false},
		{"1.5", time.Time{}, false},
		{"0", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), true},
		{"1700000000", time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC), true},
	} {
		got, ok := SourceDate(func(name string) string {
			if name != "SOURCE_DATE_EPOCH" {
				t.Errorf("asked for %s", name)
			}
			return test.value
		})
		if !got.Equal(test.want) || ok != test.ok {
			t.Errorf("%q: %v %t", test.value, got, ok)
		}
	}
}
