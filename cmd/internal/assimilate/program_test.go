package assimilate

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	"github.com/whisperfile/whisperfile/cmd/internal/fat"
)

// hello is a build of testdata/hello, and what it needs.
type hello struct{ name, flags string }

var hellos = []hello{
	{"linux-amd64", ""},
	{"linux-amd64-gpu", "-tags=gpu"},
	{"linux-arm64", ""},
	{"linux-arm64-gpu", "-tags=gpu -ldflags=-T=0x411000"}, // above what is mapped below it
	{"darwin-amd64", ""},
	{"darwin-arm64", ""},
	{"freebsd-amd64", ""},
	{"freebsd-arm64", ""},
	{"netbsd-amd64", ""},
	{"openbsd-amd64", ""},
	{"windows-amd64.exe", "-ldflags=-s"},
}

// weights stand in for a model.
var weights = bytes.Repeat([]byte("lmgg weights\n"), 1000)

// build makes testdata/hello in directory out for these names.
func build(t *testing.T, out string, names ...string) {
	t.Helper()
	goTool := tool(t, "go")
	for _, name := range names {
		i := slices.IndexFunc(hellos, func(h hello) bool { return h.name == name })
		goos, arch, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(name, withGPU), ".exe"), "-")
		args := append([]string{"build", "-trimpath"}, strings.Fields(hellos[i].flags)...)
		c := exec.CommandContext(t.Context(), goTool, append(args, "-o", filepath.Join(out, name), "./testdata/hello")...)
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+goos, "GOARCH="+arch)
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("go %q: %v\n%s", args, err, said)
		}
	}
}

// fattenHellos makes "fat" of builds of testdata/hello for these names.
func fattenHellos(t *testing.T, only ...string) {
	t.Helper()
	out := t.TempDir()
	build(t, out, only...)
	names, inside := []string{bundle.FirstBuild}, map[string][]byte{bundle.FirstBuild: []byte("sections"), "base.bin": weights, ".args": []byte("-nt\n")}
	for _, name := range only {
		names, inside[bundle.Builds+name] = append(names, bundle.Builds+name), read(t, filepath.Join(out, name))
	}
	fatten(t, append(names, "base.bin", ".args"), inside)
}

// TestStarts turns a file into programs that this machine starts.
func TestStarts(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("for Linux")
	}
	native := "linux-" + runtime.GOARCH
	fattenHellos(t, native, native+withGPU)
	before := read(t, "fat")
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "static"},
		{[]string{"--gpu"}, "dynamic"},
		{[]string{"--platform", "linux/" + runtime.GOARCH}, "static"},
	} {
		if err := os.WriteFile("fat", before, 0o755); err != nil {
			t.Fatal(err)
		}
		must(t, append(test.args, "-o", "program", "fat")...)
		if !bytes.Equal(before, read(t, "fat")) {
			t.Fatalf("%q: -o changed FILE", test.args)
		}
		must(t, append([]string{"fat"}, test.args...)...)
		if !bytes.Equal(read(t, "program"), read(t, "fat")) {
			t.Errorf("%q: OUT is not what FILE becomes", test.args)
		}
		want := fmt.Sprintln("linux", runtime.GOARCH, test.want, len(before))
		if got := run(t, "./program"); got != want {
			t.Errorf("%q: %q, want %q", test.args, got, want)
		}
		info, err := buildinfo.ReadFile("program")
		if err != nil || info.Main.Path != "github.com/whisperfile/whisperfile" {
			t.Errorf("%q: %v, %v", test.args, info, err)
		}
		for _, c := range []string{"unzip -tqq program", "zipinfo program", "bsdtar -tf program", "7z t -tzip program", "python3 -m zipfile -t program"} {
			t.Run(c, func(t *testing.T) {
				words := strings.Fields(c)
				run(t, tool(t, words[0]), words[1:]...)
			})
		}
	}
}

// TestEmulated starts programs for the other processor.
func TestEmulated(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("for Linux on amd64")
	}
	qemu := tool(t, "qemu-aarch64")
	fattenHellos(t, "linux-arm64", "linux-arm64-gpu")
	must(t, "--platform", "linux/arm64", "-o", "static", "fat")
	size := len(read(t, "fat"))
	if got, want := run(t, qemu, "static"), fmt.Sprintln("linux arm64 static", size); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	must(t, "--gpu", "--platform", "linux/arm64", "-o", "dynamic", "fat")
	t.Run("gpu", func(t *testing.T) {
		const glibc = "/usr/aarch64-linux-gnu" // Debian's libc6-arm64-cross
		if _, err := os.Stat(glibc); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		if got, want := run(t, qemu, "-L", glibc, "dynamic"), fmt.Sprintln("linux arm64 dynamic", size); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestPlatforms turns a file from one system's into another's and reads what each system would.
func TestPlatforms(t *testing.T) {
	if testing.Short() {
		t.Skip("builds for every system")
	}
	out := t.TempDir()
	for _, h := range hellos {
		build(t, out, h.name)
	}
	t.Chdir(t.TempDir())
	files := []bundle.File{{Name: "base.bin", Data: weights}, {Name: ".args", Data: []byte("-nt\n")}}
	if err := fat.Write(t.Context(), "fat", out, files); err != nil {
		t.Fatal(err)
	}
	before := read(t, "fat")
	for _, h := range hellos {
		if strings.HasPrefix(h.name, windows) {
			continue // it is the file as it is
		}
		name := strings.TrimSuffix(h.name, withGPU)
		args := []string{"fat", "--platform", strings.Replace(name, "-", "/", 1)}
		if name != h.name {
			args = append(args, "--gpu")
		}
		must(t, args...)
		after := read(t, "fat")
		untouched(t, h.name, before, after)
		if said := must(t, args...); !strings.Contains(said, "fat is for "+strings.Replace(name, "-", "/", 1)) || !strings.HasSuffix(said, " already\n") {
			t.Errorf("%s, again: %q", h.name, said)
		}
		info, err := buildinfo.Read(bytes.NewReader(after))
		if err != nil || info.GoVersion != runtime.Version() {
			t.Errorf("%s: %v, %v", h.name, info, err)
		}
		slice := read(t, filepath.Join(out, h.name))
		at := int64(bytes.Index(after, slice))
		if strings.HasPrefix(h.name, darwin) {
			sameMachO(t, h.name, after, slice)
			continue
		}
		sameELF(t, h.name, after, slice, at)
	}
	must(t, "fat", "--platform", darwin)
	f, err := macho.NewFatFile(bytes.NewReader(read(t, "fat")))
	if err != nil || len(f.Arches) != 2 {
		t.Errorf("darwin: %v, %v", f, err)
	}
	for _, undo := range [][]string{{"--undo"}, {"--platform", "windows/amd64"}, {"--platform", "windows"}} {
		must(t, "fat", "--platform", "linux/amd64")
		must(t, append([]string{"fat"}, undo...)...)
		if !bytes.Equal(before, read(t, "fat")) {
			t.Errorf("%q is not undone", undo)
		}
	}
}

// untouched compares all but the headers and where they are kept.
func untouched(t *testing.T, name string, before, after []byte) {
	t.Helper()
	before, after = bytes.Clone(before), bytes.Clone(after)
	for _, b := range [][]byte{before, after} {
		clear(b[:lenHead])
		clear(b[keptAt : keptAt+lenKept])
	}
	if !bytes.Equal(before, after) {
		t.Errorf("%s: more than headers changed", name)
	}
}

// sameELF checks that the segments of a file have the contents and addresses of those of the program inside it, and what else systems want.
func sameELF(t *testing.T, name string, file, program []byte, at int64) {
	t.Helper()
	got, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	want, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if got.Entry != want.Entry || got.OSABI != want.OSABI || got.Machine != want.Machine || got.Type != want.Type {
		t.Errorf("%s: %+v", name, got.FileHeader)
	}
	progs := got.Progs
	dynamic := strings.HasSuffix(name, withGPU)
	if dynamic {
		progs = checkTable(t, name, progs)
	}
	if len(progs) != len(want.Progs) {
		t.Fatalf("%s: %d segments, want %d", name, len(progs), len(want.Progs))
	}
	for i, p := range progs {
		w := want.Progs[i].ProgHeader
		if w.Filesz > 0 {
			w.Off += uint64(at)
		}
		if p.ProgHeader != w && (!dynamic || p.Type != elf.PT_PHDR) {
			t.Errorf("%s: %+v, want %+v", name, p.ProgHeader, w)
		}
		if p.Type == elf.PT_LOAD && p.Off%p.Align != p.Vaddr%p.Align {
			t.Errorf("%s: %+v cannot be mapped", name, p.ProgHeader)
		}
		one, errOne := io.ReadAll(p.Open())
		two, errTwo := io.ReadAll(want.Progs[i].Open())
		if (errOne != nil || errTwo != nil || !bytes.Equal(one, two)) && (!dynamic || p.Type != elf.PT_PHDR) {
			t.Errorf("%s: the contents of %+v differ", name, p.ProgHeader)
		}
	}
	if !strings.HasPrefix(name, "netbsd") {
		if len(got.Sections) > 0 {
			t.Errorf("%s: %d sections", name, len(got.Sections))
		}
		return
	}
	s := got.Section(".note.netbsd.ident")
	if s == nil || s.Type != elf.SHT_NOTE {
		t.Fatalf("%s: no note", name)
	}
	// The note's name, type and version are those of sys/exec_elf.h.
	if note, err := s.Data(); err != nil || !bytes.HasPrefix(note, []byte("\x07\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00NetBSD\x00")) {
		t.Errorf("%s: note %q, %v", name, note, err)
	}
}

// checkTable checks that the dynamic linker finds the table of segments in memory, and returns the others.
func checkTable(t *testing.T, name string, progs []*elf.Prog) []*elf.Prog {
	t.Helper()
	table := progs[0]
	for i, p := range progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if table.Type != elf.PT_PHDR || table.Off != lenHeader || table.Vaddr-p.Vaddr != lenHeader-p.Off || p.Off != 0 || p.Filesz < lenHeader+table.Filesz ||
			p.Flags != elf.PF_R || p.Vaddr < lowestPage || p.Vaddr+p.Memsz > progs[i+1].Vaddr || table.Filesz != uint64(len(progs)*lenSegment) {
			t.Errorf("%s: the table %+v is not in memory by %+v", name, table.ProgHeader, p.ProgHeader)
		}
		return append(progs[:i:i], progs[i+1:]...)
	}
	t.Fatalf("%s maps nothing", name)
	return nil
}

// sameMachO checks that a file holds the program and nothing else, and that the program's signature, if it has one, is right.
func sameMachO(t *testing.T, name string, file, program []byte) {
	t.Helper()
	f, err := macho.NewFatFile(bytes.NewReader(file))
	if err != nil || len(f.Arches) != 1 {
		t.Fatalf("%s: %v, %v", name, f, err)
	}
	a := f.Arches[0]
	got := file[a.Offset : a.Offset+a.Size]
	if !bytes.Equal(got, program) || a.Offset%(1<<a.Align) != 0 {
		t.Errorf("%s: %+v is not the program", name, a.FatArchHeader)
	}
	const codeSignature = 0x1d
	signed := false
	for _, l := range a.Loads {
		raw := l.Raw()
		if le.Uint32(raw) == codeSignature {
			at, n := le.Uint32(raw[8:]), le.Uint32(raw[12:])
			checkSignature(t, name, got, got[at:at+n])
			signed = true
		}
	}
	if signed != (name == "darwin-arm64") {
		t.Errorf("%s: signed: %v", name, signed)
	}
}

// checkSignature compares the hashes of pages in the code directory, whose layout is that of xnu's cs_blobs.h.
func checkSignature(t *testing.T, name string, program, signature []byte) {
	t.Helper()
	be := binary.BigEndian
	d := signature[be.Uint32(signature[16:]):] // the first of the index
	if be.Uint32(signature) != 0xfade0cc0 || be.Uint32(d) != 0xfade0c02 {
		t.Fatalf("%s: no code directory", name)
	}
	hashes, n, end, length, page := d[be.Uint32(d[16:]):], int(be.Uint32(d[28:])), int(be.Uint32(d[32:])), int(d[36]), 1<<d[39]
	if n != (end+page-1)/page || n == 0 || length != sha256.Size {
		t.Fatalf("%s: %d hashes of %d bytes", name, n, end)
	}
	for i := range n {
		if got := sha256.Sum256(program[i*page : min((i+1)*page, end)]); !bytes.Equal(got[:], hashes[i*length:(i+1)*length]) {
			t.Fatalf("%s: the hash of page %d is wrong", name, i)
		}
	}
}
