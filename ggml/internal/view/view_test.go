package view

import (
	"math"
	"testing"
)

func TestViewsAtAnyAddress(t *testing.T) {
	b := []byte{9, 0, 0, 0x80, 0x3f, 0, 0x3c, 0, 0xc0, 7}
	if f := F32(b[1:]); len(f) != 2 || f[0] != 1 {
		t.Errorf("F32: %v", f)
	}
	if h := F16(b[5:]); len(h) != 2 || h[0] != 0x3c00 || h[1] != 0xc000 {
		t.Errorf("F16: %x", h)
	}
	F32(b[1:])[0] = -2
	if got := math.Float32frombits(uint32(b[1]) | uint32(b[2])<<8 | uint32(b[3])<<16 | uint32(b[4])<<24); got != -2 {
		t.Errorf("a write through the view gave %v", got)
	}
	if s := Bytes("abc"); string(s) != "abc" || cap(s) != 3 {
		t.Errorf("Bytes: %q, capacity %d", s, cap(s))
	}
	if len(F32(nil))+len(F16(nil))+len(F32(b[:3]))+len(F16(b[:1]))+len(Bytes("")) != 0 {
		t.Error("a view of too few bytes is not empty")
	}
}
