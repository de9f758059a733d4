package audio

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Lookahead is how many frames beyond its end Window reads, so that the end of the audio is known before a caller
// decides whether what is left of it is worth another window.
const Lookahead = 10

const (
	melContext = FFTSize / 2 // samples a frame takes from before its start
	melPower   = 1e-10       // smallest power whose logarithm is taken
	melSilence = -10         // its log₁₀: a frame behind the audio
	melRange   = 8           // decades below the maximum that are kept

	melChunk    = SampleRate // samples between two looks at the context
	melSteps    = 512        // frames between two looks
	melMaxFrame = 1 << 40    // 350 years
)

// Mel computes the log-mel spectrogram of a Source, window by window, as Whisper's encoder wants it.
//
// Frame i is centred on sample 160·i, takes 200 samples from either side (at the start of the audio they are mirrored,
// behind its end they are zero) under a periodic Hann window, and holds for each band the log₁₀ of the power that the
// band's filter passes, at least −10. A window is normalised to (max(x, m−8)+4)/4, m being the maximum over all
// frames from the first one on (the first after Skip) up to the window's end. m never falls and never depends on what
// comes behind the window, so a pipe and a file give the same numbers.
//
// Memory is bounded by the window. A Mel is used by one goroutine at a time.
type Mel struct {
	src      Source
	bands    []band
	analyser analyser
	err      error // of src, io.EOF included

	pcm  []float32 // samples from pcm0 on; a sample before the first is its mirror image
	pcm0 int64
	n    int64 // samples read from src, skipped ones included

	frame, done int // the window in hand starts at frame; frames before done are computed
	started     bool
	log         []float32 // [frame … done)[bands], not normalised
	max         float32
	last        []float32 // of a batch that runs over the end
}

// band is a row of the filter bank without the zeros at its ends.
type band struct {
	from    int
	weights []float32
}

// NewMel returns a Mel that reads src. filters is [bands][201], bands being 80 or 128 in Whisper's models, and is used
// verbatim; it is not kept.
func NewMel(src Source, bands int, filters []float32) (*Mel, error) {
	if bands < 1 || len(filters) != bands*bins {
		return nil, fmt.Errorf("mel: %d filter weights for %d bands of %d bins", len(filters), bands, bins)
	}
	m := &Mel{
		src: src, bands: make([]band, bands),
		pcm: make([]float32, melContext, melContext+(WindowFrames+Lookahead)*HopSize+melContext), pcm0: -melContext,
		log: make([]float32, 0, WindowFrames*bands), max: melSilence,
	}
	for i := range m.bands {
		row := filters[i*bins : (i+1)*bins]
		from, to := 0, bins
		for from < to && row[from] == 0 {
			from++
		}
		for to > from && row[to-1] == 0 {
			to--
		}
		m.bands[i] = band{from, append([]float32(nil), row[from:to]...)}
	}
	if k := native(); k != nil {
		m.analyser = newLanes(k, m.bands)
	} else {
		m.analyser = &single{newSpectrum(), m.bands}
	}
	m.last = make([]float32, HopSize*(m.analyser.batch()-1)+FFTSize)
	return m, nil
}

// Skip discards the audio before a frame; only the 200 samples that reach into that frame are kept. It may be called
// once, before the first Window. Skipping beyond the end is no error: Frames tells. If ctx ends it early, the first Window
// goes on with it.
func (m *Mel) Skip(ctx context.Context, frames int) error {
	if m.started || m.frame > 0 {
		return errors.New("mel: skip after the first window")
	}
	if frames < 0 || int64(frames) > melMaxFrame {
		return fmt.Errorf("mel: skip of %d frames", frames)
	}
	m.frame, m.done = frames, frames
	return m.discard(ctx, int64(frames)*HopSize-melContext)
}

// Window writes the normalised frames frame … frame+2999 to dst, which is [WindowFrames][bands], time-major. frame must
// not be less than in the call before. Frames behind the audio hold the floor. After an error of ctx the call may be repeated;
// an error of the source is final.
func (m *Mel) Window(ctx context.Context, dst []float32, frame int) error {
	switch {
	case len(dst) != WindowFrames*len(m.bands):
		return fmt.Errorf("mel: %d numbers for a window of %d × %d", len(dst), WindowFrames, len(m.bands))
	case frame < m.frame || int64(frame) > melMaxFrame:
		return fmt.Errorf("mel: window at frame %d after one at %d", frame, m.frame)
	}
	m.started = true
	for frame > m.done && !m.behind(m.done) {
		if err := m.advance(ctx, m.done); err != nil {
			return err
		}
	}
	if err := m.advance(ctx, frame); err != nil {
		return err
	}
	m.analyser.normalise(dst, m.log, m.max-melRange)
	return nil
}

