package sbom

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
)

var update = flag.Bool("update", false, "write the golden bill anew")

// builtAs is a build with what the go command recorded in it, as go version -m prints it.
func builtAs(t *testing.T, program, settings string) build {
	t.Helper()
	info, err := debug.ParseBuildInfo("path\t" + module + "/cmd/" + program + "\nmod\t" + module + "\tv1.2.3+dirty\n" + settings)
	if err != nil {
		t.Fatal(err)
	}
	info.GoVersion = "go1.26.8"
	return build{info, ""}
}

const (
	linux = "dep\tgithub.com/urfave/cli/v2\tv2.27.7\th1:bH59vdhbjLv3LAvIu6gd0usJHgoTTPhCFib8qqOwXYU=\n" +
		"dep\tkernel.org/pub/linux/libs/security/libcap/psx\tv1.2.77\th1:bH59vdhbjLv3LAvIu6gd0usJHgoTTPhCFib8qqOwXYU=\n" +
		"build\tGOOS=linux\nbuild\tGOARCH=amd64\nbuild\t-tags=nogpu\nbuild\tvcs.revision=0123\nbuild\tvcs.time=2026-11-24T15:41:43Z\n"
	darwin = "dep\tgithub.com/urfave/cli/v2\tv2.27.7\th1:bH59vdhbjLv3LAvIu6gd0usJHgoTTPhCFib8qqOwXYU=\n" +
		"dep\tgithub.com/ebitengine/purego\tv0.11.3\th1:cpyOwQkr2Nzxe2p6KnrTG7Ei2wtzjsuSjhpXXepZ/BM=\n" +
		"build\tGOOS=darwin\nbuild\tGOARCH=arm64\nbuild\t-tags=nogpu,noweights\n"
)

// TestBill makes the bill of a file with two builds, one of which has weights, and weights beside them.
func TestBill(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	product := Product{Weights: []provenance.Weights{{Name: "other.bin", Size: 7, SHA256: strings.Repeat("0f", 32)}, provenance.TinyEn}}
	builds := []build{builtAs(t, "whisperfile", linux), builtAs(t, "whisperfile", darwin)}
	got, err := bill(product, builds)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "two.cdx.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	// Everything is referred to by a name of its own, and what is referred to is there.
	var b cdx.BOM
	if err := json.Unmarshal(got, &b); err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{b.Metadata.Component.BOMRef: true}
	for _, c := range *b.Components {
		if c.BOMRef == "" || refs[c.BOMRef] {
			t.Errorf("the reference %q is there twice", c.BOMRef)
		}
		refs[c.BOMRef] = true
	}
	for _, d := range *b.Dependencies {
		if !refs[d.Ref] {
			t.Errorf("nothing is called %q", d.Ref)
		}
	}
}

func TestBillModels(t *testing.T) {
	for _, test := range []struct {
		program, settings string
		want              int
	}{
		{"whisperfile", linux, 1},
		{"whisperfile", darwin, 0},
		{"whisper", linux, 0},
	} {
		if got := models(Product{}, []build{builtAs(t, test.program, test.settings)}); len(got) != test.want {
			t.Errorf("%s of %q: %d models", test.program, test.settings, len(got))
		}
	}
}

func TestBillTime(t *testing.T) {
	for epoch, want := range map[string]string{"": "2026-11-24T15:41:43Z", "1700000000": "2023-11-14T22:13:20Z"} {
		t.Setenv("SOURCE_DATE_EPOCH", epoch)
		if got := stamp(builtAs(t, "whisper", linux).info); got != want {
			t.Errorf("SOURCE_DATE_EPOCH=%s: %s", epoch, got)
		}
	}
}

// TestBillRefuses asks for bills that would not be whole.
func TestBillRefuses(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		builds []string
		want   string
	}{
		{nil, "a bill of no builds"},
		{[]string{text}, text + ": "},
		{[]string{text + ".none"}, "text.none"},
	} {
		if _, err := Bill(Product{Builds: test.builds, Sums: true}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.builds, err)
		}
	}
	for settings, want := range map[string]string{
		"dep\tgithub.com/urfave/cli/v2\tv2.27.7\th1:short\n": "has the hash",
		"dep\texample.com/new\tv0.1.0\th1:\n":                "is not in NOTICE: make generate",
	} {
		if _, err := bill(Product{}, []build{builtAs(t, "whisper", settings)}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", settings, err)
		}
	}
}

// TestBillSums makes the bill of the test itself.
func TestBillSums(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Bill(Product{Version: "1.2.3", Builds: []string{self}, Sums: true})
	if err != nil {
		t.Fatal(err)
	}
	var b cdx.BOM
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	parts := *b.Metadata.Component.Components
	if b.Metadata.Component.Version != "1.2.3" || len(parts) != 1 || parts[0].Name != filepath.Base(self) ||
		(*parts[0].Hashes)[0].Value != provenance.Sum("", data).SHA256 {
		t.Errorf("%+v", parts)
	}
}

func TestEntries(t *testing.T) {
	if _, err := Entries(t.TempDir(), Product{}); err == nil {
		t.Error("LICENSE is missed by nobody")
	}
	if _, err := Entries("../../../..", Product{}); err == nil || err.Error() != "a bill of no builds" {
		t.Error(err)
	}
}
