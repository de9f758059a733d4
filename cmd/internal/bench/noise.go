package bench

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/whisperfile/whisperfile/ggml"
)

// What a machine may do beside the benchmark and still count as quiet, in percent.
const (
	quietOthers = 5
	quietSpin   = 10
)

// listen finds out in half a second how busy others keep the machine.
func listen(ctx context.Context) (Noise, error) {
	n := Noise{Spin: spinSpread()}
	if before, ok := readLoad("/proc/stat"); ok {
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(400 * time.Millisecond):
		}
		if after, ok := readLoad("/proc/stat"); ok {
			n.Others = after.since(before)
		}
	}
	return n.judge(), ctx.Err()
}

// judge fills in whether that is quiet.
func (n Noise) judge() Noise {
	n.Quiet = n.Others < quietOthers && n.Spin < quietSpin
	return n
}

// worse joins what was heard at two times.
func (n Noise) worse(m Noise) Noise {
	return Noise{Others: max(n.Others, m.Others), Spin: max(n.Spin, m.Spin)}.judge()
}

// spinSpread runs a hundred equal loops of about half a millisecond and returns by how many percent the slowest tenth
// took longer than the fastest loop.
func spinSpread() float64 {
	spent := make([]float64, 100)
	x := uint64(1)
	for i := range spent {
		start := ggml.Now()
		for range 300_000 {
			x = x*6364136223846793005 + 1442695040888963407
		}
		spent[i] = since(start).Seconds()
	}
	slices.Sort(spent)
	if x == 0 { // keeps the loop
		return 0
	}
	return 100 * (spent[len(spent)*9/10]/spent[0] - 1)
}

// load is the time that all CPUs together have spent, in ticks.
type load struct{ busy, all uint64 }

// readLoad reads the first line of a file such as Linux's /proc/stat; there is none elsewhere.
func readLoad(path string) (load, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return load{}, false
	}
	return parseLoad(data)
}

func parseLoad(stat []byte) (l load, ok bool) {
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 6 || string(fields[0]) != "cpu" {
		return load{}, false
	}
	// user nice system idle iowait irq softirq steal; what follows is counted among them.
	for i, f := range fields[1:min(len(fields), 9)] {
		ticks, err := strconv.ParseUint(string(f), 10, 64)
		if err != nil {
			return load{}, false
		}
		l.all += ticks
		if i != 3 && i != 4 {
			l.busy += ticks
		}
	}
	return l, true
}

// since returns which share of the time since an earlier load was spent, in percent.
func (l load) since(before load) float64 {
	if l.all <= before.all || l.busy < before.busy {
		return 0
	}
	return 100 * float64(l.busy-before.busy) / float64(l.all-before.all)
}
