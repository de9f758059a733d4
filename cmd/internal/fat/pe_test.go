package fat

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// The layout of a fat file, as far as Windows sees it.
const testHeader, testSections = 0x70, 0x10000

// smallPE makes a program of two sections, laid out as Go's linker does.
func smallPE() []byte {
	le := binary.LittleEndian
	b := make([]byte, 0xa00)
	copy(b, "MZ")
	le.PutUint32(b[dosHeader:], 0x80)
	h := b[0x80:]
	copy(h, peSignature)
	le.PutUint16(h[peMachine:], machineAMD64)
	le.PutUint16(h[peSections:], 2)
	le.PutUint32(h[peSymbols:], 0xa00)
	le.PutUint16(h[peOptional:], optTable+8*maxDirectories)
	le.PutUint16(h[peFlags:], flagExecutable)
	o := h[lenPEFile:]
	le.PutUint16(o[optMagic:], magic64)
	le.PutUint32(o[optEntry:], 0x1010)
	le.PutUint64(o[optImageBase:], 0x140000000)
	le.PutUint32(o[optSectionAlign:], 0x1000)
	le.PutUint32(o[optFileAlign:], 0x200)
	le.PutUint32(o[optImage:], 0x4000)
	le.PutUint32(o[optHeaders:], 0x600)
	le.PutUint32(o[optCheckSum:], 77)
	le.PutUint16(o[optSubsystem:], subsystemCUI)
	le.PutUint32(o[optDirectories:], maxDirectories)
	for i, s := range []struct {
		name                      string
		memory, address, n, flags uint32
	}{{".text", 0x1800, 0x1000, 0x200, secExecutable}, {".data", 0x20, 0x3000, 0x200, 0}} {
		t := h[lenPEFile+optTable+8*maxDirectories+i*lenPESection:]
		copy(t, s.name)
		le.PutUint32(t[secMemory:], s.memory)
		le.PutUint32(t[secAddress:], s.address)
		le.PutUint32(t[secLen:], s.n)
		le.PutUint32(t[secFile:], uint32(0x600+0x200*i))
		le.PutUint32(t[secFlags:], s.flags)
	}
	for i := range b[0x600:] {
		b[0x600+i] = byte(i * 7)
	}
	return b
}

// largePE makes a program whose second section has n bytes, a multiple of 4096.
func largePE(n uint32) []byte {
	b := append(smallPE(), make([]byte, n-0x200)...)
	o := b[0x80+lenPEFile:]
	binary.LittleEndian.PutUint32(o[optImage:], 0x3000+n)
	data := o[optTable+8*maxDirectories+lenPESection:]
	binary.LittleEndian.PutUint32(data[secMemory:], n)
	binary.LittleEndian.PutUint32(data[secLen:], n)
	return b
}

// join puts what splitPE gives where it belongs.
func join(header, sections []byte) []byte {
	b := make([]byte, testSections+len(sections))
	copy(b, "MZ")
	binary.LittleEndian.PutUint32(b[dosHeader:], testHeader)
	copy(b[testHeader:], header)
	copy(b[testSections:], sections)
	return b
}

func TestSplitPE(t *testing.T) {
	exe := smallPE()
	header, sections, err := splitPE(exe, testHeader, testSections)
	if err != nil {
		t.Fatal(err)
	}
	b := join(header, sections)
	if err := checkPE(bytes.NewReader(b), int64(len(b))); err != nil {
		t.Fatal(err)
	}
	f, err := pe.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	o := f.OptionalHeader.(*pe.OptionalHeader64)
	if o.SizeOfHeaders != 0x400 || o.CheckSum != 0 || f.PointerToSymbolTable != 0 || f.NumberOfSymbols != 0 {
		t.Errorf("headers of %#x bytes, checksum %d, %d symbols at %#x", o.SizeOfHeaders, o.CheckSum, f.NumberOfSymbols, f.PointerToSymbolTable)
	}
	for i, s := range f.Sections {
		want := exe[0x600+0x200*i:][:0x200]
		if got, err := s.Data(); err != nil || !bytes.Equal(got, want) || s.Offset != uint32(testSections+0x200*i) {
			t.Errorf("section %d at %#x: %v, bytes the same: %v", i, s.Offset, err, bytes.Equal(got, want))
		}
	}
	if !bytes.Equal(exe, smallPE()) {
		t.Error("the program itself was changed")
	}
}

