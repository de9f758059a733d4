// Package assimilate turns a file for all systems into a program of one: it writes other headers into the first bytes of the
// file, which point at the build inside that is meant. The builds, the weights and the zip stay as they are, and the bytes written
// over are kept, so that the file can be turned back, or into another.
package assimilate

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// A file for all systems begins with magic, and its first lenHead bytes say what it is. The bytes from keptAt on are zero until it becomes
// a program; then they hold tag, the checksum of the first bytes as they were, and these. Files inside begin behind.
const (
	magic   = "MZqFpD='\n"
	lenHead = 0x400
	keptAt  = 0xf800
	tag     = "assimilated\x00"
	lenKept = len(tag) + 4 + lenHead
)

// Builds are called by system and processor and lie on 64 KiB boundaries. That for Windows is only its sections, for their headers are
// the first bytes of the file.
const (
	withGPU  = "-gpu"
	boundary = 1 << 16
)

// Systems that are not like the others.
const (
	darwin  = "darwin"
	linux   = "linux"
	windows = "windows"
)

// ErrNotFat is wrapped by the errors of files that are not for all systems and never were.
var ErrNotFat = errors.New("no file for all systems")

// processors are the machines of builds as formats have them.
var processors = map[string]struct {
	elf   elf.Machine
	macho macho.Cpu
}{
	"amd64": {elf.EM_X86_64, macho.CpuAmd64},
	"arm64": {elf.EM_AARCH64, macho.CpuArm64},
}

// Platform is what a file is to become a program of. The zero value is all systems.
type Platform struct {
	OS, Arch string // as Go names them; no Arch is all processors, which one file can serve on macOS alone
	GPU      bool   // the build that calls GPU drivers and needs glibc, where there are two: on Linux
}

// String returns OS/ARCH, and what else tells it from others.
func (p Platform) String() string {
	switch {
	case p.OS == "":
		return "all systems"
	case p.Arch == "":
		return p.OS
	case p.GPU:
		return p.OS + "/" + p.Arch + " with GPUs"
	}
	return p.OS + "/" + p.Arch
}

// File is a file for all systems, or a program that was one.
type File struct {
	r       io.ReaderAt
	head    []byte // the first bytes as they are
	fat     []byte // as they are in a file for all systems
	kept    []byte // those from keptAt on
	members []bundle.Entry
}

// Read reads what there is in r of size bytes. The error wraps ErrNotFat, or bundle's ErrFormat or ErrCut, or comes from r.
func Read(r io.ReaderAt, size int64) (*File, error) {
	if size < keptAt+int64(lenKept) {
		return nil, ErrNotFat
	}
	f := &File{r: r, head: make([]byte, lenHead), kept: make([]byte, lenKept)}
	if n, err := r.ReadAt(f.head, 0); n < lenHead {
		return nil, err
	}
	if n, err := r.ReadAt(f.kept, keptAt); n < lenKept {
		return nil, err
	}
	f.fat = f.head
	if saved, ok := f.saved(); ok && !bytes.HasPrefix(f.head, []byte(magic)) {
		f.fat = saved
	}
	if !bytes.HasPrefix(f.fat, []byte(magic)) {
		return nil, ErrNotFat
	}
	var err error
	if f.members, err = bundle.Entries(r, size); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(f.members, func(m bundle.Entry) bool { return strings.HasPrefix(m.Name, bundle.Builds) }) {
		return nil, fmt.Errorf("%w: it has no builds inside", ErrNotFat)
	}
	for _, m := range f.members {
		if m.Header < keptAt+int64(lenKept) {
			return nil, fmt.Errorf("%w: %q lies among its headers", ErrNotFat, m.Name)
		}
	}
	return f, nil
}

// saved returns the first bytes that are kept, if they are.
func (f *File) saved() ([]byte, bool) {
	sum, saved := f.kept[len(tag):len(tag)+4], f.kept[len(tag)+4:]
	return saved, string(f.kept[:len(tag)]) == tag && le.Uint32(sum) == crc32.ChecksumIEEE(saved)
}

