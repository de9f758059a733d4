package serve

import (
	"net"
	"net/netip"
	"os/exec"
	"runtime"
)

// browse returns what shows a page in the user's browser, or nil where nobody sits at a desktop.
func browse(getenv func(string) string) func(url string) {
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
		command = []string{"xdg-open"}
	}
	path, err := exec.LookPath(command[0])
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
