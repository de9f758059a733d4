package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/whisperfile/whisperfile/audio"
	"github.com/whisperfile/whisperfile/model/tinyen"
)

// TestLong hears clips joined with silence and noise, as many minutes of them as the environment variable WHISPER_LONG
// says, and looks for clips that are lost or heard twice, with the committed model and the larger ones that are here.
func TestLong(t *testing.T) {
	minutes, err := strconv.Atoi(os.Getenv("WHISPER_LONG"))
	if err != nil || minutes <= 0 {
		t.Skip("WHISPER_LONG is no number of minutes: make long")
	}
	for _, name := range []string{"tiny.en-q5_1", "tiny.en", "base"} {
		for _, beams := range []int{5, 1} {
			t.Run(fmt.Sprintf("model=%s/beams=%d", name, beams), func(t *testing.T) {
				data := tinyen.Data()
				if name != "tiny.en-q5_1" {
					var err error
					if data, err = os.ReadFile(modelPath(t, name)); err != nil {
						t.Fatal(err)
					}
				}
				m, _ := openOn(t, data, 0, "")
				hearLong(t, m, time.Duration(minutes)*time.Minute, Options{BeamSize: beams, BestOf: 5, TokenTimes: true})
			})
		}
	}
}

// hearLong compares what is heard of each clip among the others with what is said in it, and with how much of that is heard
// of the clip alone.
func hearLong(t *testing.T, m *Model, length time.Duration, o Options) {
	readme, err := os.ReadFile(filepath.Join("..", "testdata", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var pcm [][]float32
	var said [][]string
	var alone []int // errors
	for _, line := range regexp.MustCompile(`(?m)^\| (austen-\d+)\.wav \|[^|]*\| (.*?) \|$`).FindAllStringSubmatch(string(readme), -1) {
		x := clip(t, line[1])
		names, pcm, said = append(names, line[1]), append(pcm, x), append(said, words(line[2]))
		var want, got []spoken
		for _, w := range words(line[2]) {
			want = append(want, spoken{word: w})
		}
		for _, w := range words(text(hear(t, m, x, len(x), o))) {
			got = append(got, spoken{word: w})
		}
		missing, extra := align(want, got)
		alone = append(alone, len(missing)+len(extra))
	}
	usual := 0
	rng := rand.New(rand.NewPCG(uint64(length), 13))
	var all []float32
	var want, clips []spoken
	for last := -1; len(all) < int(length.Seconds())*audio.SampleRate; {
		i := rng.IntN(len(names))
		if i == last {
			continue
		}
		last = i
		usual += alone[i]
		clips = append(clips, spoken{word: names[i], at: float64(len(all)) / audio.SampleRate})
		for _, w := range said[i] {
			want = append(want, spoken{w, len(clips) - 1, clips[len(clips)-1].at})
		}
		all = append(append(all, pcm[i]...), pause(rng)...)
	}
	start := time.Now()
	segments := hear(t, m, all, 16000, o)
	took := time.Since(start)
	inOrder(t, segments, time.Duration(len(all))*time.Second/audio.SampleRate)
	var got []spoken
	for _, s := range segments {
		for _, w := range words(s.Text) {
			got = append(got, spoken{word: w, at: s.Start.Seconds()})
		}
	}
	missing, extra := align(want, got)
	lost, twice := 0, 0
	for i, c := range clips {
		in := slices.DeleteFunc(slices.Clone(missing), func(w spoken) bool { return w.clip != i })
		if n := len(said[slices.Index(names, c.word)]); 2*len(in) > n {
			lost++
			t.Errorf("%s at %.1f s is lost: %d of %d words", c.word, c.at, len(in), n)
		}
	}
	for i := 0; i < len(extra); {
		n := 1
		for i+n < len(extra) && extra[i+n].clip == extra[i+n-1].clip+1 { // words behind each other
			n++
		}
		if n >= 4 {
			twice++
			t.Errorf("heard twice, or made up, at %.1f s: %v", extra[i].at, extra[i:i+n])
		}
		i += n
	}
	errors := len(missing) + len(extra)
	t.Logf("%d clips in %v, in %v: %d of %d words are missing or wrong, %d are there beyond that; it would be %d if each clip was alone; %d clips are lost, %d places are there twice",
		len(clips), length, took.Round(time.Second), len(missing), len(want), len(extra), usual, lost, twice)
	t.Log(missing)
	t.Log(extra)
	if (errors-usual)*25 > len(want) {
		t.Errorf("%d of %d words are wrong, %d more than in the clips alone", errors, len(want), errors-usual)
	}
}

// spoken is a word, the clip it belongs to (or its place among those that were heard), and the second at which that begins.
type spoken struct {
	word string
	clip int
	at   float64
}

func (s spoken) String() string { return fmt.Sprintf("%s@%.0f", s.word, s.at) }

// align returns the words of want that are not in got and the words of got that are in addition; a word in place of another
// is only missing. The clip of an additional word is its place in got.
func align(want, got []spoken) (missing, extra []spoken) {
	n := len(got) + 1
	cost := make([]int32, (len(want)+1)*n)
	for i := range len(want) + 1 {
		for j := range n {
			c := &cost[i*n+j]
			switch {
			case i == 0:
				*c = int32(j)
			case j == 0:
				*c = int32(i)
			case want[i-1].word == got[j-1].word:
				*c = cost[(i-1)*n+j-1]
			default:
				*c = 1 + min(cost[(i-1)*n+j-1], cost[(i-1)*n+j], cost[i*n+j-1])
			}
		}
	}
	for i, j := len(want), len(got); i > 0 || j > 0; {
		here := cost[i*n+j]
		switch {
		case i > 0 && j > 0 && want[i-1].word == got[j-1].word:
			i, j = i-1, j-1
		case i > 0 && j > 0 && here == cost[(i-1)*n+j-1]+1:
			i, j = i-1, j-1
			missing = append(missing, want[i])
		case i > 0 && here == cost[(i-1)*n+j]+1:
			i--
			missing = append(missing, want[i])
		default:
			j--
			extra = append(extra, spoken{got[j].word, j, got[j].at})
		}
	}
	slices.Reverse(missing)
	slices.Reverse(extra)
	return missing, extra
}

var (
	noWords = regexp.MustCompile(`\[[^\]]*\]|\([^)]*\)`)
	word    = regexp.MustCompile(`[a-z0-9']+`)
)

// words are those of a text, without punctuation and remarks.
func words(text string) []string {
	all := word.FindAllString(strings.ToLower(noWords.ReplaceAllString(text, " ")), -1)
	for i, w := range all {
		if w == "mr" {
			all[i] = "mister"
		}
	}
	return all
}

// pause is 0.3 to 4 s of silence, noise, hum or clicks.
func pause(rng *rand.Rand) []float32 {
	pcm := make([]float32, int((0.3+3.7*rng.Float64())*audio.SampleRate))
	kind, level := rng.IntN(5), math.Pow(10, -1.5-2*rng.Float64()) // −30 to −70 dB
	brown := 0.0
	for i := range pcm {
		var x float64
		switch kind {
		case 1: // white
			x = rng.NormFloat64()
		case 2: // brown
			brown = 0.995*brown + 0.1*rng.NormFloat64()
			x = brown
		case 3: // hum of the mains
			x = math.Sin(2*math.Pi*50*float64(i)/audio.SampleRate) + 0.5*math.Sin(2*math.Pi*150*float64(i)/audio.SampleRate)
		case 4: // clicks
			if rng.IntN(4000) == 0 {
				x = 10 * rng.NormFloat64()
			}
		}
		pcm[i] = float32(level * x)
	}
	return pcm
}

func TestAlign(t *testing.T) {
	say := func(s string) (all []spoken) {
		for i, w := range words(s) {
			all = append(all, spoken{w, i, 0})
		}
		return all
	}
	for _, c := range []struct{ want, got, missing, extra string }{
		{"a b c", "a b c", "", ""},
		{"a b c d", "a x c d", "b", ""},
		{"a b c d", "a c d", "b", ""},
		{"a b c d", "a b c b c d", "", "b c"},
		{"Mr. A (laughs) b", "mister a b!", "", ""},
		{"", "a b", "", "a b"},
		{"a b", "", "a b", ""},
	} {
		missing, extra := align(say(c.want), say(c.got))
		join := func(s []spoken) string {
			var all []string
			for _, w := range s {
				all = append(all, w.word)
			}
			return strings.Join(all, " ")
		}
		if join(missing) != c.missing || join(extra) != c.extra {
			t.Errorf("%q as %q: missing %v, extra %v", c.want, c.got, missing, extra)
		}
	}
}