// Platforms returns what the file can become, in the order of the builds inside.
func (f *File) Platforms() []Platform {
	var all []Platform
	for _, m := range f.members {
		name, ok := strings.CutPrefix(m.Name, bundle.Builds)
		if m.Name == bundle.FirstBuild {
			name = windows + "-amd64"
		}
		goos, arch, found := strings.Cut(name, "-")
		arch, gpu := strings.CutSuffix(arch, withGPU)
		if _, known := processors[arch]; ok && found && known && (!gpu || goos == linux) {
			all = append(all, Platform{goos, arch, gpu})
		}
	}
	return all
}

// Headers returns the first bytes that make the file a program of p, and what is to be kept where keptAt says; both replace as many
// bytes. It proves the checksums of the builds that p uses. The error says what is wrong with the file or with p.
func (f *File) Headers(p Platform) (head, kept []byte, err error) {
	var own []byte
	switch all := f.Platforms(); {
	case p == Platform{}:
		return f.fat, make([]byte, lenKept), nil
	case !slices.ContainsFunc(all, func(has Platform) bool { return has == p || p.Arch == "" && has.OS == p.OS }):
		var names []string
		for _, has := range all {
			names = append(names, has.String())
		}
		return nil, nil, fmt.Errorf("there is no build for %v inside, only for %s", p, strings.Join(names, ", "))
	case p.OS == windows:
		return f.fat, make([]byte, lenKept), nil
	case p.OS == darwin:
		own, err = f.machO(p)
	case p.Arch == "":
		return nil, nil, fmt.Errorf("a file of %s is for one processor: OS/ARCH", p.OS)
	default:
		own, err = f.elf(p)
	}
	if err != nil {
		return nil, nil, err
	}
	if _, ok := f.saved(); !ok && bytes.ContainsFunc(f.kept, func(c rune) bool { return c != 0 }) {
		return nil, nil, fmt.Errorf("%w: the bytes at %#x, where its headers would be kept, are in use", ErrNotFat, keptAt)
	}
	head = append(own, make([]byte, lenHead-len(own))...)
	kept = le.AppendUint32([]byte(tag), crc32.ChecksumIEEE(f.fat))
	return head, append(kept, f.fat...), nil
}

// Is reports whether the file is what these headers make it.
func (f *File) Is(head, kept []byte) bool {
	return bytes.Equal(f.head, head) && bytes.Equal(f.kept, kept)
}

// Write makes w, which holds a copy of the file, what these headers say.
func Write(w io.WriterAt, head, kept []byte) error {
	if _, err := w.WriteAt(kept, keptAt); err != nil {
		return err
	}
	_, err := w.WriteAt(head, 0)
	return err
}

func (f *File) elf(p Platform) ([]byte, error) {
	name := bundle.Builds + p.OS + "-" + p.Arch
	if p.GPU {
		name += withGPU
	}
	m, r, err := f.build(name)
	if err != nil {
		return nil, err
	}
	head, err := relocateELF(r, m.Size, m.Offset, processors[p.Arch].elf)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return head, nil
}

func (f *File) machO(p Platform) ([]byte, error) {
	var programs []slice
	for _, has := range f.Platforms() {
		if has.OS != p.OS || p.Arch != "" && has.Arch != p.Arch {
			continue
		}
		name := bundle.Builds + has.OS + "-" + has.Arch
		m, r, err := f.build(name)
		if err != nil {
			return nil, err
		}
		programs = append(programs, slice{r, m.Offset, m.Size, processors[has.Arch].macho})
	}
	head, err := universal(programs)
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", bundle.Builds, p.OS, err)
	}
	return head, nil
}

// build returns a build inside once its checksum is proved.
func (f *File) build(name string) (bundle.Entry, *io.SectionReader, error) {
	i := slices.IndexFunc(f.members, func(m bundle.Entry) bool { return m.Name == name })
	m := f.members[i]
	switch {
	case !m.Stored:
		return m, nil, fmt.Errorf("%s is compressed", name)
	case m.Offset%boundary != 0:
		return m, nil, fmt.Errorf("%s lies at %d, which is no multiple of 64 KiB: another zip program has moved it", name, m.Offset)
	}
	r := io.NewSectionReader(f.r, m.Offset, m.Size)
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, r); err != nil {
		return m, nil, err
	}
	if sum.Sum32() != m.CRC {
		return m, nil, fmt.Errorf("%s does not match its checksum", name)
	}
	return m, r, nil
}
