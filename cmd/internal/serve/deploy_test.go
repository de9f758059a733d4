package serve

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestDeploy: the flags that docs/deploy names are there.
func TestDeploy(t *testing.T) {
	known := []string{"m"}
	for _, f := range flags() {
		known = append(known, f.Names()...)
	}
	line := regexp.MustCompile(`(?m)^#?\s*(?:ExecStart=\S+whisper-server|ENTRYPOINT) (.+)$`)
	flag := regexp.MustCompile(`(?:^|[\s"])--?([a-z][a-z-]*)`)
	for _, name := range []string{"whisper-server.service", "Containerfile"} {
		b, err := os.ReadFile("../../../docs/deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, l := range line.FindAllStringSubmatch(string(b), -1) {
			for _, f := range flag.FindAllStringSubmatch(l[1], -1) {
				if found++; !slices.Contains(known, f[1]) {
					t.Errorf("%s: whisper-server has no flag %s", name, f[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: there are no flags", name)
		}
	}
}
