package kernel_test

import (
	"testing"
	"unsafe"
)

// regionSize is enough for the largest slice of a test.
const regionSize = 1 << 18

// memory hands out slices for one call of a kernel, each from a region of its own. A slice lies against the end of its
// region, behind which, where the system allows, memory cannot be touched; or one byte before it, at an odd address.
// What surrounds a slice is filled and must stay as it is.
type memory struct {
	regions [][]byte
	slices  []placed
	odd     bool
}

type placed struct{ from, to int }

const (
	filler = 0xA5
	margin = 64 // bytes checked on both sides, where the region has them
)

func newMemory(t testing.TB) *memory {
	m := &memory{}
	for range 6 {
		m.regions = append(m.regions, region(t))
	}
	return m
}

// bothWays calls f with slices at the ends of their regions and at odd addresses.
func (m *memory) bothWays(f func()) {
	for _, m.odd = range []bool{false, true} {
		f()
	}
}

// take returns n bytes.
func (m *memory) take(n int) []byte {
	r := m.regions[len(m.slices)]
	end := regionSize
	if m.odd {
		end--
	}
	for i := max(0, end-n-margin); i < len(r) && i < end+margin; i++ {
		r[i] = filler
	}
	m.slices = append(m.slices, placed{end - n, end})
	return r[end-n : end : end]
}

// takeOf returns a copy of x that a kernel may work on.
func takeOf[E float32 | uint16 | int32 | byte](m *memory, x []E) []E {
	size := int(unsafe.Sizeof(*new(E)))
	b := m.take(len(x) * size)
	s := unsafe.Slice((*E)(unsafe.Pointer(unsafe.SliceData(b))), len(x))
	copy(s, x)
	return s
}

// release ends a call: it fails where something outside the slices has changed.
func (m *memory) release(t testing.TB, what string, args ...any) {
	t.Helper()
	for i, s := range m.slices {
		r := m.regions[i]
		for at := max(0, s.from-margin); at < len(r) && at < s.to+margin; at++ {
			if (at < s.from || at >= s.to) && r[at] != filler {
				t.Errorf(what+": byte %d of a slice of %d bytes was written", append(args, at-s.from, s.to-s.from)...)
				break
			}
		}
	}
	m.slices = m.slices[:0]
}