func TestSplitPERefuses(t *testing.T) {
	for _, test := range []struct {
		name             string
		header, sections int64
		change           func(exe []byte) []byte
		want             string
	}{
		{"header in the DOS header", 0x38, testSections, nil, "suit no alignment"},
		{"header off its grid", 0x71, testSections, nil, "suit no alignment"},
		{"sections off their grid", testHeader, 0x10100, nil, "suit no alignment"},
		{"sections in the headers", testHeader, 0, nil, "suit no alignment"},
		{"sections too far", testHeader, 1<<32 - 0x200, nil, "4 GiB"},
		{"debugging information of its own", testHeader, testSections, func(b []byte) []byte { b[0x80+lenPEFile+optTable+8*debugging+4] = 28; return b }, "-s -w"},
		{"no place to name the list", testHeader, testSections, func(b []byte) []byte { b[0x80+lenPEFile+optDirectories] = 6; return b }, "no room"},
		{"names elsewhere", testHeader, testSections, func(b []byte) []byte { b[0x80+lenPEFile+optTable+8*16] = '/'; return b }, "-s -w"},
		{"header into the first section", 0xf00, testSections, nil, "first section"},
		{"cut", testHeader, testSections, func(b []byte) []byte { return b[:0x900] }, "section 1"},
		{"empty", testHeader, testSections, func([]byte) []byte { return nil }, "ends before"},
	} {
		t.Run(test.name, func(t *testing.T) {
			exe := smallPE()
			if test.change != nil {
				exe = test.change(exe)
			}
			if _, _, err := splitPE(exe, test.header, test.sections); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

// TestCheckPE breaks each rule in turn.
func TestCheckPE(t *testing.T) {
	le := binary.LittleEndian
	const (
		file     = 0x80
		optional = file + lenPEFile
		section0 = optional + optTable + 8*maxDirectories
		section1 = section0 + lenPESection
	)
	put16 := func(at int, v uint16) func([]byte) { return func(b []byte) { le.PutUint16(b[at:], v) } }
	put32 := func(at int, v uint32) func([]byte) { return func(b []byte) { le.PutUint32(b[at:], v) } }
	for _, test := range []struct {
		name   string
		change func([]byte)
		want   string // "" keeps the rules
	}{
		{"none", func([]byte) {}, ""},
		{"another magic", put16(0, 0x454c), "MZ"},
		{"header behind the file", put32(dosHeader, 0xfffffff0), "ends before"},
		{"header off its grid", put32(dosHeader, 0x84), "signature"},
		{"no signature", put32(file, 0), "signature"},
		{"32-bit machine", put16(file+peMachine, 0x14c), "machine"},
		{"arm64", put16(file+peMachine, machineARM64), ""},
		{"no sections", put16(file+peSections, 0), "0 sections"},
		{"97 sections", put16(file+peSections, 97), "97 sections"},
		{"short optional header", put16(file+peOptional, 96), "optional header"},
		{"long optional header", put16(file+peOptional, 0xfff0), "optional header"},
		{"a DLL", put16(file+peFlags, flagExecutable|flagDLL), "flags"},
		{"an object", put16(file+peFlags, 0), "flags"},
		{"32-bit header", put16(optional, 0x10b), "64 bits"},
		{"a driver", put16(optional+optSubsystem, 1), "subsystem"},
		{"entry in data", put32(optional+optEntry, 0x3004), "no code"},
		{"entry nowhere", put32(optional+optEntry, 0x9000), "no code"},
		{"image base", put32(optional+optImageBase, 0x40001000), "image base"},
		{"file alignment 0x100", put32(optional+optFileAlign, 0x100), "file alignment"},
		{"file alignment 0x300", put32(optional+optFileAlign, 0x300), "file alignment"},
		{"section alignment 0x800", put32(optional+optSectionAlign, 0x800), "section alignment"},
		{"headers 0x680", put32(optional+optHeaders, 0x680), "multiple"},
		{"header outside the headers", put32(optional+optHeaders, 0), "in headers of"},
		{"headers into the first section", put32(optional+optHeaders, 0x1200), "section 0 begins"},
		{"headers that end before the first section", put32(section0+secAddress, 0x2000), "section 0 begins"},
		{"a gap", put32(section1+secAddress, 0x4000), "section 1 begins"},
		{"an overlap", put32(section1+secAddress, 0x2000), "section 1 begins"},
		{"an empty section", func(b []byte) { put32(section1+secMemory, 0)(b); put32(section1+secLen, 0)(b) }, "empty"},
		{"no bytes in the file", func(b []byte) { put32(section1+secLen, 0)(b); put32(section1+secFile, 0)(b) }, ""},
		{"bytes behind the file", put32(section1+secLen, 0x400), "section 1 has"},
		{"bytes far behind the file", put32(section1+secFile, 0xfffffe00), "section 1 has"},
		{"bytes off their grid", put32(section1+secFile, 0x7f0), "section 1 has"},
		{"bytes in the headers", put32(section1+secFile, 0x400), "section 1 has"},
		{"a larger image", put32(optional+optImage, 0x5000), "an image of"},
		{"17 directories", put32(optional+optDirectories, 17), "17 directories"},
		{"a directory behind the image", put32(optional+optTable+12, 0x8000), "directory 1"},
		{"a signature", func(b []byte) {
			put32(optional+optTable+8*certificates, 0x900)(b)
			put32(optional+optTable+8*certificates+4, 0x10)(b)
		}, "signed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := smallPE()
			test.change(b)
			err := checkPE(bytes.NewReader(b), int64(len(b)))
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestCheckPESize(t *testing.T) {
	b := smallPE()
	if err := checkPE(bytes.NewReader(b), math.MaxUint32); err != nil {
		t.Error(err)
	}
	if err := checkPE(bytes.NewReader(b), math.MaxUint32+1); !errors.Is(err, bundle.ErrWindowsSize) {
		t.Errorf("4 GiB: %v", err)
	}
}

// FuzzPE takes apart whatever keeps the rules, and wants it to keep them again.
func FuzzPE(f *testing.F) {
	f.Add(smallPE())
	f.Add(smallPE()[:0x300])
	header, sections, err := splitPE(smallPE(), testHeader, testSections)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(join(header, sections))
	f.Fuzz(func(t *testing.T, exe []byte) {
		header, sections, err := splitPE(exe, testHeader, testSections)
		if err != nil {
			return
		}
		if err := checkPE(bytes.NewReader(exe), int64(len(exe))); err != nil {
			t.Fatal(err)
		}
		b := join(header, sections)
		if err := checkPE(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	})
}
