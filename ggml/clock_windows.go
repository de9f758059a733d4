package ggml

import (
	"time"

	"golang.org/x/sys/windows"
)

// Now is the clock that Peak measures with: it tells less than 1 µs on every system. That of Go's runtime moves by up to 15.6 ms at a time on
// Windows.
func Now() time.Time {
	var t windows.Filetime
	windows.GetSystemTimePreciseAsFileTime(&t)
	return time.Unix(0, t.Nanoseconds())
}
