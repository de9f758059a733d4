//go:build !unix

package bundle

import "os"

// isSparse knows of none.
func isSparse(*os.File) bool { return false }
