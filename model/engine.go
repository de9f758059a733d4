package model

import (
	"context"

	"github.com/whisperfile/whisperfile/ggml"
)

// engine runs a model's forward pass. It is one copy of the weights and one set of scratch buffers for all sessions, so
// whoever uses the backend has its turn.
type engine struct {
	turns turns
	b     ggml.Backend
	h     ggml.Header
	w     *weights

	self, cross ggml.Cache // a slot for each session

	// Encoder: mel [2·ctx][mels], y what is between the convolutions [2·ctx][state], then the stream's norm [ctx][state], wide
	// queries, keys and values or the hidden layer of the MLP. ids is 0, 1, … ctx−1, slots a constant. streams are the
	// streams that no pass uses now.
	mel, y, wide ggml.Buffer
	ids, slots   ggml.Buffer
	streams      []ggml.Buffer

	rows rows
}

// rows are the buffers of a decoder pass: as many rows as the text context, a row for each token.
type rows struct {
	x, y, wide                              ggml.Buffer
	tokens, positions, slots, cells, counts ggml.Buffer
	table                                   ggml.Buffer // cells that each row sees, text ctx a row
	all                                     ggml.Buffer // the constant audio ctx: every row sees all of the window
	seen                                    []int32     // what goes into counts
}

// newEngine reserves the buffers for a model of shape h.
func newEngine(h ggml.Header, w *weights, b ggml.Backend) (*engine, error) {
	e := &engine{b: b, h: h, w: w}
	var err error
	floats := func(n int) (f ggml.Buffer) {
		if err == nil {
			f, err = b.Floats(n)
		}
		return f
	}
	ints := func(n int) (i ggml.Buffer) {
		if err == nil {
			i, err = b.Ints(n)
		}
		return i
	}
	cache := func(s ggml.CacheShape) (c ggml.Cache) {
		if err == nil {
			c, err = b.Cache(s)
		}
		return c
	}
	e.self = cache(ggml.CacheShape{Layers: h.TextLayers, Heads: h.TextHeads, Slots: Slots, Cells: e.selfCells()})
	e.cross = cache(ggml.CacheShape{Layers: h.TextLayers, Heads: h.TextHeads, Slots: Slots, Cells: h.AudioCtx})
	e.mel = floats(2 * h.AudioCtx * h.Mels)
	e.y = floats(ggml.SpacedLen(2*h.AudioCtx, h.AudioState))
	e.wide = floats(ggml.SpacedLen(h.AudioCtx, 4*h.AudioState))
	e.ids, e.slots = ints(h.AudioCtx), ints(h.AudioCtx)
	e.rows = rows{
		x: floats(ggml.SpacedLen(h.TextCtx, h.TextState)), y: floats(ggml.SpacedLen(h.TextCtx, h.TextState)),
		wide:   floats(ggml.SpacedLen(h.TextCtx, 4*h.TextState)),
		tokens: ints(h.TextCtx), positions: ints(h.TextCtx), slots: ints(h.TextCtx), cells: ints(h.TextCtx),
		counts: ints(h.TextCtx), table: ints(h.TextCtx * h.TextCtx), all: ints(h.TextCtx), seen: make([]int32, h.TextCtx),
	}
	if err != nil {
		return nil, err
	}
	ids := make([]int32, h.AudioCtx)
	for i := range ids {
		ids[i] = int32(i)
	}
	b.WriteInts(e.ids, 0, ids)
	all := make([]int32, h.TextCtx)
	for i := range all {
		all[i] = int32(h.AudioCtx)
	}
	b.WriteInts(e.rows.all, 0, all)
	return e, nil
}

// encoding is a pass of the encoder that has come as far as x, before layer next. Between layers it may be left and
// taken up again: other passes use the scratch buffers meanwhile, but not x. Its second half is what the layer before gave,
// which the next norm adds to the first.
type encoding struct {
	x    ggml.Buffer
	slot int32
	next int
}

// encode runs the encoder over a window of log-mel, [2·audio ctx][mels], and fills the cross keys and values of slot. It
// is a turn for each layer.
func (e *engine) encode(ctx context.Context, t *turn, mel []float32, slot int32) error {
	e.turns.draw(t)
	e.turns.enter(t)
	defer e.turns.exit()
	n, err := e.begin(mel, slot)
	if err != nil {
		return err
	}
	defer func() { e.streams = append(e.streams, n.x) }()
	for n.next < len(e.w.encoder) {
		if err := e.encoderLayer(ctx, &n); err != nil {
			return err
		}
		e.turns.exit()
		e.turns.enter(t)
	}
	return e.crossKeys(ctx, &n)
}

