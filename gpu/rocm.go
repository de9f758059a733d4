package gpu

import (
	"fmt"
	"runtime"

	"github.com/whisperfile/whisperfile/gpu/internal/dl"
)

// What hipInit answers where the runtime is installed and no device is.
const (
	hipNoDevice      = 100
	hipInvalidDevice = 101
)

// rocm lists AMD's devices through the HIP runtime, which lies beside the driver.
func rocm() ([]Device, error) {
	names := []string{"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"}
	if runtime.GOOS == "windows" {
		names = []string{"amdhip64_7.dll", "amdhip64_6.dll", "amdhip64.dll"}
	}
	lib, err := dl.Open(names...)
	if err != nil {
		return nil, err
	}
	d := driver{Library: lib}
	var (
		initialise func(flags uint32) int32
		version    func(version *int32) int32
		count      func(count *int32) int32
		get        func(device *int32, ordinal int32) int32
		name       func(name *byte, size, device int32) int32
		memory     func(bytes *uintptr, device int32) int32
		capability func(major, minor *int32, device int32) int32
		explain    func(code int32) string
	)
	d.bind(&initialise, "hipInit")
	d.bind(&version, "hipRuntimeGetVersion")
	d.bind(&count, "hipGetDeviceCount")
	d.bind(&get, "hipDeviceGet")
	d.bind(&name, "hipDeviceGetName")
	d.bind(&memory, "hipDeviceTotalMem")
	d.bind(&capability, "hipDeviceComputeCapability")
	d.bind(&explain, "hipGetErrorString")
	if d.err != nil {
		return nil, d.err
	}
	failed := func(code int32) error {
		if code == 0 {
			return nil
		}
		return fmt.Errorf("%s (%d)", explain(code), code)
	}
	var v, n int32
	switch code := initialise(0); code {
	case 0:
	case hipNoDevice, hipInvalidDevice:
		return nil, nil
	default:
		return nil, failed(code)
	}
	if err := failed(version(&v)); err != nil {
		return nil, err
	}
	if err := failed(count(&n)); err != nil {
		return nil, err
	}
	var devices []Device
	for i := range n {
		var handle, major, minor int32
		var buf [256]byte
		var bytes uintptr
		device := Device{Kind: ROCm, Index: int(i), Driver: fmt.Sprintf("%d.%d", v/10_000_000, v/100_000%100), Err: ErrNoKernels}
		for _, code := range []int32{
			get(&handle, i),
			name(&buf[0], int32(len(buf)), handle),
			memory(&bytes, handle),
			capability(&major, &minor, handle),
		} {
			if code != 0 {
				device.Err = failed(code)
				break
			}
		}
		device.Name, device.Memory = text(buf[:]), uint64(bytes)
		device.Capability = fmt.Sprintf("%d.%d", major, minor)
		devices = append(devices, device)
	}
	return devices, nil
}
