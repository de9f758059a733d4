package assimilate

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Lengths of the records of an ELF file of 64 bits.
const (
	lenHeader  = 64
	lenSegment = 56
	lenSection = 64
)

// Limits of what is read of an ELF file, and of where Linux lets a process map pages.
const (
	maxSegments = (lenHead - lenHeader) / lenSegment
	maxSections = 1 << 10
	maxNames    = 1 << 16
	lowestPage  = 1 << 16
)

// mappedHead is how much of the file a dynamic program maps to have its segment table in memory.
const mappedHead = 0x1000

var le = binary.LittleEndian

// record reads one of package elf's structs.
func record(r io.ReaderAt, at int64, to any) error {
	b := make([]byte, binary.Size(to))
	if n, err := r.ReadAt(b, at); n < len(b) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	_, err := binary.Decode(b, le, to)
	return err
}

// relocateELF returns the headers, at most lenHead bytes, with which a file is the program r of size bytes when that lies at offset
// at of the file. Addresses stay, so that the program's bytes do.
func relocateELF(r io.ReaderAt, size, at int64, machine elf.Machine) ([]byte, error) {
	var h elf.Header64
	if err := record(r, 0, &h); err != nil {
		return nil, err
	}
	kind := elf.Type(h.Type)
	switch {
	case string(h.Ident[:6]) != elf.ELFMAG+"\x02\x01" || kind != elf.ET_EXEC && kind != elf.ET_DYN:
		return nil, errors.New("it is no ELF program of 64 bits")
	case elf.Machine(h.Machine) != machine:
		return nil, fmt.Errorf("it is for another processor: %v", elf.Machine(h.Machine))
	case h.Phentsize != lenSegment || h.Phnum == 0 || h.Phnum > maxSegments || h.Phoff > math.MaxInt64-lenHead:
		return nil, fmt.Errorf("%d segments of %d bytes are beyond the limit", h.Phnum, h.Phentsize)
	}
	segments := make([]elf.Prog64, h.Phnum)
	if err := record(r, int64(h.Phoff), segments); err != nil {
		return nil, err
	}
	if err := checkSegments(segments, size, at); err != nil {
		return nil, err
	}
	for i := range segments {
		if segments[i].Filesz > 0 {
			segments[i].Off += uint64(at)
		}
	}
	system := elf.OSABI(h.Ident[elf.EI_OSABI])
	dynamic := slices.ContainsFunc(segments, func(s elf.Prog64) bool { return elf.ProgType(s.Type) == elf.PT_INTERP })
	if dynamic && (system == elf.ELFOSABI_NONE || system == elf.ELFOSABI_LINUX) {
		var err error
		if segments, err = mapTable(segments); err != nil {
			return nil, err
		}
	}
	var sections []byte
	table := lenHeader + len(segments)*lenSegment
	was := h
	h.Phoff, h.Phnum = lenHeader, uint16(len(segments))
	h.Shoff, h.Shnum, h.Shentsize, h.Shstrndx = 0, 0, 0, 0
	if system == elf.ELFOSABI_NETBSD {
		notes, names, err := noteSections(r, &was, size, at)
		if err != nil {
			return nil, err
		}
		h.Shoff, h.Shnum, h.Shentsize, h.Shstrndx = uint64(table), uint16(len(notes)), lenSection, uint16(len(notes)-1)
		notes[len(notes)-1].Off = uint64(table + len(notes)*lenSection)
		if sections, err = binary.Append(nil, le, notes); err != nil {
			return nil, err
		}
		sections = append(sections, names...)
	}
	b, err := binary.Append(nil, le, &h)
	if err != nil {
		return nil, err
	}
	if b, err = binary.Append(b, le, segments); err != nil {
		return nil, err
	}
	b = append(b, sections...)
	if len(b) > lenHead {
		return nil, fmt.Errorf("its headers take %d bytes, more than %d", len(b), lenHead)
	}
	return b, nil
}

