package audio

import (
	"cmp"
	"math"
	"slices"
)

// kernels are an instruction set's passes over a batch of frames. A vector holds one number of each frame, so that a pass
// has no order among frames, and what comes of a frame does not depend on its lane nor on the others. In what follows [n]
// is n vectors; complex numbers are two, re and im.
type kernels struct {
	isa   string
	lanes int

	// split is t[n][lane] = x[160·lane + n]·window[n] for n < 400. It reads 160·(lanes−1) + 400 samples.
	split func(t, x, window *float32)
	// columns is spectrum.column for all n₂. from holds the byte offsets in t of what goes to [n₂][n₁].
	columns func(rows, t *float32, from *uint16, k *float32)
	// rows is dft25 on rows[8][25]. y is work space of [25], twiddles has W₂₅^{bc} at [b][c−1].
	rows func(rows, y, twiddles, k *float32)
	// power writes re² + im² of rows' bins. bin[9][25] holds the byte offsets in power.
	power func(power, rows *float32, bin *uint16, k *float32)
	// bands writes the log₁₀ of Σ weights·power for n > 0 bands, and to peak[1] the largest.
	bands func(dst, peak, power, weights *float32, spans *span, n int, k *float32)
	// join is dst[stride·lane + i] = src[i][lane] for i < n, n being a multiple of lanes.
	join func(dst *float32, stride int, src *float32, n int)
	// normalise is dst[i] = (max(x[i], floor) + 4)/4 for i < n, n being a multiple of lanes.
	normalise func(dst, x *float32, n int, floor float32)
}

// span is a band as the kernels see it: the byte offset of its first power, how many weights it takes from the common
// list, and the byte offset of its result.
type span struct{ power, weights, dst uint32 }

// constants are handed to the kernels as vectors, in this order.
var constants = [...]float32{
	cos8, -cos8, cos16, -cos16, sin16, -sin16,
	cos5a, cos5b, sin5a, sin5b / sin5a, 0.25,
	melPower, melSilence, math.Float32frombits(sqrtHalf), math.Float32frombits(mantissa), 1, log10of2,
	log10c0, log10c1, log10c2, log10c3, log10c4, log10c5, log10c6, log10c7,
}

// lanes analyses frames with kernels.
type lanes struct {
	*kernels
	bands, padded int // padded is a multiple of lanes

	window, twiddles, weights, k []float32
	from, bin                    []uint16
	spans                        []span

	t, cells, y, powers, logs, peak, frames []float32
}

func newLanes(k *kernels, bands []band) *lanes {
	n := k.lanes
	l := &lanes{
		kernels: k, bands: len(bands), padded: (len(bands) + n - 1) / n * n,
		window: make([]float32, FFTSize), spans: make([]span, len(bands)),
		t: make([]float32, FFTSize*n), cells: make([]float32, fftA/2*fftB*2*n), y: make([]float32, fftB*2*n),
		powers: make([]float32, bins*n), peak: make([]float32, n),
	}
	l.logs, l.frames = make([]float32, l.padded*n), make([]float32, l.padded*n)
	for i := range l.window {
		l.window[i] = hann(i)
	}
	vector := func(to []float32, x float32) []float32 { return append(to, slices.Repeat([]float32{x}, n)...) }
	for _, c := range constants {
		l.k = vector(l.k, c)
	}
	s := newSpectrum()
	for b := range 5 {
		for c := 1; c < 5; c++ {
			l.twiddles = vector(vector(l.twiddles, s.twRe[5*b+c]), s.twIm[5*b+c])
		}
	}
	for _, i := range s.from {
		l.from = append(l.from, i*uint16(4*n))
	}
	for _, row := range s.bin {
		for _, i := range row {
			l.bin = append(l.bin, uint16(i)*uint16(4*n))
		}
	}
	// Bands of one width follow each other, for the sake of branch prediction.
	order := make([]int, len(bands))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(len(bands[i].weights), len(bands[j].weights)) })
	for i, j := range order {
		b := bands[j]
		l.spans[i] = span{uint32(4 * n * b.from), uint32(len(b.weights)), uint32(4 * n * j)}
		l.weights = append(l.weights, b.weights...)
	}
	l.weights = append(l.weights, 0) // has an address in any case
	return l
}

func (l *lanes) batch() int { return l.lanes }

func (l *lanes) analyse(dst, x []float32) float32 {
	x = x[:HopSize*(l.lanes-1)+FFTSize]
	l.split(&l.t[0], &x[0], &l.window[0])
	l.columns(&l.cells[0], &l.t[0], &l.from[0], &l.k[0])
	l.rows(&l.cells[0], &l.y[0], &l.twiddles[0], &l.k[0])
	l.power(&l.powers[0], &l.cells[0], &l.bin[0], &l.k[0])
	l.kernels.bands(&l.logs[0], &l.peak[0], &l.powers[0], &l.weights[0], &l.spans[0], l.bands, &l.k[0])
	n := len(dst) / l.bands
	if l.bands == l.padded && n == l.lanes {
		l.join(&dst[0], l.bands, &l.logs[0], l.bands)
	} else {
		l.join(&l.frames[0], l.padded, &l.logs[0], l.padded)
		for i := range n {
			copy(dst[i*l.bands:(i+1)*l.bands], l.frames[i*l.padded:])
		}
	}
	return slices.Max(l.peak[:n])
}

func (l *lanes) normalise(dst, x []float32, floor float32) {
	n := len(x) / l.lanes * l.lanes
	if n > 0 {
		l.kernels.normalise(&dst[:n][0], &x[0], n, floor)
	}
	normalise(dst[n:], x[n:], floor)
}
