package convert

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/whisperfile/whisperfile/ggml"
)

// CTranslate2's model.bin, all little-endian: u32 version; from version 2 on a string with the specification's name and u32
// with its revision; u32 number of variables; the variables; from version 3 on u32 number of aliases and two strings for
// each, alias and variable. A string is u16 length, which counts a zero byte at its end. A variable is its name, u8 rank,
// u32 for each dimension (slowest first), then from version 4 on u8 element type and u32 bytes, before u8 bytes of an
// element and u32 elements; then the data.

// Limits of what a model.bin may hold.
const (
	newestVersion = 6
	maxVariables  = 1 << 16
	maxRank       = 8
)

// element is what a variable consists of, by CTranslate2's number.
type element uint8

const (
	float32s  element = 0
	int8s     element = 1
	int16s    element = 2
	int32s    element = 3
	float16s  element = 4
	bfloat16s element = 5
)

var elements = map[element]struct {
	name string
	size int
}{
	float32s: {"float32", 4}, int8s: {"int8", 1}, int16s: {"int16", 2}, int32s: {"int32", 4}, float16s: {"float16", 2}, bfloat16s: {"bfloat16", 2},
}

// variable is a view of an array in the file.
type variable struct {
	offset int
	elem   element
	dims   []int // slowest first
	data   []byte
}

// parseWeights returns all variables of a model.bin by their names and aliases.
func parseWeights(data []byte) (map[string]variable, error) {
	r := &reader{data: data}
	version := r.uint(4, "version")
	if r.err == nil && (version < 1 || version > newestVersion) {
		r.fail(0, "version", fmt.Errorf("%d, while 1 to %d are known: %w", version, newestVersion, ggml.ErrUnsupported))
	}
	if version >= 2 {
		at := r.off
		if spec := r.string("specification"); r.err == nil && spec != "WhisperSpec" {
			r.fail(at, "specification", fmt.Errorf("%.40q is no Whisper model: %w", spec, ggml.ErrUnsupported))
		}
		r.uint(4, "revision")
	}
	n := r.count("number of variables", maxVariables)
	vars := make(map[string]variable)
	for range n {
		name := r.string("name of a variable")
		v := r.variable(name, version)
		if r.err != nil {
			return nil, r.err
		}
		vars[name] = v
	}
	if version >= 3 {
		for range r.count("number of aliases", maxVariables) {
			alias, at := r.string("alias"), r.off
			name := r.string("variable of an alias")
			v, ok := vars[name]
			if r.err == nil && !ok {
				r.fail(at, "variable of an alias", fmt.Errorf("there is no %.80q: %w", name, ggml.ErrFormat))
			}
			if r.err != nil {
				return nil, r.err
			}
			vars[alias] = v
		}
	}
	if r.err == nil && r.off < len(data) {
		r.fail(r.off, "end", fmt.Errorf("%d bytes behind the last variable: %w", len(data)-r.off, ggml.ErrFormat))
	}
	return vars, r.err
}

// reader walks over a file and remembers the first thing that is wrong. From then on all its numbers are 0.
type reader struct {
	data []byte
	off  int
	err  error
}

func (r *reader) fail(off int, field string, err error) {
	if r.err == nil {
		r.err = &ggml.FormatError{Offset: int64(off), Field: field, Err: err}
	}
}

// take returns the next n bytes, or nil.
func (r *reader) take(n int64, field string) []byte {
	if r.err != nil {
		return nil
	}
	if left := int64(len(r.data) - r.off); n > left {
		r.fail(r.off, field, fmt.Errorf("%d bytes where %d are needed: %w", left, n, ggml.ErrTruncated))
		return nil
	}
	b := r.data[r.off : r.off+int(n) : r.off+int(n)]
	r.off += int(n)
	return b
}

// uint returns the next number of that many bytes.
func (r *reader) uint(bytes int64, field string) int64 {
	var b [8]byte
	copy(b[:], r.take(bytes, field))
	return int64(binary.LittleEndian.Uint64(b[:]))
}

func (r *reader) count(field string, limit int64) int64 {
	at := r.off
	n := r.uint(4, field)
	if n > limit {
		r.fail(at, field, fmt.Errorf("%d is more than %d: %w", n, limit, ggml.ErrFormat))
		return 0
	}
	return n
}

func (r *reader) string(field string) string {
	at := r.off
	b := r.take(r.uint(2, field), field)
	if r.err == nil && (len(b) == 0 || b[len(b)-1] != 0) {
		r.fail(at, field, fmt.Errorf("a text without a zero at its end: %w", ggml.ErrFormat))
	}
	return strings.TrimSuffix(string(b), "\x00")
}

func (r *reader) variable(name string, version int64) variable {
	v := variable{offset: r.off}
	rank := r.uint(1, "rank of a variable")
	if rank > maxRank {
		r.fail(v.offset, name, fmt.Errorf("%d dimensions: %w", rank, ggml.ErrFormat))
	}
	if r.err != nil {
		return variable{}
	}
	elems := int64(1)
	for range rank {
		d := r.uint(4, name)
		if d > 0 && elems > math.MaxInt32/d {
			r.fail(v.offset, name, fmt.Errorf("more than 2³¹ numbers: %w", ggml.ErrFormat))
		}
		elems *= d
		v.dims = append(v.dims, int(d))
	}
	var bytes int64
	if version >= 4 {
		v.elem = element(r.uint(1, name))
		bytes = r.uint(4, name)
	} else {
		size := r.uint(1, name)
		v.elem = map[int64]element{4: float32s, 2: float16s, 1: int8s}[size]
		bytes = r.uint(4, name) * size
	}
	if e, ok := elements[v.elem]; r.err == nil && !ok {
		r.fail(v.offset, name, fmt.Errorf("numbers of CTranslate2's type %d: %w", v.elem, ggml.ErrUnsupported))
	} else if r.err == nil && bytes != elems*int64(e.size) {
		r.fail(v.offset, name, fmt.Errorf("%d bytes for %v of %s: %w", bytes, v.dims, e.name, ggml.ErrFormat))
	}
	v.data = r.take(bytes, name)
	return v
}
