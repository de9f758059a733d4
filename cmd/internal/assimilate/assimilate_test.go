package assimilate

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
)

// asAssimilate makes the test binary be assimilate.
const asAssimilate = "ASSIMILATE_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asAssimilate) != "" {
		code, said := assimilate(os.Args[1:]...)
		os.Stderr.WriteString(said)
		os.Exit(int(code))
	}
	os.Exit(m.Run())
}

// program is an ELF file as small as one can be.
type program struct {
	system  elf.OSABI
	machine elf.Machine
	segs    []elf.Prog64
	secs    []elf.Section64
}

const programSize = 0x3000

// small returns a program with a segment of text and one of data.
func small() program {
	return program{machine: elf.EM_X86_64, segs: []elf.Prog64{
		{Type: uint32(elf.PT_PHDR), Flags: 4, Off: 64, Vaddr: 0x400040, Filesz: 3 * 56, Memsz: 3 * 56, Align: 8},
		{Type: uint32(elf.PT_LOAD), Flags: 5, Vaddr: 0x400000, Filesz: 0x1800, Memsz: 0x1800, Align: 0x1000},
		{Type: uint32(elf.PT_LOAD), Flags: 6, Off: 0x2010, Vaddr: 0x402010, Filesz: 0x100, Memsz: 0x900, Align: 0x1000},
	}}
}

func (p program) bytes() []byte {
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(p.machine), Version: 1, Entry: 0x401000, Phoff: 64, Ehsize: 64,
		Phentsize: lenSegment, Phnum: uint16(len(p.segs)),
	}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	h.Ident[elf.EI_OSABI] = byte(p.system)
	if p.secs != nil {
		h.Shoff, h.Shentsize, h.Shnum, h.Shstrndx = 0x2800, lenSection, uint16(len(p.secs)), uint16(len(p.secs)-1)
	}
	b, err := binary.Append(nil, le, &h)
	if err == nil {
		b, err = binary.Append(b, le, p.segs)
	}
	if err != nil {
		panic(err)
	}
	for i := len(b); i < programSize; i++ {
		b = append(b, byte(i*31))
	}
	if _, err := binary.Encode(b[0x2800:], le, p.secs); err != nil {
		panic(err)
	}
	copy(b[0x2f00:], "\x00.note.x\x00.shstrtab\x00")
	return b
}

// netbsd returns a program with a note in a section.
func netbsd() program {
	p := small()
	p.system = elf.ELFOSABI_NETBSD
	p.secs = []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_NOTE), Off: 0x1100, Addr: 0x401100, Size: 24, Addralign: 4},
		{Name: 9, Type: uint32(elf.SHT_STRTAB), Off: 0x2f00, Size: 32},
	}
	return p
}

// dynamic returns a program that needs an interpreter.
func dynamic() program {
	p := small()
	p.segs = append(p.segs, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 0x1000, Vaddr: 0x401000, Filesz: 28})
	return p
}

func machO(cpu macho.Cpu) []byte {
	b, err := binary.Append(nil, le, macho.FileHeader{Magic: macho.Magic64, Cpu: cpu, Type: macho.TypeExec})
	if err != nil {
		panic(err)
	}
	return append(b, make([]byte, 0x4000)...)
}

func TestRelocate(t *testing.T) {
	const at = 0x50000
	for _, test := range []struct {
		name   string
		change func(*program)
		want   string // in the error; "" for none
	}{
		{"static", func(*program) {}, ""},
		{"dynamic", func(p *program) { *p = dynamic() }, ""},
		{"NetBSD", func(p *program) { *p = netbsd() }, ""},
		{"processor", func(p *program) { p.machine = elf.EM_AARCH64 }, "another processor: EM_AARCH64"},
		{"no segments", func(p *program) { p.segs = nil }, "0 segments"},
		{"many segments", func(p *program) { p.segs = make([]elf.Prog64, 18) }, "18 segments"},
		{"nothing mapped", func(p *program) { p.segs = p.segs[:1] }, "maps nothing"},
		{"outside", func(p *program) { p.segs[2].Filesz = programSize }, "segment 2 lies outside"},
		{"far outside", func(p *program) { p.segs[2].Off = ^uint64(0) - 1 }, "segment 2 lies outside"},
		{"overlap", func(p *program) { p.segs[2].Vaddr = 0x401010 }, "segment 2 overlaps"},
		{"wrapped", func(p *program) { p.segs[2].Memsz = ^uint64(0) }, "segment 2 cannot be mapped"},
		{"less memory than file", func(p *program) { p.segs[2].Memsz = 1 }, "segment 2 cannot be mapped"},
		{"not congruent", func(p *program) { p.segs[2].Off++ }, "segment 2 cannot be mapped"},
		{"no power of two", func(p *program) { p.segs[1].Align = 3 }, "segment 1 cannot be mapped"},
		{"large pages", func(p *program) { p.segs[1].Align = 0x200000 }, "segment 1 needs a multiple of 2097152"},
		{"no room below", func(p *program) {
			*p = dynamic()
			p.segs[1].Vaddr = 0x10000
		}, "linked to the address 0x10000"},
		{"room for 64 KiB pages", func(p *program) {
			*p = dynamic()
			p.segs[1].Vaddr, p.segs[1].Align = 0x20000, 0x10000
		}, ""},
		{"no room for 64 KiB pages", func(p *program) {
			*p = dynamic()
			p.segs[1].Vaddr, p.segs[1].Align = 0x10000, 0x10000
		}, "no room"},
		{"no note", func(p *program) {
			*p = netbsd()
			p.secs[1].Type = uint32(elf.SHT_PROGBITS)
		}, "no note"},
		{"note outside", func(p *program) {
			*p = netbsd()
			p.secs[1].Size = ^uint64(0)
		}, "section 1 lies outside"},
		{"no sections", func(p *program) { p.system = elf.ELFOSABI_NETBSD }, "no table of sections"},
		{"many notes", func(p *program) {
			*p = netbsd()
			for range 12 {
				p.secs = append([]elf.Section64{{}, p.secs[1]}, p.secs[1:]...)
			}
		}, "more than 1024"},
		{"no names", func(p *program) {
			*p = netbsd()
			p.secs[2].Size = 1 << 40
		}, "names of its sections"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := small()
			test.change(&p)
			b := p.bytes()
			head, err := relocateELF(bytes.NewReader(b), int64(len(b)), at, elf.EM_X86_64)
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("%v, want %q", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			file := append(head, make([]byte, at-len(head))...)
			sameMemory(t, b, append(file, b...))
		})
	}
	b := small().bytes()
	for n := range b[:64+3*56] {
		if _, err := relocateELF(bytes.NewReader(b[:n]), int64(n), at, elf.EM_X86_64); err == nil {
			t.Errorf("%d bytes are a program", n)
		}
	}
}

// sameMemory checks that a system maps the same bytes to the same addresses for both files, the mapped headers aside.
func sameMemory(t *testing.T, a, b []byte) {
	t.Helper()
	x, errX := elf.NewFile(bytes.NewReader(a))
	y, errY := elf.NewFile(bytes.NewReader(b))
	if err := errors.Join(errX, errY); err != nil {
		t.Fatal(err)
	}
	dynamic := false
	for _, p := range y.Progs {
		dynamic = dynamic || p.Type == elf.PT_INTERP
	}
	mapped := func(f *elf.File) (all []*elf.Prog) {
		for _, p := range f.Progs {
			if p.Type != elf.PT_PHDR && (!dynamic || p.Vaddr >= x.Progs[1].Vaddr) {
				all = append(all, p)
			}
		}
		return all
	}
	p, q := mapped(x), mapped(y)
	if len(p) != len(q) {
		t.Fatalf("%d and %d segments", len(p), len(q))
	}
	for i := range p {
		one, two := p[i].ProgHeader, q[i].ProgHeader
		n := min(one.Filesz, one.Memsz)
		if !bytes.Equal(a[one.Off:one.Off+n], b[two.Off:two.Off+n]) {
			t.Errorf("segment %d has other bytes", i)
		}
		if one.Off = two.Off; one != two {
			t.Errorf("%+v became %+v", one, two)
		}
	}
}

// everything are builds for all that there is, as small as they can be.
func everything() ([]string, map[string][]byte) {
	arm := small()
	arm.machine = elf.EM_AARCH64
	inside := map[string][]byte{
		bundle.FirstBuild: []byte("sections"), "bin/linux-amd64": small().bytes(), "bin/linux-amd64-gpu": dynamic().bytes(), "bin/linux-arm64": arm.bytes(),
		"bin/darwin-amd64": machO(macho.CpuAmd64), "bin/darwin-arm64": machO(macho.CpuArm64),
		"bin/freebsd-amd64": small().bytes(), "bin/netbsd-amd64": netbsd().bytes(), "LICENSE": []byte("MIT"), "base.bin": weights,
	}
	return []string{
		bundle.FirstBuild, "bin/linux-amd64", "bin/linux-amd64-gpu", "bin/linux-arm64", "bin/darwin-amd64", "bin/darwin-arm64",
		"bin/freebsd-amd64", "bin/netbsd-amd64", "LICENSE", "base.bin",
	}, inside
}

func TestCommand(t *testing.T) {
	names, inside := everything()
	fatten(t, names, inside)
	whole := read(t, "fat")
	at := func(name string) int { return bytes.Index(whole, inside[name]) }
	damage := func(where int, text string) []byte {
		b := bytes.Clone(whole)
		copy(b[where:], text)
		return b
	}
	files := map[string][]byte{
		"cut": whole[:len(whole)-1], "text": []byte("whisper\n"), "elf": append(small().bytes(), make([]byte, 1<<17)...), "empty": nil,
		"crc": damage(at("bin/linux-amd64")+0x200, "x"), "kept": damage(keptAt+500, "x"),
		"moved": bytes.ReplaceAll(whole, []byte("bin/linux-amd64"), []byte("bin/linux-riscv")),
	}
	for name, b := range files {
		if err := os.WriteFile(name, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFat(t, "other", []string{"base.bin"}, inside)
	for _, name := range []string{"fat", "other"} {
		files[name] = read(t, name)
	}
	for _, test := range []struct {
		args string
		code whisper.Code
		said string
	}{
		{"", whisper.Usage, "which file"},
		{"fat text", whisper.Usage, "which file"},
		{"fat --platform linux/", whisper.Usage, `not "linux/"`},
		{"fat --platform /amd64", whisper.Usage, `not "/amd64"`},
		{"fat --gpu --platform darwin/arm64", whisper.Usage, "--gpu is for Linux"},
		{"fat --gpu --platform darwin", whisper.Usage, "not for darwin\n"},
		{"fat --undo --platform linux/amd64", whisper.Usage, "--undo goes without"},
		{"fat --platform linux", whisper.Input, "for one processor"},
		{"fat --platform plan9/amd64", whisper.Input, "no build for plan9/amd64 inside, only for windows/amd64, linux/amd64, linux/amd64 with GPUs, linux/arm64, darwin/amd64"},
		{"fat --platform linux/arm64 --gpu", whisper.Input, "no build for linux/arm64 with GPUs"},
		{"fat --platform windows/arm64", whisper.Input, "no build for windows/arm64"},
		{"none", whisper.Input, "none"},
		{".", whisper.Input, "no regular file"},
		{"cut", whisper.Input, "cut: the file is cut short"},
		{"text", whisper.Input, "text: no file for all systems"},
		{"elf", whisper.Input, "elf: no file for all systems"},
		{"empty", whisper.Input, "empty: no file for all systems"},
		{"other", whisper.Input, "other: no file for all systems: it has no builds inside"},
		{"crc --platform linux/amd64", whisper.Input, "crc: bin/linux-amd64 does not match its checksum"},
		{"crc --platform linux/arm64 -o ok", 0, ""},
		{"kept --platform linux/amd64", whisper.Input, "are in use"},
		{"moved --platform linux/amd64", whisper.Input, "no build for linux/amd64"},
		{"fat --platform linux/arm64 -o missing/out", whisper.Output, filepath.FromSlash("missing/")},
		{"fat --platform linux/arm64 -o .", whisper.Output, "no regular file"},
		{"fat --undo", 0, "fat is for all systems already\n"},
		{"fat --platform windows", 0, "fat is for windows already\n"},
		{"fat --undo -o copy", 0, ""},
	} {
		code, said := assimilate(strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(said, test.said) || test.said == "" && said != "" {
			t.Errorf("%s: exit %d: %q, want %d %q", test.args, code, said, test.code, test.said)
		}
		for name, b := range files {
			if !bytes.Equal(b, read(t, name)) {
				t.Fatalf("%s: %s changed", test.args, name)
			}
		}
	}
	if !bytes.Equal(whole, read(t, "copy")) {
		t.Error("-o of a file that is what it is to become is no copy")
	}
}

// TestMoved refuses builds that are compressed, or that are not where they can be mapped.
func TestMoved(t *testing.T) {
	for flags, want := range map[string]string{"-9": "bin/linux-amd64 is compressed", "-a=1": "no multiple of 64 KiB"} {
		names, inside := everything()
		fatten(t, names[:1], inside)
		name := names[1]
		if err := errors.Join(os.Mkdir("bin", 0o777), os.WriteFile(name, inside[name], 0o755)); err != nil {
			t.Fatal(err)
		}
		pack(t, flags, "fat", name)
		if code, said := assimilate("fat", "--platform", "linux/amd64"); code != whisper.Input || !strings.Contains(said, want) {
			t.Errorf("%s: exit %d: %q", flags, code, said)
		}
	}
}

// TestLater puts a model into a program, and then makes it one for another system.
func TestLater(t *testing.T) {
	names, inside := everything()
	fatten(t, names, inside)
	if err := os.WriteFile("small.bin", []byte("lmgg other"), 0o644); err != nil {
		t.Fatal(err)
	}
	pack(t, "fat", "small.bin")
	want := read(t, "fat")
	must(t, "fat", "--undo")
	must(t, "fat", "-p", "netbsd/amd64")
	must(t, "fat", "-p", "darwin")
	must(t, "fat", "-p", "freebsd/amd64")
	pack(t, "fat", "small.bin")
	must(t, "fat", "--undo")
	if !bytes.Equal(want, read(t, "fat")) {
		t.Error("undone, it is not what it was")
	}
}

func TestPermissions(t *testing.T) {
	if runtime.GOOS == windows {
		t.Skip("Windows has no such permissions")
	}
	names, inside := everything()
	fatten(t, names, inside)
	if err := errors.Join(os.Chmod("fat", 0o511), os.Symlink("fat", "link")); err != nil {
		t.Fatal(err)
	}
	must(t, "link", "-p", "linux/amd64")
	must(t, "link", "-p", "linux/arm64", "-o", "out")
	for name, want := range map[string]os.FileMode{"fat": 0o511, "out": 0o511} {
		if info, err := os.Lstat(name); err != nil || info.Mode() != want || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if to, err := os.Readlink("link"); to != "fat" || err != nil {
		t.Errorf("the link: %q, %v", to, err)
	}
	left, err := filepath.Glob(".*tmp")
	if len(left) > 0 || err != nil {
		t.Errorf("left: %q, %v", left, err)
	}
}

// TestKilled kills assimilate at moments spread over its run: the file is the one before or the one after.
func TestKilled(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 10
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	names, inside := everything()
	inside["base.bin"] = bytes.Repeat(weights, 1000)
	fatten(t, names, inside)
	before := read(t, "fat")
	start := func() *exec.Cmd {
		c := exec.CommandContext(t.Context(), self, "fat", "-p", "linux/amd64")
		c.Env = append(os.Environ(), asAssimilate+"=1")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	from := time.Now()
	if err := start().Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(from)
	after := read(t, "fat")
	changed := 0
	for i := range n {
		if err := os.WriteFile("fat", before, 0o755); err != nil {
			t.Fatal(err)
		}
		c := start()
		time.Sleep(took * time.Duration(i) / time.Duration(n))
		c.Process.Kill()
		c.Wait()
		switch got := read(t, "fat"); {
		case bytes.Equal(got, after):
			changed++
		case !bytes.Equal(got, before):
			t.Fatalf("kill %d: the file is neither the one before nor the one after", i)
		}
		if i%10 == 0 {
			left, err := filepath.Glob(".*tmp")
			for _, name := range left {
				err = errors.Join(err, os.Remove(name))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d of %d kills came too late", changed, n)
}

func FuzzRelocate(f *testing.F) {
	for _, p := range []program{small(), dynamic(), netbsd()} {
		f.Add(p.bytes(), int64(1<<16))
	}
	f.Fuzz(func(t *testing.T, b []byte, at int64) {
		at &= 1<<40 - 1<<16
		head, err := relocateELF(bytes.NewReader(b), int64(len(b)), at, elf.EM_X86_64)
		if err != nil {
			return
		}
		if len(head) > lenHead || !bytes.HasPrefix(head, b[:16]) {
			t.Fatalf("%x", head)
		}
	})
}

// FuzzRead takes a file for all systems whose first bytes, kept bytes and zip directory are any.
func FuzzRead(f *testing.F) {
	names, inside := everything()
	path := filepath.Join(f.TempDir(), "fat")
	writeFat(f, path, names, inside)
	whole := read(f, path)
	directory := bytes.Index(whole, []byte("PK\x01\x02"))
	f.Add(whole[:lenHead], whole[keptAt:keptAt+lenKept], whole[directory:])
	p := Platform{OS: linux, Arch: "amd64"}
	file, err := Read(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		f.Fatal(err)
	}
	head, kept, err := file.Headers(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(head, kept, whole[directory:])
	f.Fuzz(func(t *testing.T, head, kept, rest []byte) {
		b := bytes.Clone(whole)
		copy(b[:lenHead], head)
		copy(b[keptAt:keptAt+lenKept], kept)
		b = append(b[:directory], rest...)
		file, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, p := range append(file.Platforms(), Platform{}, Platform{OS: darwin}, Platform{OS: linux}) {
			head, kept, err := file.Headers(p)
			if err != nil {
				continue
			}
			if len(head) != lenHead || len(kept) != lenKept {
				t.Fatalf("%v: %d and %d bytes", p, len(head), len(kept))
			}
		}
	})
}