// Frames returns how many frames the audio is known to have: 1 + (N−200)/160 for N samples, the division truncating.
// final says that the end has been seen; until then there may be more.
func (m *Mel) Frames() (n int, final bool) {
	return int(1 + (m.n-melContext)/HopSize), m.err == io.EOF
}

// PCM returns the samples of frames [from, to), that is [160·from, 160·to), as far as they lie in the window in hand and
// exist. The slice is valid until the next call of Window.
func (m *Mel) PCM(from, to int) []float32 {
	from, to = max(from, m.frame), min(to, m.frame+WindowFrames)
	end := m.pcm0 + int64(len(m.pcm))
	a := min(max(int64(from)*HopSize, m.pcm0, 0), end)
	b := min(max(int64(to)*HopSize, a), end)
	return m.pcm[a-m.pcm0 : b-m.pcm0 : b-m.pcm0]
}

// behind reports whether frame and all that follow lie behind the audio.
func (m *Mel) behind(frame int) bool {
	return m.err != nil && int64(frame)*HopSize-melContext >= m.n
}

// advance makes the window start at frame, which is at most m.done or else behind the audio.
func (m *Mel) advance(ctx context.Context, frame int) error {
	n := len(m.bands)
	keep := max(m.done-frame, 0) * n
	m.log = m.log[:copy(m.log, m.log[len(m.log)-keep:])]
	m.frame, m.done = frame, max(frame, m.done)
	if err := m.discard(ctx, int64(frame)*HopSize-melContext); err != nil {
		return err
	}
	if err := m.read(ctx, int64(frame+WindowFrames+Lookahead)*HopSize+melContext); err != nil {
		return err
	}
	if m.pcm0 < 0 {
		m.mirror()
	}
	for end := frame + WindowFrames; m.done < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, at := min(melSteps, end-m.done), len(m.log)
		m.log = m.log[:at+k*n]
		m.compute(m.log[at:], m.done)
		m.done += k
	}
	return nil
}

// discard forgets the samples before sample to, reading them first where need be.
func (m *Mel) discard(ctx context.Context, to int64) error {
	for m.pcm0 < to {
		if m.n < to {
			if err := m.read(ctx, min(to, m.pcm0+melChunk)); err != nil {
				return err
			}
		}
		k := min(to-m.pcm0, int64(len(m.pcm)))
		m.pcm = m.pcm[:copy(m.pcm, m.pcm[k:])]
		m.pcm0 += k
		if m.err != nil && len(m.pcm) == 0 {
			m.pcm0 = to
		}
	}
	return nil
}

// read reads up to sample to and no further, unless the source ends before. It returns errors other than io.EOF.
func (m *Mel) read(ctx context.Context, to int64) error {
	for idle := 0; m.n < to && m.err == nil; {
		if err := ctx.Err(); err != nil {
			return err
		}
		have := len(m.pcm)
		room := m.pcm[have:min(cap(m.pcm), have+int(min(to-m.n, melChunk)))]
		k, err := m.src.Read(room)
		if k < 0 || k > len(room) {
			return errors.New("mel: the source returned an impossible count")
		}
		if idle++; k > 0 {
			idle = 0
		} else if err == nil && idle == 100 {
			err = io.ErrNoProgress
		}
		m.pcm, m.n, m.err = m.pcm[:have+k], m.n+int64(k), err
	}
	if m.err != nil && m.err != io.EOF {
		return m.err
	}
	return nil
}

// mirror writes samples 1, 2, … in front of sample 0, as many as there are.
func (m *Mel) mirror() {
	zero := int(-m.pcm0)
	for k := 1; k <= zero; k++ {
		m.pcm[zero-k] = 0
		if zero+k < len(m.pcm) {
			m.pcm[zero-k] = m.pcm[zero+k]
		}
	}
}

// compute fills dst with the log₁₀ mel powers of frames and raises the maximum.
func (m *Mel) compute(dst []float32, frame int) {
	n := len(m.bands)
	for len(dst) > 0 {
		at := int64(frame)*HopSize - melContext - m.pcm0
		if at >= int64(len(m.pcm)) {
			for i := range dst {
				dst[i] = melSilence
			}
			return
		}
		x := m.pcm[at:]
		if len(x) < len(m.last) {
			clear(m.last[copy(m.last, x):])
			x = m.last
		}
		k := min(m.analyser.batch(), len(dst)/n)
		m.max = max(m.max, m.analyser.analyse(dst[:k*n], x))
		dst, frame = dst[k*n:], frame+k
	}
}
