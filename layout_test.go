// Package whisperfile_test holds the module to its own rules: who may import whom, where unsafe may stand, that words
// explain every package.
package whisperfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/whisperfile/whisperfile/"

// layers says what the packages under a path may import: paths of the module, and modules of others. The longest path
// that holds a package counts.
var layers = map[string]struct{ ours, others []string }{
	"audio": {
		ours:   []string{"audio"},
		others: []string{"github.com/hajimehoshi/go-mp3", "github.com/klauspost/cpuid/v2", "github.com/mewkiz/flac"},
	},
	"ggml":                           {ours: []string{"ggml/internal"}, others: []string{"golang.org/x/sys", "github.com/klauspost/cpuid/v2"}},
	"ggml/internal":                  {ours: []string{"ggml/internal"}, others: []string{"golang.org/x/sys", "github.com/klauspost/cpuid/v2"}},
	"gpu":                            {ours: []string{"gpu", "ggml"}, others: []string{"golang.org/x/sys"}},
	"gpu/internal/dl":                {others: []string{"github.com/ebitengine/purego", "golang.org/x/sys"}},
	"model":                          {ours: []string{"model", "ggml", "audio"}},
	"scripts":                        {ours: []string{"audio"}},
	"cmd":                            {ours: []string{"cmd/internal"}},
	"cmd/whisperfile":                {ours: []string{"cmd/internal", "model/tinyen"}},
	"cmd/internal/provenance/notice": {ours: []string{"cmd/internal"}, others: []string{"github.com/google/licensecheck"}},
	"cmd/internal/provenance/sbom":   {ours: []string{"cmd/internal"}, others: []string{"github.com/CycloneDX/cyclonedx-go"}},
	"cmd/internal/sandbox": {
		ours:   []string{"cmd/internal/sandbox"},
		others: []string{"github.com/landlock-lsm/go-landlock", "github.com/urfave/cli/v2", "golang.org/x/sys"},
	},
	"cmd/internal": {
		ours: []string{"cmd/internal", "model", "ggml", "audio", "gpu"},
		others: []string{
			"github.com/urfave/cli/v2", "github.com/schollz/progressbar/v3", "golang.org/x/sys", "golang.org/x/term",
		},
	},
}

// tinyen is 32 MB of weights, which belong into one program only.
const tinyen, tinyenUser = "model/tinyen", "cmd/whisperfile"

type pkg struct {
	ImportPath string
	Name       string
	Doc        string
	GoFiles    []string
	Imports    []string
	Module     *struct{ Main bool }
}

// list returns the packages of the module as they are built for a system, dependencies left out.
func list(t *testing.T, target string) []pkg {
	t.Helper()
	goos, goarch, _ := strings.Cut(target, "/")
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Name,Doc,GoFiles,Imports,Module", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", target, err, stderr.Bytes())
	}
	var ours []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return ours
		case err != nil:
			t.Fatal(err)
		case p.Module != nil && p.Module.Main && len(p.GoFiles) > 0:
			ours = append(ours, p)
		}
	}
}

// within reports whether the path is one of roots or below one.
func within(p string, roots []string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return p == r || strings.HasPrefix(p, r+"/") })
}

func TestLayers(t *testing.T) {
	for _, target := range []string{"linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64", "freebsd/amd64", "openbsd/amd64"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			for _, p := range list(t, target) {
				from := strings.TrimPrefix(p.ImportPath, module)
				layer := from
				for layers[layer].ours == nil && layers[layer].others == nil {
					if layer = path.Dir(layer); layer == "." {
						t.Fatalf("%s lies in no layer", from)
					}
				}
				for _, imp := range p.Imports {
					to, ours := strings.CutPrefix(imp, module)
					switch std := !strings.Contains(strings.Split(imp, "/")[0], "."); {
					case std:
					case to == tinyen:
						if from != tinyenUser {
							t.Errorf("%s imports %s, which is for %s alone", from, tinyen, tinyenUser)
						}
					case ours && !within(to, layers[layer].ours), !ours && !within(imp, layers[layer].others):
						t.Errorf("%s imports %s; %s may import %q and %q", from, imp, layer, layers[layer].ours, layers[layer].others)
					}
				}
			}
		})
	}
}

func TestPackageDocs(t *testing.T) {
	for _, p := range list(t, "linux/amd64") {
		want := []string{"Package " + p.Name + " "}
		if name := path.Base(p.ImportPath); p.Name == "main" {
			want = []string{"Command " + name + " ", strings.ToUpper(name[:1]) + name[1:] + " "}
		}
		if !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(p.Doc, w) }) {
			t.Errorf("%s: the package comment begins with %q, not with one of %q", p.ImportPath, p.Doc, want)
		}
	}
}

// files calls f for every file of the checkout that could be committed.
func files(t *testing.T, f func(name string)) {
	t.Helper()
	skip := []string{".git", ".cache", "bin", "dist", "models"}
	err := filepath.WalkDir(".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && slices.Contains(skip, name) {
			return filepath.SkipDir
		}
		if err == nil && e.Type().IsRegular() {
			f(filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnsafe reads every Go file, those for other systems and of tests too.
func TestUnsafe(t *testing.T) {
	allowed := []string{"ggml/internal/view", "ggml/internal/mmap", "ggml/internal/kernel", "gpu/internal/dl"}
	files(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || slices.Contains(allowed, path.Dir(name)) {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			return
		}
		if slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"unsafe"` }) {
			t.Errorf("%s imports unsafe, which is for %q", name, allowed)
		}
	})
}

// TestMains keeps programs thin: what they do is tested below cmd/internal.
func TestMains(t *testing.T) {
	mains, err := filepath.Glob("cmd/*/main.go")
	if err != nil || len(mains) == 0 {
		t.Fatal("no programs", err)
	}
	for _, name := range mains {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := bytes.Cut(b, []byte("\npackage main\n"))
		if n := bytes.Count(body, []byte("\n")); n > 15 {
			t.Errorf("%s has %d lines below its package clause, more than 15", name, n)
		}
	}
}

// TestLinks follows the relative links of the documents.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`(?:\]\(|src=")([^)#"\s]+)`)
	files(t, func(name string) {
		if !strings.HasSuffix(name, ".md") {
			return
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(b, -1) {
			to := string(m[1])
			if strings.Contains(to, ":") {
				continue
			}
			if _, err := os.Stat(filepath.Join(path.Dir(name), to)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, to)
			}
		}
	})
}

// TestRegistries makes sure that modules and packages are named, and never the machines that serve them: which those are
// is the business of whoever builds.
func TestRegistries(t *testing.T) {
	org := ".org"
	hosts := []string{"proxy.golang" + org, "sum.golang" + org, "pypi" + org, "pythonhosted" + org, "registry.npmjs" + org}
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	configured := strings.FieldsFunc(string(out), func(r rune) bool { return strings.ContainsRune(",|\n", r) })
	for _, s := range append(configured, os.Getenv("PIP_INDEX_URL"), os.Getenv("npm_config_registry")) {
		if u, err := url.Parse(s); err == nil && u.Hostname() != "" {
			hosts = append(hosts, u.Hostname())
		}
	}
	files(t, func(name string) {
		if name == "go.sum" {
			return
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hosts {
			if bytes.Contains(b, []byte(h)) {
				t.Errorf("%s names the registry %s", name, h)
			}
		}
	})
}