// begin runs the convolutions.
func (e *engine) begin(mel []float32, slot int32) (encoding, error) {
	h, b := e.h, e.b
	n := encoding{slot: slot}
	if k := len(e.streams); k > 0 {
		n.x, e.streams = e.streams[k-1], e.streams[:k-1]
	} else {
		x, err := b.Floats(2 * ggml.SpacedLen(h.AudioCtx, h.AudioState))
		if err != nil {
			return n, err
		}
		n.x = x
	}
	hidden, x := ggml.Spaced(e.y, 0, 2*h.AudioCtx, h.AudioState), e.stream(&n)
	b.Write(e.mel, 0, mel)
	b.Conv(ggml.Conv{Dst: hidden, X: ggml.View(e.mel, 2*h.AudioCtx, h.Mels), W: e.w.conv1.w, Bias: e.w.conv1.b, Stride: 1})
	b.Conv(ggml.Conv{Dst: x, X: hidden, W: e.w.conv2.w, Bias: e.w.conv2.b, Stride: 2, Add: e.w.audioPos})
	return n, b.Err()
}

// stream returns n's stream, and given what its last layer gave.
func (e *engine) stream(n *encoding) ggml.Mat { return e.matrix(n.x, 0) }
func (e *engine) given(n *encoding) ggml.Mat  { return e.matrix(n.x, 1) }

// matrix returns matrix i of those [audio ctx][state] that lie in b.
func (e *engine) matrix(b ggml.Buffer, i int) ggml.Mat {
	return ggml.Spaced(b, i*ggml.SpacedLen(e.h.AudioCtx, e.h.AudioState), e.h.AudioCtx, e.h.AudioState)
}

// encoderLayer adds the next layer's attention to the stream and computes what its MLP gives.
func (e *engine) encoderLayer(ctx context.Context, n *encoding) error {
	b, l := e.b, &e.w.encoder[n.next]
	x, y := e.stream(n), e.matrix(e.y, 0)
	hidden := ggml.Spaced(e.wide, 0, x.Rows, 4*x.Cols)
	q, k, v := e.qkv()
	before, after := ggml.Mat{}, e.given(n)
	if n.next > 0 {
		before = after
	}
	// An operation of a large model takes tenths of a second on a small CPU.
	for _, op := range [...]func(){
		func() { b.Norm(ggml.Norm{Dst: y, X: x, Add: before, W: l.norm.w, B: l.norm.b}) },
		func() { b.Linear(ggml.Linear{Dst: q, X: y, W: l.attn.q.w, Bias: l.attn.q.b, Regime: ggml.Window}) },
		func() { b.Linear(ggml.Linear{Dst: k, X: y, W: l.attn.k.w, Regime: ggml.Window}) },
		func() { b.Linear(ggml.Linear{Dst: v, X: y, W: l.attn.v.w, Bias: l.attn.v.b, Regime: ggml.Window}) },
		func() { b.SelfAttend(ggml.SelfAttend{Dst: y, Q: q, K: k, V: v, Heads: e.h.AudioHeads}) },
		func() { b.Linear(ggml.Linear{Dst: q, X: y, W: l.attn.out.w, Bias: l.attn.out.b, Regime: ggml.Window}) },
		func() { b.Norm(ggml.Norm{Dst: y, X: x, Add: q, W: l.mlpNorm.w, B: l.mlpNorm.b}) },
		func() {
			b.Linear(ggml.Linear{Dst: hidden, X: y, W: l.up.w, Bias: l.up.b, GELU: true, Regime: ggml.Window})
		},
		func() { b.Linear(ggml.Linear{Dst: after, X: hidden, W: l.down.w, Bias: l.down.b, Regime: ggml.Window}) },
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		op()
	}
	n.next++
	return b.Err()
}

// crossKeys norms the stream and computes the decoder's cross keys and values from it. The normed stream stays in y.
func (e *engine) crossKeys(ctx context.Context, n *encoding) error {
	h, b := e.h, e.b
	x, y := e.stream(n), e.matrix(e.y, 0)
	b.Norm(ggml.Norm{Dst: y, X: x, Add: e.given(n), W: e.w.encoderNorm.w, B: e.w.encoderNorm.b})
	slots := make([]int32, h.AudioCtx)
	for i := range slots {
		slots[i] = n.slot
	}
	b.WriteInts(e.slots, 0, slots)
	k, v, _ := e.qkv()
	for i := range e.w.decoder {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &e.w.decoder[i].cross
		b.Linear(ggml.Linear{Dst: k, X: y, W: c.k.w, Regime: ggml.Window})
		b.Linear(ggml.Linear{Dst: v, X: y, W: c.v.w, Bias: c.v.b, Regime: ggml.Window})
		b.Store(ggml.Store{Cache: e.cross, Layer: i, K: k, V: v, Slots: e.slots, Cells: e.ids})
	}
	return b.Err()
}

// qkv returns three matrices in the wide buffer.
func (e *engine) qkv() (q, k, v ggml.Mat) {
	return e.matrix(e.wide, 0), e.matrix(e.wide, 1), e.matrix(e.wide, 2)
}

