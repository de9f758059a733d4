package serve

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"

	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// browse returns what shows a page in the user's browser, or nil where nobody sits at a desktop.
func browse(getenv func(string) string, s *sandbox.Sandbox) func(url string) {
	if getenv("SSH_CONNECTION") != "" {
		return nil
	}
	var command []string
	switch runtime.GOOS {
	case "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler"}
	case "darwin":
		command = []string{"open"}
	default:
		if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
			return nil
		}
		return browseLater("xdg-open", s)
	}
	path, err := sandbox.LookPath(command[0])
	if err != nil {
		return nil
	}
	return func(url string) {
		// A page that does not open is no reason not to serve it. Some openers last as long as the browser.
		c := exec.Command(path, append(command[1:], url)...)
		if c.Start() == nil {
			go c.Wait() //nolint:errcheck // as above
		}
	}
}

// waiting is a script that starts its arguments with the address that it reads, in the background, so that nobody has to wait for the
// browser to end. Its input is taken aside first: what runs in the background has none.
const waiting = `exec 3<&0 </dev/null
{ IFS= read -r url <&3 && exec 3<&- && exec "$0" "$url"; } &`

// browseLater starts opener at once but lets it wait for the address: a browser must not have the restrictions that this program may have
// when it knows the address.
func browseLater(opener string, s *sandbox.Sandbox) func(url string) {
	path, err := sandbox.LookPath(opener)
	if err != nil {
		return nil
	}
	shell, err := sandbox.LookPath("sh")
	if err != nil {
		return nil
	}
	pipe, err := s.Hand(func() (*os.File, error) {
		r, w, err := os.Pipe()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		c := exec.Command(shell, "-c", waiting, path)
		c.Stdin = r
		if err := c.Run(); err != nil {
			w.Close()
			return nil, err
		}
		return w, nil
	})
	if err != nil {
		return nil
	}
	return func(url string) {
		fmt.Fprintln(pipe, url)
		pipe.Close()
	}
}

// reachable is the host under which this machine reaches a server that listens at host.
func reachable(host string) string {
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		return "localhost"
	}
	return host
}

// address is where the page is, for people at this machine.
func (s *settings) address(scheme, port string) string {
	return scheme + "://" + net.JoinHostPort(reachable(s.host), port) + s.RequestPath + "/"
}
