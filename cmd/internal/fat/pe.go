package fat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// errPE begins what is wrong with a Windows program.
var errPE = errors.New("not a program that Windows starts")

// Lengths, offsets and values of Microsoft's PE format specification that are used here. Offsets are from the structure they are in.
const (
	lenDOS       = 64
	dosHeader    = 60 // where the signature is
	peSignature  = "PE\x00\x00"
	lenPEFile    = 24 // signature and file header
	lenPESection = 40

	peMachine       = 4
	peSections      = 6
	peSymbols       = 12
	peSymbolCount   = 16
	peOptional      = 20
	peFlags         = 22
	machineAMD64    = 0x8664
	machineARM64    = 0xaa64
	flagExecutable  = 0x0002
	flagDLL         = 0x2000
	optMagic        = 0
	optEntry        = 16
	optImageBase    = 24
	optSectionAlign = 32
	optFileAlign    = 36
	optImage        = 56
	optHeaders      = 60
	optCheckSum     = 64
	optSubsystem    = 68
	optDirectories  = 108
	optTable        = 112
	magic64         = 0x20b
	subsystemGUI    = 2
	subsystemCUI    = 3
	secMemory       = 8
	secAddress      = 12
	secLen          = 16
	secFile         = 20
	secFlags        = 36
	secExecutable   = 0x20000000
	certificates    = 4 // of the directories: the only one whose address is an offset in the file
	debugging       = 6 // of the directories

	// 7-Zip reads a file with a PE header as that, and finds a zip behind it only if all sections end within the first 8 MiB, unless the header
	// lists more than 16 pieces of debugging information. Those of type 0 are "ignored by all tools".
	lenDebugEntry = 28
	debugEntries  = 17

	maxPESections  = 96
	maxDirectories = 16
	pageSize       = 0x1000
	imageBaseAlign = 0x10000
	minFileAlign   = 0x200
	maxFileAlign   = 0x10000
)

func badPE(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errPE, fmt.Sprintf(format, args...))
}

// peHeader is a PE header as it is in the file, from the signature to the end of the section table.
type peHeader struct {
	at       int64
	raw      []byte
	optional []byte   // part of raw
	sections [][]byte // parts of raw
}

func (h *peHeader) file16(at int) uint16 { return binary.LittleEndian.Uint16(h.raw[at:]) }
func (h *peHeader) opt32(at int) uint32  { return binary.LittleEndian.Uint32(h.optional[at:]) }

// readPE reads the header of a 64-bit program in a file of size bytes. No length is believed before it was compared with the file.
func readPE(f io.ReaderAt, size int64) (*peHeader, error) {
	dos, err := piece(f, 0, lenDOS, size)
	if err != nil {
		return nil, err
	}
	if string(dos[:2]) != "MZ" {
		return nil, badPE("it does not begin with MZ")
	}
	h := &peHeader{at: int64(binary.LittleEndian.Uint32(dos[dosHeader:]))}
	start, err := piece(f, h.at, lenPEFile, size)
	if err != nil {
		return nil, err
	}
	if string(start[:4]) != peSignature {
		return nil, badPE("there is no PE signature at %#x", h.at)
	}
	optional, n := int(binary.LittleEndian.Uint16(start[peOptional:])), int(binary.LittleEndian.Uint16(start[peSections:]))
	switch {
	case n < 1 || n > maxPESections:
		return nil, badPE("%d sections, of 1 to %d", n, maxPESections)
	case optional < optTable || optional > optTable+8*maxDirectories:
		return nil, badPE("an optional header of %d bytes", optional)
	}
	if h.raw, err = piece(f, h.at, lenPEFile+optional+n*lenPESection, size); err != nil {
		return nil, err
	}
	h.optional = h.raw[lenPEFile : lenPEFile+optional]
	for table := h.raw[lenPEFile+optional:]; len(table) > 0; table = table[lenPESection:] {
		h.sections = append(h.sections, table[:lenPESection])
	}
	if magic := binary.LittleEndian.Uint16(h.optional[optMagic:]); magic != magic64 {
		return nil, badPE("optional header %#x, not that of 64 bits", magic)
	}
	if d := h.opt32(optDirectories); d > maxDirectories || optTable+8*int(d) > optional {
		return nil, badPE("%d directories in an optional header of %d bytes", d, optional)
	}
	return h, nil
}

