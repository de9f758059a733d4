package gpu

import (
	"fmt"
	"runtime"

	"github.com/whisperfile/whisperfile/gpu/internal/dl"
)

// Attributes of a device and results of calls, as cuda.h numbers them.
const (
	cudaMajor = 75
	cudaMinor = 76
)

// cudaResult is what the driver's functions return; 0 is success.
type cudaResult int32

func (r cudaResult) Error() string {
	switch r {
	case 34:
		return "the library is a stub without a driver"
	case 46:
		return "the device is in use or not available"
	case 100:
		return "the driver knows of no device"
	case 101:
		return "no such device"
	case 803:
		return "the library does not fit the driver of the kernel"
	case 804:
		return "the driver is too old for the library"
	}
	return fmt.Sprintf("the driver answers with error %d", int32(r))
}

// cuda lists NVIDIA's devices through the driver's library.
func cuda() ([]Device, error) {
	names := []string{"libcuda.so.1"}
	if runtime.GOOS == "windows" {
		names = []string{"nvcuda.dll"}
	}
	lib, err := dl.Open(names...)
	if err != nil {
		return nil, err
	}
	d := driver{Library: lib}
	var (
		initialise func(flags uint32) cudaResult
		version    func(version *int32) cudaResult
		count      func(count *int32) cudaResult
		get        func(device *int32, ordinal int32) cudaResult
		name       func(name *byte, size, device int32) cudaResult
		memory     func(bytes *uintptr, device int32) cudaResult
		attribute  func(value *int32, attribute, device int32) cudaResult
	)
	d.bind(&initialise, "cuInit")
	d.bind(&version, "cuDriverGetVersion")
	d.bind(&count, "cuDeviceGetCount")
	d.bind(&get, "cuDeviceGet")
	d.bind(&name, "cuDeviceGetName")
	d.bind(&memory, "cuDeviceTotalMem_v2")
	d.bind(&attribute, "cuDeviceGetAttribute")
	if d.err != nil {
		return nil, d.err
	}
	if r := initialise(0); r != 0 {
		return nil, r
	}
	var v, n int32
	if r := version(&v); r != 0 {
		return nil, r
	}
	if r := count(&n); r != 0 {
		return nil, r
	}
	var devices []Device
	for i := range n {
		var handle, major, minor int32
		var buf [256]byte
		var bytes uintptr
		device := Device{Kind: CUDA, Index: int(i), Driver: fmt.Sprintf("%d.%d", v/1000, v%1000/10), Err: ErrNoKernels}
		for _, r := range []cudaResult{
			get(&handle, i),
			name(&buf[0], int32(len(buf)), handle),
			memory(&bytes, handle),
			attribute(&major, cudaMajor, handle),
			attribute(&minor, cudaMinor, handle),
		} {
			if r != 0 {
				device.Err = r
				break
			}
		}
		device.Name, device.Memory = text(buf[:]), uint64(bytes)
		device.Capability = fmt.Sprintf("%d.%d", major, minor)
		devices = append(devices, device)
	}
	return devices, nil
}