// checkSegments makes sure that systems map the segments of a program of size bytes the same when it lies at offset at of a file.
func checkSegments(segments []elf.Prog64, size, at int64) error {
	end, loads := uint64(0), 0
	for i, s := range segments {
		if s.Filesz > uint64(size) || s.Off > uint64(size)-s.Filesz {
			return fmt.Errorf("segment %d lies outside", i)
		}
		if elf.ProgType(s.Type) != elf.PT_LOAD {
			continue
		}
		loads++
		align := max(s.Align, 1)
		switch {
		case align&(align-1) != 0 || s.Off%align != s.Vaddr%align || s.Filesz > s.Memsz || s.Memsz > math.MaxUint64-s.Vaddr:
			return fmt.Errorf("segment %d cannot be mapped", i)
		case uint64(at)%align != 0:
			return fmt.Errorf("segment %d needs a multiple of %d, and the program lies at %d", i, align, at)
		case s.Vaddr < end:
			return fmt.Errorf("segment %d overlaps the one before", i)
		}
		end = s.Vaddr + s.Memsz
	}
	if loads == 0 {
		return errors.New("it maps nothing")
	}
	return nil
}

// mapTable adds a segment that maps the beginning of the file below the others, for the dynamic linker takes the table of
// segments from memory.
func mapTable(segments []elf.Prog64) ([]elf.Prog64, error) {
	isLoad := func(s elf.Prog64) bool { return elf.ProgType(s.Type) == elf.PT_LOAD }
	first := slices.IndexFunc(segments, isLoad)
	lowest := segments[first]
	step := max(lowest.Align, mappedHead)
	base := lowest.Vaddr &^ (step - 1)
	if base < lowestPage+step {
		return nil, fmt.Errorf("it is linked to the address %#x, which leaves no room below for another segment", lowest.Vaddr)
	}
	base -= step
	head := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R), Vaddr: base, Paddr: base,
		Filesz: mappedHead, Memsz: mappedHead, Align: step,
	}
	segments = slices.Insert(segments, first, head)
	segments = slices.DeleteFunc(segments, func(s elf.Prog64) bool { return elf.ProgType(s.Type) == elf.PT_PHDR })
	n := uint64(len(segments)+1) * lenSegment
	table := elf.Prog64{
		Type: uint32(elf.PT_PHDR), Flags: uint32(elf.PF_R), Off: lenHeader, Vaddr: base + lenHeader, Paddr: base + lenHeader,
		Filesz: n, Memsz: n, Align: 8,
	}
	return slices.Insert(segments, 0, table), nil
}

// noteSections returns a section table of the notes of a program, for NetBSD looks there for its own: nothing, the notes, and their
// names, whose offset is the caller's to say.
func noteSections(r io.ReaderAt, h *elf.Header64, size, at int64) (table []elf.Section64, names []byte, err error) {
	if h.Shentsize != lenSection || h.Shnum == 0 || h.Shnum > maxSections || h.Shstrndx >= h.Shnum || h.Shoff > uint64(size) {
		return nil, nil, errors.New("it has no table of sections, without which NetBSD does not start it")
	}
	all := make([]elf.Section64, h.Shnum)
	if err := record(r, int64(h.Shoff), all); err != nil {
		return nil, nil, err
	}
	inside := func(s *elf.Section64) bool { return s.Size <= uint64(size) && s.Off <= uint64(size)-s.Size }
	of := &all[h.Shstrndx]
	if !inside(of) || of.Size > maxNames {
		return nil, nil, errors.New("the names of its sections lie outside")
	}
	old := make([]byte, of.Size)
	if err := record(r, int64(of.Off), old); err != nil {
		return nil, nil, err
	}
	table, names = []elf.Section64{{}}, []byte{0}
	for i := range all {
		s := all[i]
		if elf.SectionType(s.Type) != elf.SHT_NOTE {
			continue
		}
		if !inside(&s) {
			return nil, nil, fmt.Errorf("section %d lies outside", i)
		}
		name := old[min(int(s.Name), len(old)):]
		if end := slices.Index(name, 0); end >= 0 {
			name = name[:end]
		}
		s.Name, s.Off = uint32(len(names)), s.Off+uint64(at)
		s.Link, s.Info = 0, 0
		table, names = append(table, s), append(append(names, name...), 0)
	}
	if len(table) == 1 {
		return nil, nil, errors.New("it has no note, without which NetBSD does not start it")
	}
	own := elf.Section64{Name: uint32(len(names)), Type: uint32(elf.SHT_STRTAB), Addralign: 1}
	names = append(names, ".shstrtab\x00"...)
	own.Size = uint64(len(names))
	return append(table, own), names, nil
}
