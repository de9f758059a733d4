package fat

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
)

// apeNames are the builds that Cosmopolitan's loader is told of. It starts Linux programs that need no loader of their own.
var apeNames = []string{"linux-amd64", "linux-arm64"}

const lenELF, lenSegment = 64, 56

// apeLines are what Cosmopolitan's loader, which some systems are told to run everything with that begins with magic, wants to find at
// offset at: for each processor a line of shell, never run, that would print an ELF header, and the program headers that it points to. The
// loader maps the build from where it is. https://github.com/jart/cosmopolitan/blob/master/ape/specification.md
func apeLines(at int64, builds []build) ([]byte, error) {
	var headers, tables [][]byte
	for _, b := range builds {
		for _, name := range apeNames {
			if b.name != name {
				continue
			}
			header, table, err := shifted(b.data, b.at)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.name, err)
			}
			headers, tables = append(headers, header), append(tables, table)
		}
	}
	lines := func(tablesAt int64) (text []byte) {
		for i, h := range headers {
			binary.LittleEndian.PutUint64(h[32:], uint64(tablesAt)) // e_phoff
			tablesAt += int64(len(tables[i]))
			text = fmt.Appendf(text, "printf '%s'\n", octal(h))
		}
		return text
	}
	// The offsets of the tables are in the lines before them. A length that ends well behind them leaves room for whatever digits.
	tablesAt := roundUp(at+int64(len(headers))*(lenELF*4+16), 8)
	text := lines(tablesAt)
	if at+int64(len(text)) > apeLimit {
		return nil, fmt.Errorf("the launcher ends at %#x and leaves no room for ELF headers", at)
	}
	out := append(text, make([]byte, tablesAt-at-int64(len(text)))...)
	return append(out, bytes.Join(tables, nil)...), nil
}

// shifted returns the ELF header and the program headers of a program for a file in which it begins at offset at.
func shifted(data []byte, at int64) (header, table []byte, err error) {
	e, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, nil, err
	}
	if e.Class != elf.ELFCLASS64 || e.ByteOrder != binary.LittleEndian {
		return nil, nil, fmt.Errorf("%v in %v", e.Class, e.ByteOrder)
	}
	le := binary.LittleEndian
	header = bytes.Clone(data[:lenELF])
	n := 0
	for _, p := range e.Progs {
		switch p.Type {
		case elf.PT_INTERP, elf.PT_DYNAMIC:
			return nil, nil, fmt.Errorf("it needs a loader of its own")
		case elf.PT_LOAD, elf.PT_NOTE, elf.PT_TLS, elf.PT_GNU_STACK:
		default:
			continue // PT_PHDR would point to what is not there
		}
		row := le.AppendUint32(nil, uint32(p.Type))
		row = le.AppendUint32(row, uint32(p.Flags))
		off := p.Off
		if p.Filesz > 0 {
			off += uint64(at)
		}
		for _, v := range []uint64{off, p.Vaddr, p.Paddr, p.Filesz, p.Memsz, p.Align} {
			row = le.AppendUint64(row, v)
		}
		table = append(table, row...)
		n++
	}
	le.PutUint64(header[40:], 0) // e_shoff: no sections
	le.PutUint16(header[54:], lenSegment)
	le.PutUint16(header[56:], uint16(n))
	le.PutUint16(header[60:], 0)
	le.PutUint16(header[62:], 0)
	return header, table, nil
}

// octal writes b as printf takes it, with as few digits as the next byte allows.
func octal(b []byte) string {
	var s strings.Builder
	for i, c := range b {
		digits := i+1 < len(b) && plain(b[i+1]) && b[i+1] >= '0' && b[i+1] <= '7'
		switch {
		case plain(c):
			s.WriteByte(c)
		case digits:
			fmt.Fprintf(&s, `\%03o`, c)
		default:
			fmt.Fprintf(&s, `\%o`, c)
		}
	}
	return s.String()
}

// plain reports whether a byte stands for itself, in printf and in single quotes.
func plain(c byte) bool {
	return c > ' ' && c < 0x7f && c != '\'' && c != '\\' && c != '%'
}
