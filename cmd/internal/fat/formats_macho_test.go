package fat

import (
	"bytes"
	"crypto/sha256"
	"debug/macho"
	"encoding/binary"
	"slices"
	"testing"
)

// Load commands, and magics and values of code signatures, as Apple's loader.h and cs_blobs.h name them.
const (
	lcUnixThread    = 0x5 // says where amd64 begins
	lcCodeSignature = 0x1d
	lcBuildVersion  = 0x32
	lcMain          = 0x80000028 // says where arm64 begins

	platformMacOS = 1
	oldestMacOS   = 12 << 16

	csSuperBlob     = 0xfade0cc0
	csCodeDirectory = 0xfade0c02
	csAdHoc         = 0x2
	csSHA256        = 2
)

func checkMachO(t *testing.T, b []byte, cpu macho.Cpu, signed bool) {
	f, err := macho.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if f.Cpu != cpu || f.Type != macho.TypeExec || f.Flags&macho.FlagPIE == 0 && signed {
		t.Errorf("%v %v, flags %#x", f.Cpu, f.Type, f.Flags)
	}
	if libs, err := f.ImportedLibraries(); err != nil || !slices.Contains(libs, "/usr/lib/libSystem.B.dylib") {
		t.Errorf("libraries %q, %v", libs, err)
	}
	var begins, version, signature bool
	le := binary.LittleEndian
	for _, l := range f.Loads {
		raw := l.Raw()
		switch le.Uint32(raw) {
		case lcMain, lcUnixThread:
			begins = true
		case lcBuildVersion:
			version = true
			if platform, oldest := le.Uint32(raw[8:]), le.Uint32(raw[12:]); platform != platformMacOS || oldest != oldestMacOS {
				t.Errorf("for platform %d from version %#x on", platform, oldest)
			}
		case lcCodeSignature:
			signature = true
			at, n := le.Uint32(raw[8:]), le.Uint32(raw[12:])
			if uint64(at)+uint64(n) > uint64(len(b)) {
				t.Fatalf("a signature of %d bytes at %d, of %d", n, at, len(b))
			}
			checkSignature(t, b, b[at:at+n], at)
		}
	}
	if !begins || !version || signature != signed {
		t.Errorf("entry %v, version %v, signature %v, want %v", begins, version, signature, signed)
	}
	text := f.Segment("__TEXT")
	if text == nil || text.Offset != 0 || text.Filesz == 0 {
		t.Errorf("%+v", text)
	}
}

// checkSignature proves the hashes of an ad hoc signature, which covers the bytes of a program up to where it stands.
func checkSignature(t *testing.T, program, blob []byte, at uint32) {
	be := binary.BigEndian
	if len(blob) < 20 || be.Uint32(blob) != csSuperBlob || be.Uint32(blob[8:]) == 0 || uint64(be.Uint32(blob[16:]))+44 > uint64(len(blob)) {
		t.Fatal("the signature is none")
	}
	d := blob[be.Uint32(blob[16:]):]
	flags, hashes, n, limit := be.Uint32(d[12:]), be.Uint32(d[16:]), be.Uint32(d[28:]), be.Uint32(d[32:])
	if be.Uint32(d) != csCodeDirectory || flags&csAdHoc == 0 || d[36] != sha256.Size || d[37] != csSHA256 || d[39] < 12 || d[39] > 16 || limit != at {
		t.Fatalf("code directory %#x, flags %#x, hashes of %d bytes of kind %d, pages of 2^%d, up to %#x of %#x", be.Uint32(d), flags, d[36], d[37], d[39], limit, at)
	}
	page := uint32(1) << d[39]
	if n != (limit+page-1)/page || uint64(hashes)+uint64(n)*sha256.Size > uint64(len(d)) {
		t.Fatalf("%d hashes for %d bytes", n, limit)
	}
	for i := range n {
		sum := sha256.Sum256(program[i*page : min((i+1)*page, limit)])
		if !bytes.Equal(sum[:], d[hashes+i*sha256.Size:][:sha256.Size]) {
			t.Fatalf("page %d does not match its hash", i)
		}
	}
}
