package fat

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"

	"github.com/whisperfile/whisperfile/cmd/internal/bundle"
)

// checkPE holds the file against the rules that Windows has for a program of 64 bits, of which other loaders, such as wine's, keep only
// some. They are those of Microsoft's PE format specification, and of the kernel when it makes an image section.
func checkPE(f io.ReaderAt, size int64) error {
	if size > math.MaxUint32 {
		return bundle.ErrWindowsSize
	}
	h, err := readPE(f, size)
	if err != nil {
		return err
	}
	if err := h.checkFixed(); err != nil {
		return err
	}
	return h.checkSections(size)
}

// checkFixed checks the fields in front of the section table.
func (h *peHeader) checkFixed() error {
	machine, flags := h.file16(peMachine), h.file16(peFlags)
	subsystem := binary.LittleEndian.Uint16(h.optional[optSubsystem:])
	base := binary.LittleEndian.Uint64(h.optional[optImageBase:])
	page, align := h.opt32(optSectionAlign), h.opt32(optFileAlign)
	headers := int64(h.opt32(optHeaders))
	switch {
	case h.at < lenDOS || h.at%8 != 0:
		return badPE("a PE header at %#x", h.at)
	case machine != machineAMD64 && machine != machineARM64:
		return badPE("machine %#x", machine)
	case flags&flagExecutable == 0 || flags&flagDLL != 0:
		return badPE("flags %#x are not those of a program", flags)
	case subsystem != subsystemCUI && subsystem != subsystemGUI:
		return badPE("subsystem %d", subsystem)
	case base == 0 || base%imageBaseAlign != 0:
		return badPE("image base %#x is no multiple of %#x", base, imageBaseAlign)
	case bits.OnesCount32(align) != 1 || align < minFileAlign || align > maxFileAlign:
		return badPE("file alignment %#x", align)
	case bits.OnesCount32(page) != 1 || page < pageSize || page < align:
		return badPE("section alignment %#x", page)
	case headers%int64(align) != 0:
		return badPE("headers of %#x bytes, no multiple of %#x", headers, align)
	case h.at+int64(len(h.raw)) > headers:
		return badPE("a header of %#x bytes at %#x, in headers of %#x bytes", len(h.raw), h.at, headers)
	}
	for i := range int(h.opt32(optDirectories)) {
		at, n := uint64(h.opt32(optTable+8*i)), uint64(h.opt32(optTable+8*i+4))
		switch {
		case i == certificates && n > 0:
			return badPE("it is signed, and the signature would not hold any more")
		case n > 0 && at+n > uint64(h.opt32(optImage)):
			return badPE("directory %d ends at %#x, behind the image", i, at+n)
		}
	}
	return nil
}

// checkSections checks that in memory the sections follow the headers and each other without a gap, and that the file has their bytes.
func (h *peHeader) checkSections(size int64) error {
	le := binary.LittleEndian
	page, align, headers := int64(h.opt32(optSectionAlign)), int64(h.opt32(optFileAlign)), int64(h.opt32(optHeaders))
	next, entry, runs := roundUp(headers, page), int64(h.opt32(optEntry)), false
	for i, s := range h.sections {
		memory, address := int64(le.Uint32(s[secMemory:])), int64(le.Uint32(s[secAddress:]))
		n, at := int64(le.Uint32(s[secLen:])), int64(le.Uint32(s[secFile:]))
		if memory == 0 {
			memory = n
		}
		switch {
		case address != next:
			return badPE("section %d begins at %#x in memory, and what is before it ends at %#x", i, address, next)
		case memory == 0:
			return badPE("section %d is empty", i)
		case n > 0 && (at%align != 0 || at < headers || at+n > size):
			return badPE("section %d has %#x bytes at %#x, of a file of %#x", i, n, at, size)
		}
		if entry >= address && entry < address+memory && le.Uint32(s[secFlags:])&secExecutable != 0 {
			runs = true
		}
		next = roundUp(address+memory, page)
	}
	switch image := int64(h.opt32(optImage)); {
	case image != next:
		return badPE("an image of %#x bytes, whose sections end at %#x", image, next)
	case !runs:
		return badPE("it begins at %#x, which is no code", entry)
	}
	return nil
}
