package kernel

//go:generate go run -C ../../_asm . -out ../internal/kernel

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/whisperfile/whisperfile/ggml/internal/cpu"
)

// tables holds a table for each rung that this CPU can run and this program has bodies for. A rung's gate holds its
// parent's, so that the parent is there.
var tables = sync.OnceValue(func() []*Table {
	ts := []*Table{&generic}
	known := map[string]*Table{cpu.Generic: &generic}
	for _, r := range cpu.Rungs() {
		derive, parent := native[r.Name], known[r.Parent]
		if derive == nil || parent == nil || len(r.Missing()) > 0 {
			continue
		}
		t := derive(*parent)
		t.Name = r.Name
		known[r.Name] = &t
		ts = append(ts, &t)
	}
	return ts
})

// Tables returns the rungs that this CPU can run, the weakest first. The slice and what it points to must not be changed.
func Tables() []*Table { return tables() }

// Choose returns the rung of that name. The name "" stands for the one that the environment variable WHISPER_ISA names,
// and where that is empty too for the strongest. The error of a name that is unknown, or that this CPU cannot run, lists
// those that can be had.
func Choose(name string) (*Table, error) {
	ts, from := tables(), ""
	if name == "" {
		name, from = os.Getenv("WHISPER_ISA"), "WHISPER_ISA: "
	}
	if name == "" {
		return ts[len(ts)-1], nil
	}
	var names []string
	for _, t := range ts {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	why := "no such instruction set"
	for _, r := range cpu.Rungs() {
		switch missing := r.Missing(); {
		case r.Name != name:
		case len(missing) > 0:
			why = "this CPU has no " + strings.Join(missing, ", ")
		default:
			why = "this program was built without it"
		}
	}
	return nil, fmt.Errorf("%s%q: %s; there is %s", from, name, why, strings.Join(names, ", "))
}
