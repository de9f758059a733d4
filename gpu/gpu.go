// Package gpu finds the graphics processors of a machine through their drivers alone: no toolkit is needed, and a driver
// that is missing is a reason, not a failure. Nothing computes on them yet.
package gpu

import (
	"errors"
	"fmt"

	"github.com/whisperfile/whisperfile/gpu/internal/dl"
)

// Kind is the interface a device is driven through.
type Kind string

// The kinds there are.
const (
	CUDA  Kind = "cuda"  // NVIDIA
	ROCm  Kind = "rocm"  // AMD
	Metal Kind = "metal" // Apple
)

// Device is a processor that a driver knows of.
type Device struct {
	Kind       Kind
	Index      int    // its number in the driver
	Name       string // what the driver calls it: "NVIDIA H100 80GB HBM3"
	Memory     uint64 // bytes in all; 0 where that is unknown
	Capability string // of its instructions: "9.0"; "" where that is unknown
	Driver     string // version of the interface that the driver offers: "13.0"; "" where that is unknown

	// Err says why the device cannot be used; nil where it can.
	Err error
}

// ErrNoKernels is the Err of a device that is fine and that this program has no code for.
var ErrNoKernels = errors.New("there are no kernels for it yet")

// Absent is why a kind has no devices here.
type Absent struct {
	Kind Kind
	Err  error
}

func (a *Absent) Error() string { return fmt.Sprintf("%s: %v", a.Kind, a.Err) }

// Unwrap returns the cause.
func (a *Absent) Unwrap() error { return a.Err }

// Devices asks the drivers of all kinds for their devices. absent says for each kind that has none why not. With CUDA it
// takes a tenth of a second, elsewhere less.
func Devices() (devices []Device, absent []*Absent) {
	for _, k := range []struct {
		kind Kind
		find func() ([]Device, error)
	}{{CUDA, cuda}, {ROCm, rocm}, {Metal, metal}} {
		found, err := k.find()
		if err == nil && len(found) == 0 {
			err = errors.New("the driver knows of no device")
		}
		if err != nil {
			absent = append(absent, &Absent{k.kind, err})
		}
		devices = append(devices, found...)
	}
	return devices, absent
}

// driver is a library whose functions are bound one by one; the first that is missing is remembered.
type driver struct {
	*dl.Library
	err error
}

func (d *driver) bind(f any, name string) {
	if d.err == nil {
		d.err = d.Bind(f, name)
	}
}

// text returns the string that C left in a buffer.
func text(buf []byte) string {
	for i, c := range buf {
		if c == 0 {
			return string(buf[:i])
		}
	}
	return string(buf)
}
