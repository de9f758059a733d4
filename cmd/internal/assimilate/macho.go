package assimilate

import (
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A slice of a universal file begins at a multiple of 1 << alignMachO, the largest page of macOS.
const alignMachO = 14

// maxSlices bounds a universal header: readers take one of more than this for a Java class.
const maxSlices = 16

// slice is a Mach-O program inside a file.
type slice struct {
	r    io.ReaderAt // of the program
	at   int64       // where it lies in the file
	size int64
	cpu  macho.Cpu
}

// universal returns the header with which a file is the programs inside it. Their bytes stay, and so do their signatures.
func universal(slices []slice) ([]byte, error) {
	if len(slices) > maxSlices {
		return nil, fmt.Errorf("%d programs are beyond the limit", len(slices))
	}
	be := binary.BigEndian
	b := be.AppendUint32(nil, macho.MagicFat)
	b = be.AppendUint32(b, uint32(len(slices)))
	for _, s := range slices {
		var h macho.FileHeader
		if err := record(s.r, 0, &h); err != nil {
			return nil, err
		}
		switch {
		case h.Magic != macho.Magic64 || h.Type != macho.TypeExec:
			return nil, errors.New("it is no Mach-O program of 64 bits")
		case h.Cpu != s.cpu:
			return nil, fmt.Errorf("it is for another processor: %v", h.Cpu)
		case s.at%(1<<alignMachO) != 0:
			return nil, fmt.Errorf("it needs a multiple of %d, and lies at %d", 1<<alignMachO, s.at)
		case s.size > math.MaxUint32-s.at:
			return nil, errors.New("it ends beyond 4 GiB, where macOS starts no program")
		}
		var err error
		b, err = binary.Append(b, be, macho.FatArchHeader{
			Cpu: h.Cpu, SubCpu: h.SubCpu, Offset: uint32(s.at), Size: uint32(s.size), Align: alignMachO,
		})
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}
