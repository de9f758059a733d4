package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
)

// module is a module that is linked into some build.
type module struct {
	path, version, licence string
	files                  []file
}

// file is a file of a module that says under which terms it may be used.
type file struct{ name, text string }

// chosen are the licences of modules that offer a choice.
var chosen = map[string]string{
	"kernel.org/pub/linux/libs/security/libcap/psx": "BSD-3-Clause",
}

// legal are the names of files with terms.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|unlicense)([.-].*)?$`)

// pkg is what go list says of a package.
type pkg struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// list returns the modules of all builds of the programs, by path, after the standard library.
func list(root string) ([]module, error) {
	targets, err := os.ReadFile(filepath.Join(root, "scripts/platforms.txt"))
	if err != nil {
		return nil, err
	}
	versions := make(map[string]string)
	roots := make(map[string]string)
	dirs := make(map[string]map[string]bool) // by module
	for target := range strings.Lines(string(targets)) {
		for _, tags := range []string{"", "nogpu"} {
			pkgs, err := packages(root, strings.TrimSpace(target), tags)
			if err != nil {
				return nil, err
			}
			for _, p := range pkgs {
				m := p.Module
				if m == nil || m.Main {
					continue
				}
				if dirs[m.Path] == nil {
					versions[m.Path], roots[m.Path], dirs[m.Path] = m.Version, m.Dir, make(map[string]bool)
				}
				// Terms of a directory hold for those below it.
				for d := p.Dir; len(d) >= len(m.Dir); d = filepath.Dir(d) {
					dirs[m.Path][d] = true
				}
			}
		}
	}
	std, err := standard()
	if err != nil {
		return nil, err
	}
	all := []module{std}
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		m := module{path: path, version: versions[path], licence: chosen[path]}
		if err := m.read(roots[path], slices.Sorted(maps.Keys(dirs[path]))); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// packages returns the packages that the programs are linked from on a system.
func packages(root, target, tags string) ([]pkg, error) {
	goos, goarch, ok := strings.Cut(target, "/")
	if !ok {
		return nil, fmt.Errorf("%q is no system and processor", target)
	}
	mains, err := filepath.Glob(filepath.Join(root, "cmd/*/main.go"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "-tags", tags)
	for _, m := range mains {
		cmd.Args = append(cmd.Args, filepath.Dir(m))
	}
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w", target, err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, p)
	}
}

// standard is Go itself, whose version is the builder's affair.
func standard() (module, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return module{}, fmt.Errorf("go env GOROOT: %w", err)
	}
	m := module{path: provenance.StdModule}
	goroot := strings.TrimSpace(string(out))
	return m, m.read(goroot, []string{goroot})
}

// read takes the terms from directories of the module at root, and tells which licence they are unless that is known.
func (m *module) read(root string, dirs []string) error {
	var names []string
	for _, d := range dirs {
		entries, err := os.ReadDir(d)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() || !legal.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(d, e.Name()))
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, filepath.Join(d, e.Name()))
			if err != nil {
				return err
			}
			lower := strings.ToLower(e.Name())
			clean := strings.ReplaceAll(strings.TrimPrefix(string(text), "\ufeff"), "\r\n", "\n")
			m.files = append(m.files, file{filepath.ToSlash(rel), clean})
			if m.licence == "" && !strings.HasPrefix(lower, "notice") && !strings.HasPrefix(lower, "patents") {
				name, err := identify(clean)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", m.path, rel, err)
				}
				names = append(names, name)
			}
		}
	}
	if m.licence == "" {
		slices.Sort(names)
		m.licence = strings.Join(slices.Compact(names), " AND ")
	}
	if m.licence == "" {
		return fmt.Errorf("%s has no licence", m.path)
	}
	return nil
}

// identify returns the SPDX identifier of a text that is one licence.
func identify(text string) (string, error) {
	const enough = 75 // per cent of the words
	found := licensecheck.Scan([]byte(text))
	slices.SortFunc(found.Match, func(a, b licensecheck.Match) int { return cmp.Compare(b.End-b.Start, a.End-a.Start) })
	if found.Percent < enough || len(found.Match) == 0 {
		return "", fmt.Errorf("no licence that is known: %.0f %% of it are like one", found.Percent)
	}
	for _, m := range found.Match[1:] {
		if m.ID != found.Match[0].ID && !m.IsURL {
			return "", fmt.Errorf("it is %s and %s", found.Match[0].ID, m.ID)
		}
	}
	return found.Match[0].ID, nil
}