// batch are the rows of a decoder pass, an entry each: the token, its position, the slot of its session, the cell its key
// and value go to, and the cells it sees, its own included. A nil seen stands for cells 0 … position.
type batch struct {
	tokens, positions, slots, cells []int32
	seen                            [][]int32
}

// decode runs the decoder over a batch and returns the normed stream, a row for each token.
func (e *engine) decode(ctx context.Context, t batch, regime ggml.Regime) (ggml.Mat, error) {
	h, b, r := e.h, e.b, &e.rows
	n := len(t.tokens)
	counts := r.seen[:n]
	var table ggml.Buffer
	for i := range counts {
		if t.seen == nil {
			counts[i] = t.positions[i] + 1
			continue
		}
		counts[i] = int32(len(t.seen[i]))
		b.WriteInts(r.table, i*h.TextCtx, t.seen[i])
		table = r.table
	}
	b.WriteInts(r.tokens, 0, t.tokens)
	b.WriteInts(r.positions, 0, t.positions)
	b.WriteInts(r.slots, 0, t.slots)
	b.WriteInts(r.cells, 0, t.cells)
	b.WriteInts(r.counts, 0, counts)

	x, y := ggml.Spaced(r.x, 0, n, h.TextState), ggml.Spaced(r.y, 0, n, h.TextState)
	wide := ggml.Spaced(r.wide, 0, n, 4*h.TextState)
	q, k, v := wide, wide, wide
	q.Cols, k.Cols, v.Cols = h.TextState, h.TextState, h.TextState
	k.Off, v.Off = h.TextState, 2*h.TextState

	var given ggml.Mat // what the stream lacks yet
	b.Embed(ggml.Embed{Dst: x, W: e.w.tokens, Pos: e.w.textPos, Tokens: r.tokens, Positions: r.positions})
	for i := range e.w.decoder {
		if err := ctx.Err(); err != nil {
			return x, err
		}
		l := &e.w.decoder[i]
		b.Norm(ggml.Norm{Dst: y, X: x, Add: given, W: l.norm.w, B: l.norm.b})
		b.Linear(ggml.Linear{Dst: q, X: y, W: l.attn.q.w, Bias: l.attn.q.b, Regime: regime})
		b.Linear(ggml.Linear{Dst: k, X: y, W: l.attn.k.w, Regime: regime})
		b.Linear(ggml.Linear{Dst: v, X: y, W: l.attn.v.w, Bias: l.attn.v.b, Regime: regime})
		b.Store(ggml.Store{Cache: e.self, Layer: i, K: k, V: v, Slots: r.slots, Cells: r.cells})
		b.Attend(ggml.Attend{Dst: y, Q: q, Cache: e.self, Layer: i, Slots: r.slots, Counts: r.counts, Cells: table, Span: h.TextCtx, Regime: regime})
		b.Linear(ggml.Linear{Dst: q, X: y, W: l.attn.out.w, Bias: l.attn.out.b, Regime: regime})

		b.Norm(ggml.Norm{Dst: y, X: x, Add: q, W: l.crossNorm.w, B: l.crossNorm.b})
		b.Linear(ggml.Linear{Dst: q, X: y, W: l.cross.q.w, Bias: l.cross.q.b, Regime: regime})
		b.Attend(ggml.Attend{Dst: y, Q: q, Cache: e.cross, Layer: i, Slots: r.slots, Counts: r.all, Regime: regime})
		b.Linear(ggml.Linear{Dst: q, X: y, W: l.cross.out.w, Bias: l.cross.out.b, Regime: regime})

		b.Norm(ggml.Norm{Dst: y, X: x, Add: q, W: l.mlpNorm.w, B: l.mlpNorm.b})
		b.Linear(ggml.Linear{Dst: wide, X: y, W: l.up.w, Bias: l.up.b, GELU: true, Regime: regime})
		b.Linear(ggml.Linear{Dst: y, X: wide, W: l.down.w, Bias: l.down.b, Regime: regime})
		given = y
	}
	b.Norm(ggml.Norm{Dst: y, X: x, Add: given, W: e.w.decoderNorm.w, B: e.w.decoderNorm.b})
	return y, nil
}

// pick ranks k tokens that may come behind each row of normed x, one Picked for each filter.
func (e *engine) pick(ctx context.Context, x ggml.Mat, filters []ggml.Filter, k int, dst []ggml.Picked) error {
	return e.b.Pick(ctx, ggml.Pick{X: x, W: e.w.tokens, Filters: filters, K: k}, dst)
}

// selfCells is how many cells a session has for its own keys and values: a prompt, and a window's tokens for each beam.
func (e *engine) selfCells() int { return e.h.TextCtx/2 + 8 + MaxWidth*e.h.TextCtx/2 }
