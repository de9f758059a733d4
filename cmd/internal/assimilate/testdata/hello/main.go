// Command hello says which build of it runs, and how long its own executable is.
package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	path, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	info, err := os.Stat(path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	runtime.GC()
	fmt.Println(runtime.GOOS, runtime.GOARCH, linkage, info.Size())
}
