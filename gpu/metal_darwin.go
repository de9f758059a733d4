package gpu

import (
	"errors"

	"github.com/whisperfile/whisperfile/gpu/internal/dl"
)

// metal asks the system for its default device. Programs without windows have one only with CoreGraphics loaded.
func metal() ([]Device, error) {
	const frameworks = "/System/Library/Frameworks/"
	if _, err := dl.Open(frameworks + "CoreGraphics.framework/CoreGraphics"); err != nil {
		return nil, err
	}
	framework, err := dl.Open(frameworks + "Metal.framework/Metal")
	if err != nil {
		return nil, err
	}
	objc, err := dl.Open("/usr/lib/libobjc.A.dylib")
	if err != nil {
		return nil, err
	}
	m, o := driver{Library: framework}, driver{Library: objc}
	var (
		defaultDevice func() uintptr
		selector      func(name string) uintptr
		object        func(receiver, selector uintptr) uintptr
		number        func(receiver, selector uintptr) uint64
		utf8          func(receiver, selector uintptr) string
	)
	m.bind(&defaultDevice, "MTLCreateSystemDefaultDevice")
	o.bind(&selector, "sel_registerName")
	o.bind(&object, "objc_msgSend")
	o.bind(&number, "objc_msgSend")
	o.bind(&utf8, "objc_msgSend")
	if err := errors.Join(m.err, o.err); err != nil {
		return nil, err
	}
	device := defaultDevice()
	if device == 0 {
		return nil, nil
	}
	return []Device{{
		Kind:   Metal,
		Name:   utf8(object(device, selector("name")), selector("UTF8String")),
		Memory: number(device, selector("recommendedMaxWorkingSetSize")),
		Err:    ErrNoKernels,
	}}, nil
}
