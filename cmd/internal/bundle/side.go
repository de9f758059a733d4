package bundle

import (
	"os"
	"strings"
)

// beside returns the model file that lies beside an executable and is named like it, "" where there is none: NAME.bin beside NAME, NAME.exe or
// NAME.llamafile. It is for models that no Windows program can have inside.
func (b *Bundle) beside() string {
	name := strings.TrimSuffix(withoutExe(b.path), ".llamafile")
	if name == "" {
		return ""
	}
	if info, err := os.Stat(name + ".bin"); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return name + ".bin"
}
