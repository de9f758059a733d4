// Package sbom writes down what executables are made of, for others to read: a bill of materials in CycloneDX 1.6, and the files with the
// terms of it all. It reads executables of every system and starts none.
package sbom

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/provenance"
)

// Name is what the bill is called inside an executable and in an archive.
const Name = "sbom.cdx.json"

// Product is what a bill is about.
type Product struct {
	Version string               // "" is what the first of Builds has recorded
	Builds  []string             // paths of executables of ours, for any systems
	Sums    bool                 // names each of Builds with its SHA-256; without, they are one thing, for a bill that is put into it
	Weights []provenance.Weights // models that come beside those the builds have inside
}

// Entries returns the files that go into every executable of ours, in this order: LICENSE and NOTICE of the checkout at root, and the bill
// of p, which holds no time of day: the same builds give the same bytes.
func Entries(root string, p Product) ([]bundle.File, error) {
	var files []bundle.File
	for _, name := range []string{"LICENSE", "NOTICE"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, bundle.File{Name: name, Data: text})
	}
	bill, err := Bill(p)
	if err != nil {
		return nil, err
	}
	return append(files, bundle.File{Name: Name, Data: bill}), nil
}

// build is an executable and what the go command recorded in it.
type build struct {
	info *debug.BuildInfo
	file string
}

// Bill returns the bill of p as JSON. Modules are those linked in, with the hashes of go.sum in hexadecimal and the licences that NOTICE
// has in full; a module that NOTICE lacks is an error, as is a build of other people's.
func Bill(p Product) ([]byte, error) {
	var builds []build
	for _, file := range p.Builds {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if info.Main.Path != module {
			return nil, fmt.Errorf("%s is no build of %s", file, module)
		}
		builds = append(builds, build{info, file})
	}
	if len(builds) == 0 {
		return nil, errors.New("a bill of no builds")
	}
	return bill(p, builds)
}

func bill(p Product, builds []build) ([]byte, error) {
	if p.Version == "" {
		p.Version = provenance.BuildVersion(builds[0].info)
	}
	b := cdx.NewBOM()
	b.SpecVersion, b.JSONSchema = cdx.SpecVersion1_6, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	root, err := application(p, builds)
	if err != nil {
		return nil, err
	}
	b.Metadata = &cdx.Metadata{Timestamp: stamp(builds[0].info), Component: root, Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhaseBuild}}}
	components, err := libraries(builds)
	if err != nil {
		return nil, err
	}
	for _, m := range models(p, builds) {
		components = append(components, model(m))
	}
	b.Components = &components
	var refs []string
	dependencies := []cdx.Dependency{{Ref: root.BOMRef, Dependencies: &refs}}
	for _, c := range components {
		refs = append(refs, c.BOMRef)
		dependencies = append(dependencies, cdx.Dependency{Ref: c.BOMRef})
	}
	b.Dependencies = &dependencies
	if b.SerialNumber, err = serial(b); err != nil {
		return nil, err
	}
	return encode(b)
}

