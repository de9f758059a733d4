package bundle

import (
	"bytes"
	"io"
	"math"
)

// program is what the headers of an executable say about its file.
type program struct {
	format string // "ELF", "PE", "Mach-O"; "" is something else
	end    int64  // where its own bytes end: what is behind was put there later
	signed bool   // by a signature that covers what is put behind as well
}

// maxTable bounds the program, section or load command table of an executable, in bytes.
const maxTable = 1 << 20

// readProgram understands executables of 64 bits in little endian.
func readProgram(r io.ReaderAt, size int64) program {
	head := make([]byte, 64)
	if _, err := r.ReadAt(head, 0); err != nil {
		return program{}
	}
	var p program
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF\x02\x01")):
		p = program{format: "ELF", end: endOfELF(r, head)}
	case bytes.HasPrefix(head, []byte("MZ")):
		p = readPE(r, int64(le.Uint32(head[60:])))
	case le.Uint32(head) == 0xfeedfacf:
		p = program{format: "Mach-O", end: endOfMachO(r, head)}
	}
	return p
}

// table reads n records of each bytes, or none where that is beyond reason.
func table(r io.ReaderAt, at uint64, n, each int) [][]byte {
	if n <= 0 || each <= 0 || n*each > maxTable || at > math.MaxInt64-maxTable {
		return nil
	}
	b, err := readAt(r, int64(at), n*each)
	if err != nil {
		return nil
	}
	var rows [][]byte
	for i := range n {
		rows = append(rows, b[i*each:(i+1)*each])
	}
	return rows
}

// further returns the larger of end and at + n, unless that is beyond a file.
func further(end int64, at, n uint64) int64 {
	if at > math.MaxInt64/2 || n > math.MaxInt64/2 {
		return end
	}
	return max(end, int64(at+n))
}

func endOfELF(r io.ReaderAt, head []byte) (end int64) {
	const (
		lenSegment, lenSection = 56, 64
		noBits                 = 8
	)
	segments, sections := int(le.Uint16(head[56:])), int(le.Uint16(head[60:]))
	segmentsAt, sectionsAt := le.Uint64(head[32:]), le.Uint64(head[40:])
	if int(le.Uint16(head[54:])) == lenSegment {
		for _, s := range table(r, segmentsAt, segments, lenSegment) {
			end = further(end, le.Uint64(s[8:]), le.Uint64(s[32:]))
		}
	}
	if sections > 0 && int(le.Uint16(head[58:])) == lenSection {
		end = further(end, sectionsAt, uint64(sections*lenSection))
		for _, s := range table(r, sectionsAt, sections, lenSection) {
			if le.Uint32(s[4:]) != noBits {
				end = further(end, le.Uint64(s[24:]), le.Uint64(s[32:]))
			}
		}
	}
	return end
}

func readPE(r io.ReaderAt, at int64) program {
	const (
		lenHeader, lenSection = 24, 40
		certificates          = 4 // among the data directories
		optional64            = 0x20b
	)
	h, err := readAt(r, at, lenHeader)
	if err != nil || string(h[:4]) != "PE\x00\x00" {
		return program{}
	}
	p := program{format: "PE"}
	optional := int(le.Uint16(h[20:]))
	o, err := readAt(r, at+lenHeader, optional)
	if err != nil {
		return program{}
	}
	for _, s := range table(r, uint64(at)+lenHeader+uint64(optional), int(le.Uint16(h[6:])), lenSection) {
		p.end = further(p.end, uint64(le.Uint32(s[20:])), uint64(le.Uint32(s[16:])))
	}
	const dirs = 112 // offset of the data directories
	if c := dirs + 8*certificates; optional >= c+8 && le.Uint16(o) == optional64 && le.Uint32(o[dirs-4:]) > certificates {
		where, n := uint64(le.Uint32(o[c:])), uint64(le.Uint32(o[c+4:]))
		p.signed = n > 0
		p.end = further(p.end, where, n)
	}
	return p
}

func endOfMachO(r io.ReaderAt, head []byte) (end int64) {
	const lenHeader, segment64 = 32, 0x19
	n := int(le.Uint32(head[20:]))
	if n > maxTable {
		return 0
	}
	b, err := readAt(r, lenHeader, n)
	if err != nil {
		return 0
	}
	for len(b) >= 8 {
		size := int(le.Uint32(b[4:]))
		if size < 8 || size > len(b) {
			break
		}
		if le.Uint32(b) == segment64 && size >= 56 {
			end = further(end, le.Uint64(b[40:]), le.Uint64(b[48:]))
		}
		b = b[size:]
	}
	return end
}

// cut tells, of a file without a zip directory, whether it had one once. A program ends where its headers say. Behind it
// a whisperfile has zeros up to its first member, which begins like one; whatever else people put there is not ours.
func cut(r io.ReaderAt, size int64) bool {
	p := readProgram(r, size)
	if p.format == "" || p.end == 0 || p.end == size {
		return false
	}
	if p.end > size {
		return true
	}
	const gap = 16 << 20
	block := make([]byte, 64<<10)
	for at := p.end; at < size && at < p.end+gap; {
		n, err := r.ReadAt(block[:min(int64(len(block)), size-at)], at)
		rest := bytes.TrimLeft(block[:n], "\x00")
		if len(rest) > 0 {
			if len(rest) < 4 {
				start := at + int64(n-len(rest))
				n, _ = r.ReadAt(block[:min(4, size-start)], start)
				rest = block[:n]
			}
			return isRecord(rest)
		}
		if err != nil {
			return err == io.EOF
		}
		at += int64(n)
	}
	return true
}
