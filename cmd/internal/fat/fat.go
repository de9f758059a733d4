// Package fat writes executables for several systems at once: a file that is a Windows program, a script for every POSIX shell and a zip.
// Windows runs the program whose sections are the zip's first member. A shell runs the launcher, which puts the member for its
// system into a private directory and becomes it. All members are stored at multiples of 64 KiB, so that assimilate and the loader of
// Cosmopolitan's programs can use them where they are.
package fat

import (
	"bytes"
	"context"
	"debug/elf"
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// Where what is in a fat file.
const (
	handOver = 0x0b    // the line that hands over to the launcher
	headerAt = 0x70    // the PE header
	scriptAt = 0x600   // the launcher, in blocks of 512 bytes
	apeLimit = 0x2000  // Cosmopolitan's loader looks for ELF headers before it
	firstAt  = 0x10000 // the first member's bytes, the PE sections
	align    = 0x10000
	block    = 512
)

// magic begins the file: a PE's MZ, the only variable that mksh and Cosmopolitan's loader know, and a string that ends behind a newline, as
// zsh and FreeBSD's sh want one before the first NUL.
const magic = "MZqFpD='\n'\n"

// Where programs are in the zip, and what the first member is called.
const (
	prefix   = bundle.Builds
	sections = bundle.FirstBuild
)

// windows is the build whose header is the fat file's.
const windows = "windows-amd64.exe"

// platform is a build beside that for Windows.
type platform struct {
	name  string // of its file, and of the member below prefix
	uname string // what uname -sm prints there
	exact bool   // its copy must end where it ends: a signature covers it
	gpu   bool   // can reach GPUs, which takes the system's C library
	elf   elf.Machine
	macho macho.Cpu
}

// platforms are in the order of the members. A build with gpu follows the one that starts without.
var platforms = []platform{
	{name: "linux-amd64", uname: "Linux x86_64", elf: elf.EM_X86_64},
	{name: "linux-amd64-gpu", uname: "Linux x86_64", gpu: true, elf: elf.EM_X86_64},
	{name: "linux-arm64", uname: "Linux aarch64", elf: elf.EM_AARCH64},
	{name: "linux-arm64-gpu", uname: "Linux aarch64", gpu: true, elf: elf.EM_AARCH64},
	{name: "darwin-amd64", uname: "Darwin x86_64", exact: true, macho: macho.CpuAmd64},
	{name: "darwin-arm64", uname: "Darwin arm64", exact: true, macho: macho.CpuArm64},
	{name: "freebsd-amd64", uname: "FreeBSD amd64", elf: elf.EM_X86_64},
	{name: "freebsd-arm64", uname: "FreeBSD arm64", elf: elf.EM_AARCH64},
	{name: "netbsd-amd64", uname: "NetBSD amd64", elf: elf.EM_X86_64},
	{name: "openbsd-amd64", uname: "OpenBSD amd64", elf: elf.EM_X86_64},
}

// build is a program with its place in the file.
type build struct {
	platform
	data   []byte
	at     int64
	loader string // the dynamic loader that it asks for; "" is none
}

// Write makes the fat file out. Directory builds holds a program for each platform, called linux-amd64 and so on and windows-amd64.exe; the
// zip gets files behind these, models on pages of their own. The same builds and files give the same bytes. out is there whole or not at all.
// Programs for another platform than their name says are errors, as are those that break Windows' rules.
func Write(ctx context.Context, out, builds string, files []bundle.File) error {
	all := make([]build, 0, len(platforms))
	for _, p := range platforms {
		data, err := os.ReadFile(filepath.Join(builds, p.name))
		if err != nil {
			return err
		}
		b := build{platform: p, data: data}
		if err := b.check(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		all = append(all, b)
	}
	exe, err := os.ReadFile(filepath.Join(builds, windows))
	if err != nil {
		return err
	}
	return write(ctx, out, exe, all, files)
}

// check compares a program with what its platform wants, and finds its loader.
func (b *build) check() error {
	if b.macho != 0 {
		m, err := macho.NewFile(bytes.NewReader(b.data))
		if err != nil {
			return err
		}
		if m.Cpu != b.macho || m.Type != macho.TypeExec {
			return fmt.Errorf("%v for %v, not a program for %v", m.Type, m.Cpu, b.macho)
		}
		return nil
	}
	e, err := elf.NewFile(bytes.NewReader(b.data))
	if err != nil {
		return err
	}
	if e.Machine != b.elf || e.Type != elf.ET_EXEC && e.Type != elf.ET_DYN {
		return fmt.Errorf("%v for %v, not a program for %v", e.Type, e.Machine, b.elf)
	}
	for _, p := range e.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return err
		}
		b.loader = string(bytes.TrimRight(name, "\x00"))
	}
	return nil
}

// write makes the fat file of a program for Windows and of builds.
func write(ctx context.Context, out string, exe []byte, builds []build, files []bundle.File) (err error) {
	header, body, err := splitPE(exe, headerAt, firstAt)
	if err != nil {
		return fmt.Errorf("%s: %w", windows, err)
	}
	parts := []bundle.Part{part(sections, body)}
	_, end := parts[0].Place(0)
	for i := range builds {
		b := &builds[i]
		p := part(prefix+b.name, b.data)
		b.at, end = p.Place(end)
		parts = append(parts, p)
	}
	for _, f := range files {
		p := part(f.Name, f.Data)
		p.Executable, p.Fill = false, false
		if path.Ext(f.Name) != ".bin" {
			p.Align = 1 // it is not mapped
		}
		parts = append(parts, p)
	}
	head, err := headOf(header, builds)
	if err != nil {
		return err
	}

	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*")
	if err != nil {
		return err
	}
	defer func() {
		f.Close()
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(head); err != nil {
		return err
	}
	if err := bundle.Append(ctx, f, int64(len(head)), parts); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := checkPE(f, info.Size()); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o755), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), out)
}

func part(name string, data []byte) bundle.Part {
	return bundle.Part{
		Name: name, Size: int64(len(data)), Executable: true, Align: align, Fill: true,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// headOf is what stands before the first member.
func headOf(header []byte, builds []build) ([]byte, error) {
	script, err := launcher(builds)
	if err != nil {
		return nil, err
	}
	lines, err := apeLines(scriptAt+int64(len(script)), builds)
	if err != nil {
		return nil, err
	}
	head := bundle.Part{Name: sections, Align: align}
	if at, _ := head.Place(int64(scriptAt + len(script) + len(lines))); headerAt+len(header) > scriptAt || at != firstAt {
		return nil, fmt.Errorf("a PE header of %d bytes and a launcher of %d do not fit", len(header), len(script))
	}
	b := make([]byte, scriptAt, scriptAt+len(script)+len(lines))
	line := fmt.Sprintf(`eval "$(dd<"$0" skip=%d count=%d 2>/dev/null)"`+"\n", scriptAt/block, len(script)/block)
	if handOver+len(line) >= dosHeader {
		return nil, fmt.Errorf("a launcher of %d blocks is too long to hand over to", len(script)/block)
	}
	n := copy(b, magic)
	n += copy(b[n:], line)
	for ; n < dosHeader; n++ {
		b[n] = '#' // the NULs of the next field are in a comment
	}
	binary.LittleEndian.PutUint32(b[dosHeader:], headerAt)
	copy(b[lenDOS:headerAt], "\necho \"$0: cannot read myself\">&2\nexit 126\n")
	copy(b[headerAt:], header)
	return append(append(b, script...), lines...), nil
}