// piece returns n bytes at an offset, which must lie in the file.
func piece(f io.ReaderAt, at int64, n int, size int64) ([]byte, error) {
	if at < 0 || int64(n) > size || at > size-int64(n) {
		return nil, badPE("it ends before its header does")
	}
	b := make([]byte, n)
	if got, err := f.ReadAt(b, at); got < n {
		return nil, fmt.Errorf("%w: %w", errPE, err)
	}
	return b, nil
}

// splitPE takes a Windows program apart to stand in a larger file: header is its whole PE header, to be put at headerOffset, and sections
// are the bytes from its SizeOfHeaders on, to be put at sectionsOffset. The new SizeOfHeaders covers the header where it stands, which ends
// in a list of debugging information that says nothing. The program must have no signature, no symbol table and no debugging information
// of its own, and both offsets must suit checkPE's rules.
func splitPE(exe []byte, headerOffset, sectionsOffset int64) (header, sections []byte, err error) {
	r, size := bytes.NewReader(exe), int64(len(exe))
	if err := checkPE(r, size); err != nil {
		return nil, nil, err
	}
	h, err := readPE(r, size)
	if err != nil {
		return nil, nil, err
	}
	le := binary.LittleEndian
	headers, align, page := int64(h.opt32(optHeaders)), int64(h.opt32(optFileAlign)), int64(h.opt32(optSectionAlign))
	list := headerOffset + int64(len(h.raw)) // of debugging information; its address in memory is the same
	covered := roundUp(list+debugEntries*lenDebugEntry, align)
	switch {
	case headerOffset < lenDOS || headerOffset%8 != 0 || sectionsOffset < covered || sectionsOffset%align != 0:
		return nil, nil, fmt.Errorf("a header at %#x and sections at %#x suit no alignment of %#x", headerOffset, sectionsOffset, align)
	case roundUp(covered, page) != roundUp(headers, page):
		return nil, nil, badPE("a header of %#x bytes at %#x reaches into the first section", len(h.raw), headerOffset)
	case h.opt32(optDirectories) <= debugging || h.opt32(optTable+8*debugging+4) != 0:
		return nil, nil, badPE("no room for a list of debugging information, or one is there: link without it (-s -w)")
	case sectionsOffset > math.MaxUint32-size:
		return nil, nil, bundle.ErrWindowsSize
	}
	for _, s := range h.sections {
		if s[0] == '/' {
			return nil, nil, badPE("section %q has its name in a symbol table: link without symbols (-s -w)", bytes.TrimRight(s[:8], "\x00"))
		}
		if at := le.Uint32(s[secFile:]); at != 0 {
			le.PutUint32(s[secFile:], uint32(int64(at)-headers+sectionsOffset))
		}
	}
	le.PutUint32(h.raw[peSymbols:], 0)
	le.PutUint32(h.raw[peSymbolCount:], 0)
	le.PutUint32(h.optional[optHeaders:], uint32(covered))
	le.PutUint32(h.optional[optCheckSum:], 0)
	le.PutUint32(h.optional[optTable+8*debugging:], uint32(list))
	le.PutUint32(h.optional[optTable+8*debugging+4:], debugEntries*lenDebugEntry)
	return append(h.raw, make([]byte, debugEntries*lenDebugEntry)...), exe[headers:], nil // type 0 is nothing but zeros
}

// roundUp returns the multiple of align, a power of two, that is n or follows it.
func roundUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }
