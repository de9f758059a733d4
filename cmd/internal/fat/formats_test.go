package fat

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"debug/macho"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fatPath names the fat file that TestFormats holds against the formats of its systems; make check-fat sets it.
const fatPath = "FAT"

// lowest is the first address that Linux lets a program have (vm.mmap_min_addr).
const lowest = 0x10000

// formats says what the loader of each system wants to see.
var formats = map[string]struct {
	abi    elf.OSABI
	loader string // that the program asks for; "" is none
	note   string // who signs the note that names the system
	macho  macho.Cpu
	signed bool
}{
	"linux-amd64":     {},
	"linux-amd64-gpu": {loader: "/lib64/ld-linux-x86-64.so.2"},
	"linux-arm64":     {},
	"linux-arm64-gpu": {loader: "/lib/ld-linux-aarch64.so.1"},
	"freebsd-amd64":   {abi: elf.ELFOSABI_FREEBSD},
	"freebsd-arm64":   {abi: elf.ELFOSABI_FREEBSD},
	"netbsd-amd64":    {abi: elf.ELFOSABI_NETBSD, note: "NetBSD"},
	"openbsd-amd64":   {abi: elf.ELFOSABI_OPENBSD, note: "OpenBSD", loader: "/usr/libexec/ld.so"},
	"darwin-amd64":    {macho: macho.CpuAmd64},
	"darwin-arm64":    {macho: macho.CpuArm64, signed: true},
}

// TestFormats reads a finished fat file as the systems do that are not here.
func TestFormats(t *testing.T) {
	path := os.Getenv(fatPath)
	if path == "" {
		t.Skip("make check-fat names the file")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zip.NewReader(f, startsOnWindows(t, f))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i, m := range z.File {
		name, ok := strings.CutPrefix(m.Name, "bin/")
		if i == 0 && m.Name != "bin/windows-amd64.sections" {
			t.Errorf("%s is the first member", m.Name)
		}
		if !ok || i == 0 {
			continue
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			at, err := m.DataOffset()
			if err != nil || at%0x10000 != 0 || m.Method != zip.Store {
				t.Errorf("method %d, at %#x, %v", m.Method, at, err)
			}
			r, err := m.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			switch want, ok := formats[name]; {
			case !ok:
				t.Error("nothing is known of this system")
			case want.macho != 0:
				checkMachO(t, b, want.macho, want.signed)
			default:
				checkELF(t, b, name, want.abi, want.loader, want.note)
			}
		})
	}
	for name := range formats {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// startsOnWindows holds a file against Windows' rules, and returns its size.
func startsOnWindows(t *testing.T, f *os.File) int64 {
	t.Helper()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := checkPE(f, info.Size()); err != nil {
		t.Error(err)
	}
	return info.Size()
}

// TestWindowsBuilds holds the programs of both processors against Windows' rules.
func TestWindowsBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("building takes its time")
	}
	for _, arch := range []string{"amd64", "arm64"} {
		t.Run(arch, func(t *testing.T) {
			exe := buildWindows(t, arch)
			if err := checkPE(bytes.NewReader(exe), int64(len(exe))); err != nil {
				t.Error(err)
			}
			if _, _, err := splitPE(exe, testHeader, testSections); err != nil {
				t.Error(err)
			}
		})
	}
}

// buildWindows builds whisperfile without weights.
func buildWindows(t *testing.T, arch string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whisperfile.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "noweights", "-ldflags", "-s -w", "-o", path, "../../whisperfile")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH="+arch, "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func checkELF(t *testing.T, b []byte, name string, abi elf.OSABI, loader, note string) {
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	machine := elf.EM_X86_64
	if strings.Contains(name, "arm64") {
		machine = elf.EM_AARCH64
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB || f.Type != elf.ET_EXEC || f.Machine != machine || f.OSABI != abi {
		t.Errorf("%v %v %v %v %v, want %v for %v", f.Class, f.Data, f.Type, f.Machine, f.OSABI, machine, abi)
	}
	asks, notes, entry, first, room := "", "", false, ^uint64(0), uint64(0)
	for _, p := range f.Progs {
		data := make([]byte, p.Filesz)
		if _, err := p.ReadAt(data, 0); err != nil && err != io.EOF {
			t.Fatalf("%v at %#x: %v", p.Type, p.Off, err)
		}
		switch p.Type {
		case elf.PT_INTERP:
			asks = strings.TrimRight(string(data), "\x00")
		case elf.PT_NOTE:
			notes += owners(data)
		case elf.PT_LOAD:
			if p.Align == 0 || p.Off%p.Align != p.Vaddr%p.Align || p.Flags&(elf.PF_W|elf.PF_X) == elf.PF_W|elf.PF_X {
				t.Errorf("segment at %#x for %#x, alignment %#x, %v", p.Off, p.Vaddr, p.Align, p.Flags)
			}
			if p.Vaddr < first {
				first, room = p.Vaddr, p.Align
			}
			entry = entry || p.Flags&elf.PF_X != 0 && f.Entry >= p.Vaddr && f.Entry < p.Vaddr+p.Filesz
		case elf.PT_GNU_STACK:
			if p.Flags&elf.PF_X != 0 {
				t.Error("the stack can be executed")
			}
		}
	}
	if !entry {
		t.Errorf("it begins at %#x, which is no code", f.Entry)
	}
	if asks != loader {
		t.Errorf("it asks for the loader %q, want %q", asks, loader)
	}
	// assimilate puts a page in front of a program that has a loader.
	if loader == "" {
		room = 0
	}
	if first < lowest+room {
		t.Errorf("it begins at address %#x, below %#x", first, lowest+room)
	}
	if note != "" && !strings.Contains(notes, note+"\n") {
		t.Errorf("notes of %q, and none of %s", notes, note)
	}
}

// owners lists who signs the notes of a segment, a line each.
func owners(b []byte) (names string) {
	le := binary.LittleEndian
	for len(b) >= 12 {
		name, desc := (uint64(le.Uint32(b))+3)&^3, (uint64(le.Uint32(b[4:]))+3)&^3
		if 12+name+desc > uint64(len(b)) {
			break
		}
		names += strings.TrimRight(string(b[12:12+name]), "\x00") + "\n"
		b = b[12+name+desc:]
	}
	return names
}
