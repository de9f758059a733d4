package bundle

import (
	"os"
	"strconv"
	"strings"
)

// Probe is the only argument of a start that is to end at once, with exit code 0: the launcher of a fat file starts a build so to see whether
// this system runs it.
const Probe = "--whisperfile-probe"

// variable holds the path of the fat file that this program was taken from, behind the process it was written for and a colon. Children
// inherit it, and it is not meant for them.
const variable = "WHISPERFILE"

// launched returns the path of the fat file that started this process, as it was called, and "" where none did. Only the first call can tell.
func launched() string {
	value := os.Getenv(variable)
	os.Unsetenv(variable) //nolint:errcheck // the name is good
	pid, path, _ := strings.Cut(value, ":")
	if pid != strconv.Itoa(os.Getpid()) {
		return ""
	}
	return path
}
