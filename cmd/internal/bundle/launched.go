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

// launch is the entry of the environment that tells this process that the fat file at path started it.
func launch(path string) string { return variable + "=" + strconv.Itoa(os.Getpid()) + ":" + path }

// Builds begins the names of the programs in a fat file, and FirstBuild is that of the first member there.
const (
	Builds     = "bin/"
	FirstBuild = Builds + "windows-amd64.sections"
)

// endOfBuilds returns where the last program of a fat file, or of what was made of one, ends; 0 for other files.
func (d *directory) endOfBuilds() (end int64) {
	if d.find(FirstBuild) == nil {
		return 0
	}
	for _, e := range d.entries {
		if strings.HasPrefix(e.name, Builds) {
			end = max(end, e.header+e.packed)
		}
	}
	return end
}
