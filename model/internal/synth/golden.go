package synth

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Golden is what scripts/oracle.py computed with one model for one clip and prompt, in double precision.
type Golden struct {
	Model  string // SHA-256 of the model file, in hexadecimal
	Clip   string // name of the clip in the module's testdata
	Tokens []int32

	Mel     Sample // [frames][mels]: the log-mel spectrum of 30 s
	Encoder Sample // [positions][state]: the output of the encoder; rows are left out
	Logits  Sample // [tokens][vocabulary]: the logits behind each token of the prompt; columns are left out
}

// Sample holds every Step-th row, or for the logits every Step-th column, of a matrix, from the first one on.
type Sample struct {
	Rows, Cols, Step int
	Data             []float32
}

// Row returns row i of the sample: for Mel and Encoder that is row i·Step of the whole.
func (s Sample) Row(i int) []float32 { return s.Data[i*s.Cols : (i+1)*s.Cols] }

// ReadGolden reads a golden file: lines of a name and its values up to an empty line, then the numbers of the arrays in
// the order of their lines, float32, least significant byte first.
func ReadGolden(r io.Reader) (*Golden, error) {
	in := bufio.NewReader(r)
	g := &Golden{}
	samples := map[string]*Sample{"mel": &g.Mel, "encoder": &g.Encoder, "logits": &g.Logits}
	var order []*Sample
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("golden header: %w", err)
		}
		f := strings.Fields(line)
		if len(f) == 0 {
			break
		}
		switch s := samples[f[0]]; {
		case f[0] == "model" && len(f) == 2:
			g.Model = f[1]
		case f[0] == "clip" && len(f) == 2:
			g.Clip = f[1]
		case f[0] == "tokens":
			for _, v := range f[1:] {
				id, err := strconv.ParseInt(v, 10, 32)
				if err != nil {
					return nil, fmt.Errorf("golden tokens: %w", err)
				}
				g.Tokens = append(g.Tokens, int32(id))
			}
		case s != nil && len(f) == 4:
			for i, p := range []*int{&s.Rows, &s.Cols, &s.Step} {
				if *p, err = strconv.Atoi(f[i+1]); err != nil || *p < 1 || *p > 1<<20 {
					return nil, fmt.Errorf("golden %s: %q is no size", f[0], f[i+1])
				}
			}
			order = append(order, s)
		default:
			return nil, fmt.Errorf("golden header: %q", line)
		}
	}
	if len(order) != len(samples) {
		return nil, errors.New("golden header: an array is missing")
	}
	for _, s := range order {
		b, err := io.ReadAll(io.LimitReader(in, 4*int64(s.Rows)*int64(s.Cols)))
		if err != nil {
			return nil, err
		}
		if len(b) != 4*s.Rows*s.Cols {
			return nil, io.ErrUnexpectedEOF
		}
		for ; len(b) > 0; b = b[4:] {
			s.Data = append(s.Data, math.Float32frombits(binary.LittleEndian.Uint32(b)))
		}
	}
	return g, nil
}
