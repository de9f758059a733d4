package dl_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/whisperfile/whisperfile/gpu/internal/dl"
)

// libc is the C library's name.
var libc = map[string]string{
	"linux": "libc.so.6", "darwin": "/usr/lib/libSystem.B.dylib", "windows": "msvcrt.dll",
}[runtime.GOOS]

func TestOpen(t *testing.T) {
	_, err := dl.Open("no-such-library-1", "no-such-library-2")
	if errors.Is(err, dl.ErrNone) {
		t.Skip(err)
	}
	for _, name := range []string{"no-such-library-1", "no-such-library-2"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("the error %q does not name %s", err, name)
		}
	}
	t.Run("by several at once", func(t *testing.T) {
		var openers sync.WaitGroup
		for range 8 {
			openers.Go(func() {
				for range 200 {
					if _, err := dl.Open("no-such-library"); !strings.Contains(err.Error(), "no-such-library") {
						t.Errorf("the error %q does not name no-such-library", err)
						return
					}
				}
			})
		}
		openers.Wait()
	})
	lib, err := dl.Open("no-such-library", libc)
	if err != nil {
		t.Fatal(err)
	}
	if lib.Name() != libc {
		t.Errorf("found as %q, not %q", lib.Name(), libc)
	}
	var length func(s string) uintptr
	var count func(format *byte, n uintptr) int32
	if err := lib.Bind(&length, "strlen"); err != nil {
		t.Fatal(err)
	}
	if n := length("four"); n != 4 {
		t.Errorf("strlen says %d", n)
	}
	if err := lib.Bind(&count, "no_such_function"); err == nil || !strings.Contains(err.Error(), "no_such_function") {
		t.Errorf("a function that is not there gave %v", err)
	}
}