func encode(b *cdx.BOM) ([]byte, error) {
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(b, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

// serial is a UUID of version 8 (RFC 9562) made of the bill's SHA-256.
func serial(b *cdx.BOM) (string, error) {
	text, err := encode(b)
	if err != nil {
		return "", err
	}
	u := sha256.Sum256(text)
	u[6], u[8] = u[6]&0x0f|0x80, u[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16]), nil
}

// stamp is the moment of the commit, or what SOURCE_DATE_EPOCH says.
func stamp(info *debug.BuildInfo) string {
	if t, ok := provenance.SourceDate(os.Getenv); ok {
		return t.Format(time.RFC3339)
	}
	return provenance.Setting(info, "vcs.time")
}

const module = "github.com/whisperfile/whisperfile"

// application is what the bill is about, with the builds as its parts where they are named.
func application(p Product, builds []build) (*cdx.Component, error) {
	c := &cdx.Component{
		BOMRef: purl(module, p.Version), Type: cdx.ComponentTypeApplication, Name: "whisperfile", Version: p.Version,
		Description: "Speech to text with Whisper models", Licenses: licences("MIT"), PackageURL: purl(module, p.Version),
	}
	properties := []cdx.Property{{Name: "go", Value: builds[0].info.GoVersion}}
	if r := provenance.Setting(builds[0].info, "vcs.revision"); r != "" {
		properties = append(properties, cdx.Property{Name: "commit", Value: r})
	}
	var parts []cdx.Component
	for _, b := range builds {
		platform := provenance.Setting(b.info, "GOOS") + "/" + provenance.Setting(b.info, "GOARCH")
		if tags := provenance.Setting(b.info, "-tags"); tags != "" {
			platform += " " + tags
		}
		if !p.Sums {
			properties = append(properties, cdx.Property{Name: "build", Value: platform})
			continue
		}
		data, err := os.ReadFile(b.file)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		parts = append(parts, cdx.Component{
			BOMRef: "file:" + filepath.Base(b.file), Type: cdx.ComponentTypeFile, Name: filepath.Base(b.file), Version: p.Version,
			Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
			Properties: &[]cdx.Property{{Name: "build", Value: platform}},
		})
	}
	c.Properties = &properties
	if parts != nil {
		c.Components = &parts
	}
	return c, nil
}

// libraries are the modules of all builds, by path, and Go itself.
func libraries(builds []build) ([]cdx.Component, error) {
	modules := make(map[string]provenance.Module)
	for _, b := range builds {
		for _, m := range provenance.Modules(b.info) {
			modules[m.Path+"@"+m.Version] = m
		}
	}
	var all []cdx.Component
	for _, key := range slices.Sorted(maps.Keys(modules)) {
		m := modules[key]
		licence := provenance.Licence(m.Path)
		if licence == "" {
			return nil, fmt.Errorf("the licence of %s is not in NOTICE: make generate", key)
		}
		m.Version = strings.TrimPrefix(m.Version, "go")
		c := cdx.Component{
			BOMRef: purl(m.Path, m.Version), Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version,
			Scope: cdx.ScopeRequired, Licenses: licences(licence), PackageURL: purl(m.Path, m.Version),
		}
		if m.Sum != "" {
			sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
			if err != nil || len(sum) != sha256.Size {
				return nil, fmt.Errorf("%s has the hash %q", key, m.Sum)
			}
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
		}
		all = append(all, c)
	}
	return all, nil
}

// models are those of p and those that builds embed.
func models(p Product, builds []build) []provenance.Weights {
	all := slices.Clone(p.Weights)
	embeds := func(b build) bool {
		tags := strings.Split(provenance.Setting(b.info, "-tags"), ",")
		return path.Base(b.info.Path) == "whisperfile" && !slices.Contains(tags, "noweights")
	}
	if slices.ContainsFunc(builds, embeds) {
		all = append(all, provenance.TinyEn)
	}
	slices.SortFunc(all, func(a, b provenance.Weights) int { return strings.Compare(a.SHA256, b.SHA256) })
	return slices.CompactFunc(all, func(a, b provenance.Weights) bool { return a.SHA256 == b.SHA256 })
}

func model(m provenance.Weights) cdx.Component {
	c := cdx.Component{
		BOMRef: "model:" + m.SHA256, Type: cdx.ComponentTypeMachineLearningModel, Name: m.Name, Description: m.Origin(),
		Scope:  cdx.ScopeRequired,
		Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: m.SHA256}},
		ModelCard: &cdx.MLModelCard{ModelParameters: &cdx.MLModelParameters{
			Task: "automatic speech recognition", ArchitectureFamily: "transformer", ModelArchitecture: "Whisper",
		}},
		Properties: &[]cdx.Property{{Name: "bytes", Value: fmt.Sprint(m.Size)}},
	}
	if l := m.Licence(); l != "" {
		c.Licenses = licences(l)
	}
	return c
}

// licences is an SPDX expression as CycloneDX wants it: an identifier alone has a field of its own.
func licences(expression string) *cdx.Licenses {
	if strings.Contains(expression, " ") {
		return &cdx.Licenses{{Expression: expression}}
	}
	return &cdx.Licenses{{License: &cdx.License{ID: expression}}}
}

// purl is the package URL of a Go module (purl-spec, type golang); a + in a version is encoded.
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}
