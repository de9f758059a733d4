package fat

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the launcher
	"fmt"
	"strings"
)

//go:embed launcher.sh
var launcherText string

// launcher is the script with its table of builds, in whole blocks.
func launcher(builds []build) ([]byte, error) {
	var cases strings.Builder
	for i := 0; i < len(builds); i++ {
		b := &builds[i]
		fmt.Fprintf(&cases, "'%s')\n", b.uname)
		if i+1 < len(builds) && builds[i+1].gpu && builds[i+1].uname == b.uname {
			i++
			gpu := &builds[i]
			if strings.ContainsAny(gpu.loader, "'\n\x00") || gpu.loader == "" {
				return nil, fmt.Errorf("%s: loader %q", gpu.name, gpu.loader)
			}
			fmt.Fprintf(&cases, "wf_try '%s' %s || {\nwf_gpu=\nwf_find %s\n} ;;\n", gpu.loader, gpu.row(), b.row())
			continue
		}
		fmt.Fprintf(&cases, "wf_find %s ;;\n", b.row())
	}
	var script []byte
	for line := range strings.Lines(launcherText) {
		line = strings.TrimLeft(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"), line == "\n":
		case line == "@builds@\n":
			script = append(script, cases.String()...)
		default:
			script = append(script, line...)
		}
	}
	for _, c := range script {
		if c >= 0x7f || c < ' ' && c != '\n' && c != '\t' {
			return nil, fmt.Errorf("the launcher holds %q, which some shells do not read", c)
		}
	}
	for len(script)%block != 0 {
		script = append(script, '\n')
	}
	return script, nil
}

// row is what the launcher knows of a build: the hash its directory is named by, first block and number of blocks of 64 KiB, and
// the checksum and length of what lies there, with zeros up to the end of a block unless the copy is exact.
func (b *build) row() string {
	data := b.data
	blocks := (len(data) + align - 1) / align
	if !b.exact {
		data = append(bytes.Clone(data), make([]byte, blocks*align-len(data))...)
	}
	return fmt.Sprintf("%.16x %d %d %d %d", sha256.Sum256(b.data), b.at/align, blocks, cksum(data), len(data))
}

// cksum is the checksum of POSIX's cksum: a CRC, most significant bit first, of the data and of its length in as many bytes as it takes.
func cksum(data []byte) uint32 {
	var crc uint32
	for _, c := range data {
		crc = crc<<8 ^ cksumTable[byte(crc>>24)^c]
	}
	for n := len(data); n > 0; n >>= 8 {
		crc = crc<<8 ^ cksumTable[byte(crc>>24)^byte(n)]
	}
	return ^crc
}

var cksumTable = func() (t [256]uint32) {
	for i := range t {
		c := uint32(i) << 24
		for range 8 {
			carry := c >> 31
			c = c<<1 ^ carry*0x04c11db7
		}
		t[i] = c
	}
	return t
}()
