//go:build amd64 || arm64

package serve

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// TestRestricted: a server that serves has restricted itself, unless it was told not to, and stops as ever.
func TestRestricted(t *testing.T) {
	holds := strings.Contains(sandbox.Status(), "seccomp")
	for _, test := range []struct {
		args []string
		want bool
	}{{nil, holds}, {[]string{"--unsecure"}, false}} {
		p := start(t, "", test.args...)
		if status, text := p.get(t, "/health"); status != http.StatusOK {
			t.Errorf("%q: %d %s", test.args, status, text)
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(b), "\nSeccomp:\t2\n"); got != test.want {
			t.Errorf("%q: filtered %t, want %t", test.args, got, test.want)
		}
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if code := p.end(); code != 0 {
			t.Errorf("%q: exit %d\n%s", test.args, code, p.log.String())
		}
	}
}
