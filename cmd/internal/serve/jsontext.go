package serve

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
)

// jsonText is JSON in the making, in the bytes that nlohmann's library writes, which whisper.cpp uses: no blanks, keys in the
// order in which they come, numbers in the shortest form that reads back the same, whole ones with ".0".
type jsonText struct {
	b    []byte
	more bool // something stands before in the object or array that is open
}

func (j *jsonText) next() {
	if j.more {
		j.b = append(j.b, ',')
	}
	j.more = true
}

func (j *jsonText) open(bracket byte) {
	j.next()
	j.b = append(j.b, bracket)
	j.more = false
}

func (j *jsonText) close(bracket byte) {
	j.b = append(j.b, bracket)
	j.more = true
}

func (j *jsonText) key(k string) {
	j.next()
	j.b = append(append(j.b, transcript.Quote(k)...), ':')
	j.more = false
}

func (j *jsonText) str(s string) {
	j.next()
	j.b = append(j.b, transcript.Quote(s)...)
}

func (j *jsonText) strOrNull(s string) {
	if s == "" {
		j.raw("null")
		return
	}
	j.str(s)
}

func (j *jsonText) raw(s string) {
	j.next()
	j.b = append(j.b, s...)
}

func (j *jsonText) integer(n int) { j.raw(strconv.Itoa(n)) }

func (j *jsonText) boolean(b bool) { j.raw(strconv.FormatBool(b)) }

// number writes x; what is no number is null.
func (j *jsonText) number(x float64) {
	switch a := math.Abs(x); {
	case math.IsNaN(x) || math.IsInf(x, 0):
		j.raw("null")
	case a != 0 && (a < 1e-4 || a >= 1e15):
		j.raw(strconv.FormatFloat(x, 'e', -1, 64))
	default:
		s := strconv.FormatFloat(x, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		j.raw(s)
	}
}

func (j *jsonText) float32(x float32) { j.number(float64(x)) }

func (j *jsonText) integers(list []int32) {
	j.open('[')
	for _, n := range list {
		j.integer(int(n))
	}
	j.close(']')
}

// seconds are those of d, to a millisecond.
func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
