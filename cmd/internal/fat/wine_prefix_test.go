package fat

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// errNoWine means that there is no wine to run Windows programs with.
var errNoWine = errors.New("wine is not installed")

// wine is how Windows programs are started here.
type wine struct {
	command string
	env     []string // of this process, with what wine wants
}

// withWine returns wine, with a prefix in which programs of Go start: $WINEPREFIX, else one in the cache directory, which is made once. Where there is no
// wine the test is skipped, but not where everything has to be tested.
func withWine(t *testing.T) *wine {
	t.Helper()
	if testing.Short() {
		t.Skip("wine takes its time")
	}
	w, err := findWine()
	if errors.Is(err, errNoWine) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var findWine = sync.OnceValues(func() (*wine, error) {
	var command string
	for _, name := range []string{"wine", "wine64"} {
		if path, err := exec.LookPath(name); err == nil && command == "" {
			command = path
		}
	}
	if command == "" {
		return nil, errNoWine
	}
	prefix := os.Getenv("WINEPREFIX")
	if prefix == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		prefix = filepath.Join(cache, "whisperfile", "wine")
	}
	if err := os.MkdirAll(prefix, 0o700); err != nil {
		return nil, err
	}
	w := &wine{command, append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")}
	system := filepath.Join(prefix, "drive_c", "windows", "system32")
	dll := filepath.Join(system, "bcryptprimitives.dll")
	if _, err := os.Stat(dll); err == nil {
		return w, nil
	}
	boot := exec.Command(command, "wineboot", "--init")
	boot.Env = w.env
	if err := boot.Run(); err != nil {
		return nil, err
	}
	// wineboot returns before everything is there, and the DLL says that it is.
	settle := exec.Command("wineserver", "--wait")
	settle.Env = w.env
	if err := settle.Run(); err != nil && !errors.Is(err, exec.ErrNotFound) {
		return nil, err
	}
	return w, os.WriteFile(dll, bcryptPrimitives(), 0o644)
})

// start is a command that runs a Windows program in dir. What it writes must go to files: processes of wine's that end later hold a pipe open.
func (w *wine) start(t *testing.T, dir, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), w.command, append([]string{program}, args...)...)
	c.Dir, c.Env = dir, w.env
	return c
}

// bcryptPrimitives makes the DLL that Go's runtime opens at start and wine 8.0 lacks. It has one section, and in it one export: ProcessPrng, which
// is SystemFunction036 of advapi32. Both fill a buffer with random bytes.
func bcryptPrimitives() []byte {
	const (
		rva, file   = 0x1000, 0x200
		directory   = 40 // length of the export directory, which is followed by three tables of one entry each
		tables      = directory + 4 + 4 + 2
		dll         = "bcryptprimitives.dll\x00"
		export      = "ProcessPrng\x00"
		forward     = "advapi32.SystemFunction036\x00"
		atDLL       = rva + tables
		atExport    = atDLL + len(dll)
		atForward   = atExport + len(export)
		length      = atForward + len(forward) - rva
		base        = 0x180000000
		flagLarge   = 0x20
		nxAndMoves  = 0x140
		readOnly    = 0x40000040 // initialised data
		headersSize = 0x200
	)
	le := binary.LittleEndian
	b := make([]byte, file+0x200)
	copy(b, "MZ")
	le.PutUint32(b[dosHeader:], lenDOS)
	h := b[lenDOS:]
	copy(h, peSignature)
	le.PutUint16(h[peMachine:], machineAMD64)
	le.PutUint16(h[peSections:], 1)
	le.PutUint16(h[peOptional:], optTable+8*maxDirectories)
	le.PutUint16(h[peFlags:], flagExecutable|flagDLL|flagLarge)
	o := h[lenPEFile:]
	le.PutUint16(o[optMagic:], magic64)
	le.PutUint64(o[optImageBase:], base)
	le.PutUint32(o[optSectionAlign:], pageSize)
	le.PutUint32(o[optFileAlign:], minFileAlign)
	le.PutUint16(o[40:], 6) // of Windows
	le.PutUint16(o[48:], 6) // of the subsystem
	le.PutUint32(o[optImage:], 2*pageSize)
	le.PutUint32(o[optHeaders:], headersSize)
	le.PutUint16(o[optSubsystem:], subsystemCUI)
	le.PutUint16(o[optSubsystem+2:], nxAndMoves)
	le.PutUint32(o[optDirectories:], maxDirectories)
	le.PutUint32(o[optTable:], rva)
	le.PutUint32(o[optTable+4:], uint32(length))
	s := o[optTable+8*maxDirectories:]
	copy(s, ".rdata")
	le.PutUint32(s[secMemory:], uint32(length))
	le.PutUint32(s[secAddress:], rva)
	le.PutUint32(s[secLen:], 0x200)
	le.PutUint32(s[secFile:], file)
	le.PutUint32(s[secFlags:], readOnly)
	e := b[file:]
	for i, v := range []int{
		12: atDLL, 16: 1, 20: 1, 24: 1, // name, first ordinal, functions, names
		28: rva + directory, 32: rva + directory + 4, 36: rva + directory + 8,
		directory: atForward, directory + 4: atExport,
	} {
		if v != 0 {
			le.PutUint32(e[i:], uint32(v))
		}
	}
	copy(e[tables:], dll+export+forward)
	return b
}
