package main

import (
	"fmt"
	"strings"
)

// intTile is a body of Product.Tile: rows of whole numbers times panels of whole numbers, the sum of each block of 32
// brought to float32.
type intTile struct {
	isa
	vnni bool // VPDPBUSD and VPDPWSSD add up by themselves
	evex bool // the vnni instructions are those of AVX-512, which the assembler knows
	held bool // the float32 sums stay in registers; else they lie on the stack
	kind string
}

// intTiles returns the files of all rungs with such tiles.
func intTiles() map[string]string {
	var stubs text
	stubs.WriteString(stubsHead)
	avx2 := isa{name: "AVX2", needs: "AVX2, FMA", reg: "Y", lanes: 8, rows: 6}
	avxvnni := isa{name: "AVXVNNI", needs: "AVX2, FMA, AVX-VNNI", reg: "Y", lanes: 8, rows: 6}
	avx512 := isa{name: "AVX512", needs: "AVX-512 F, BW", reg: "Z", lanes: 16, rows: 6}
	vnni := isa{name: "AVX512VNNI", needs: "AVX-512 F, BW, VNNI", reg: "Z", lanes: 16, rows: 6}
	files := map[string]string{}
	for _, v := range []intTile{
		{isa: avx2},
		{isa: avxvnni, vnni: true},
		{isa: avx512, evex: true, held: true},
		{isa: vnni, vnni: true, evex: true, held: true},
	} {
		var t text
		t.WriteString(amd64Head)
		if v.vnni && !v.evex {
			t.WriteString("#include \"enc_amd64.h\"\n")
		}
		t.WriteString(intTileHead)
		for _, v.kind = range []string{"Bytes", "Words"} {
			for rows := 1; rows <= v.rows; rows++ {
				v.tile(&t, &stubs, rows)
			}
		}
		files["tile_int_"+strings.ToLower(v.name)+"_amd64.s"] = t.String()
	}
	files["stubs_int_amd64.go"] = stubs.String()
	return files
}

const intTileHead = `
// A row is read in steps of four bytes, which are broadcast and multiplied with a vector of as many weights of each column.
//
// Bytes: activations a in [−127, 127] are stored as a+127, unsigned, weights w in [−16, 15] signed. VPMADDUBSW adds two
// products into a word, at most 2·254·16 in magnitude, which fits. A word takes 8 of these, and starts from −127·Σw of its
// 16 weights, which the panel holds, so that it ends as Σa·w. On the way it may pass the ends of its range, but all of this
// is exact modulo 2¹⁶, and the end, at most 16·127·16 = 32512 in magnitude, fits. VPMADDWD then adds two words into a
// double word. VPDPBUSD has double words from the beginning, where nothing wraps.
//
// Words: activations in [−32767, 32767] and weights in [−128, 127], both words. VPMADDWD or VPDPWSSD add two products into
// a double word, which takes 32 of them: at most 32·32767·128 < 2²⁷.
DATA ·ones<>+0(SB)/8, $0x0001000100010001
DATA ·ones<>+8(SB)/8, $0x0001000100010001
DATA ·ones<>+16(SB)/8, $0x0001000100010001
DATA ·ones<>+24(SB)/8, $0x0001000100010001
GLOBL ·ones<>(SB), RODATA|NOPTR, $32
`

const (
	blockSteps = 8  // of a block of bytes
	rowBlock   = 36 // bytes of a block of bytes in a row: those and a scale
)

func (v intTile) tile(t, stubs *text, rows int) {
	words := v.kind == "Words"
	steps, advance := blockSteps, rowBlock
	if words {
		steps, advance = 2*blockSteps, 8*blockSteps
	}
	width := v.lanes * 4
	line := vectors * width
	scales := line * steps // in a block of a panel
	start := 0
	if !words {
		start = line
		scales += line
	}
	a := lines{[]string{"SI", "R10"}, "R9"}
	acc := func(r, j int) string { return v.r(r*vectors + j) }
	b, tmp := v.rows*vectors, []int{14, 15}
	one := "·ones<>(SB)"
	sums := "R11 the float32 sums, on the stack"
	frame := rows*line + 32
	if v.held {
		b, tmp, one = 2*v.rows*vectors, []int{26, 27, 28, 29, 30}, v.r(31)
		sums = fmt.Sprintf("%s … %s the float32 sums", v.r(v.rows*vectors), v.r(v.rows*vectors+rows*vectors-1))
		frame = 0
	}
	float := func(r, j int) string { // where a float32 sum is
		if v.held {
			return v.r((v.rows+r)*vectors + j)
		}
		at := fmt.Sprintf("%d(R11)", (r*vectors+j)*width)
		return strings.TrimPrefix(at, "0")
	}
	next := 0
	temp := func() string { next++; return v.r(tmp[next%len(tmp)]) }

	name := fmt.Sprintf("%s%d%s", v.kind, rows, v.name)
	step := func(prefix string, first bool) {
		m := macro{name: prefix + name, args: "x, w"}
		for j := range vectors {
			m.op("VMOVUPS w+%d(BX), %s", j*width, v.r(b+j))
		}
		for r := range rows {
			x := temp()
			m.op("VPBROADCASTD x%s, %s", a.at(r, 0), x)
			for j := range vectors {
				y := x
				if j < vectors-1 {
					y = temp()
				}
				w, sum := v.r(b+j), acc(r, j)
				switch {
				case v.vnni && v.evex:
					m.op("%s %s, %s, %s", v.choose("VPDPBUSD", "VPDPWSSD"), w, x, sum)
				case v.vnni:
					m.op("%s(%s, %s, %s)", v.choose("VPDPBUSD_VEX_Y", "VPDPWSSD_VEX_Y"), w[1:], x[1:], sum[1:])
				case first && words:
					m.op("VPMADDWD %s, %s, %s", w, x, sum)
				case first:
					m.op("VPMADDUBSW %s, %s, %s", w, x, y)
					m.op("VPADDW %d(BX), %s, %s", j*width, y, sum)
				default:
					m.op("%s %s, %s, %s", v.choose("VPMADDUBSW", "VPMADDWD"), w, x, y)
					m.op("%s %s, %s, %s", v.choose("VPADDW", "VPADDD"), y, sum, sum)
				}
			}
		}
		m.write(t)
	}
	t.line("")
	t.line("// STEP%s multiplies the four bytes at x of each row with the vectors at w.", name)
	step("STEP", false)
	if !v.vnni {
		t.line("")
		t.line("// FIRST%s is that for the first step of a block, whose sums do not exist yet.", name)
		step("FIRST", true)
	}

	scaled := "a's scales"
	if words {
		scaled = "a's scale"
	}
	function(t, stubs,
		fmt.Sprintf("tile%s(c *float32, ldc int, a *byte, lda int, b *byte, blocks, panels, skip int, bias *float32, ahead int)", name), fmt.Sprintf("$%d-80", frame),
		fmt.Sprintf("Product.Tile of %s for a tile of %d × %d; skip is how many bytes of minimums lie behind the blocks of a panel. Requires %s.",
			strings.ToLower(v.kind), rows, vectors*v.lanes, v.needs),
		fmt.Sprintf("DI c, R8 ldc, R13 a, R9 lda, BX b, CX blocks, DX panels left, AX blocks left, R12 minimums; %s rows of a, three each, R14 of those ahead;", strings.Join(a.used(rows), ", ")),
		fmt.Sprintf("%s … %s sums of a block, %s, %s b or its scales, %s … a and %s;", v.r(0), acc(rows-1, vectors-1), v.r(b), v.r(b+1), v.r(tmp[0]), scaled),
		sums+".")
	arguments(t, "c+0", "DI", "ldc+8", "R8", "a+16", "R13", "lda+24", "R9", "b+32", "BX", "blocks+40", "CX", "panels+48", "DX")
	t.op("SHLQ $2, R8", "bytes")
	if !v.held {
		t.op("MOVQ SP, R11", "")
		t.op("ADDQ $31, R11", "")
		t.op("ANDQ $~31, R11", "")
	} else if !words {
		t.op("VPBROADCASTD ·ones<>(SB), "+one, "")
	}
	ahead := fetch{"R14", 72}
	ahead.point(t, rows)
	t.line("")
	t.line("panel:")
	t.op("MOVQ R13, SI", "")
	a.point(t, rows)
	ahead.panel(t, rows, line)
	v.start(t, rows, words, a, acc, float, b, v.r(tmp[0]))
	t.op("MOVQ CX, AX", "")
	t.line("")
	t.line("block:")
	prefix := "FIRST"
	if v.vnni {
		v.begin(t, rows, acc, one)
		prefix = "STEP"
	}
	for s := range steps {
		t.op(fmt.Sprintf("%s%s(%d, %d)", prefix, name, 4*s, start+s*line), "")
		prefix = "STEP"
		ahead.line(t, s)
	}
	for j := range vectors {
		t.op(fmt.Sprintf("VMOVUPS %d(BX), %s", scales+j*width, v.r(b+j)), "scales")
	}
	for r := range rows {
		x := v.r(tmp[0])
		if !words && !v.held {
			t.op(fmt.Sprintf("VBROADCASTSS %s, %s", a.at(r, 32), x), "")
		}
		for j := range vectors {
			s := v.r(b + j)
			if !words {
				switch {
				case v.held:
					next++
					s = v.r(tmp[next%len(tmp)])
					t.op(fmt.Sprintf("VMULPS.BCST %s, %s, %s", a.at(r, 32), v.r(b+j), s), "")
				case j == vectors-1:
					s = x
					t.op(fmt.Sprintf("VMULPS %s, %s, %s", v.r(b+j), x, s), "")
				default:
					s = v.r(tmp[1])
					t.op(fmt.Sprintf("VMULPS %s, %s, %s", v.r(b+j), x, s), "")
				}
				if !v.vnni {
					t.op(fmt.Sprintf("VPMADDWD %s, %s, %s", one, acc(r, j), acc(r, j)), "")
				}
			}
			t.op(fmt.Sprintf("VCVTDQ2PS %s, %s", acc(r, j), acc(r, j)), "")
			if v.held {
				t.op(fmt.Sprintf("VFMADD231PS %s, %s, %s", s, acc(r, j), float(r, j)), "")
			} else {
				t.op(fmt.Sprintf("VFMADD213PS %s, %s, %s", float(r, j), s, acc(r, j)), "")
				t.op(fmt.Sprintf("VMOVUPS %s, %s", acc(r, j), float(r, j)), "")
			}
		}
	}
	a.advance(t, rows, advance)
	ahead.advance(t, advance)
	t.op(fmt.Sprintf("ADDQ $%d, BX", scales+line), "")
	t.op("DECQ AX", "")
	t.op("JNZ  block", "")
	t.line("")
	v.finish(t, rows, words, a, acc, float, v.r(b))
	v.store(t, rows, acc, 64)
	t.op("ADDQ skip+56(FP), BX", "")
	t.op("DECQ DX", "")
	t.op("JNZ  panel", "")
	t.op("VZEROUPPER", "")
	t.op("RET", "")
}

// choose returns the operation for the kind of the tile.
func (v intTile) choose(bytes, words string) string {
	if v.kind == "Words" {
		return words
	}
	return bytes
}

// start sets the float32 sums to zero or, where panels have minimums, to those times the sums of a's blocks.
func (v intTile) start(t *text, rows int, words bool, a lines, acc, float func(r, j int) string, b int, x string) {
	width := v.lanes * 4
	sum := acc
	if v.held {
		sum = float
	}
	zero := map[bool]string{false: "VXORPS", true: "VPXORD"}[v.evex]
	for r := range rows {
		for j := range vectors {
			t.op(fmt.Sprintf("%s %s, %s, %s", zero, sum(r, j), sum(r, j), sum(r, j)), "")
		}
	}
	if !words {
		t.op("CMPQ skip+56(FP), $0", "")
		t.op("JEQ  sums", "")
		t.op("LEAQ (CX)(CX*8), AX", "")
		t.op("SHLQ $2, AX", "the blocks of a row")
		for _, p := range a.used(rows) {
			t.op("ADDQ AX, "+p, "")
		}
		t.op(fmt.Sprintf("IMUL3Q $%d, CX, R12", (blockSteps+2)*vectors*width), "and of a panel")
		t.op("ADDQ BX, R12", "")
		t.op("MOVQ CX, AX", "")
		t.line("")
		t.line("minimum:")
		for j := range vectors {
			t.op(fmt.Sprintf("VMOVUPS %s, %s", strings.TrimPrefix(fmt.Sprintf("%d(R12)", j*width), "0"), v.r(b+j)), "")
		}
		for r := range rows {
			t.op(fmt.Sprintf("VBROADCASTSS %s, %s", a.at(r, 0), x), "")
			for j := range vectors {
				t.op(fmt.Sprintf("VFMADD231PS %s, %s, %s", v.r(b+j), x, sum(r, j)), "")
			}
		}
		a.advance(t, rows, 4)
		t.op(fmt.Sprintf("ADDQ $%d, R12", vectors*width), "")
		t.op("DECQ AX", "")
		t.op("JNZ  minimum", "")
		t.op("MOVQ R13, SI", "")
		a.point(t, rows)
		t.line("")
		t.line("sums:")
	}
	if !v.held {
		for r := range rows {
			for j := range vectors {
				t.op(fmt.Sprintf("VMOVUPS %s, %s", sum(r, j), float(r, j)), "")
			}
		}
	}
}

// begin sets the sums of a block to what they start from.
func (v intTile) begin(t *text, rows int, acc func(r, j int) string, one string) {
	if v.kind == "Words" {
		v.zero(t, rows*vectors)
		return
	}
	for j := range vectors {
		at := strings.TrimPrefix(fmt.Sprintf("%d(BX)", j*v.lanes*4), "0")
		t.op(fmt.Sprintf("VMOVUPS %s, %s", at, acc(0, j)), "")
		t.op(fmt.Sprintf("VPMADDWD %s, %s, %s", one, acc(0, j), acc(0, j)), "")
	}
	for r := 1; r < rows; r++ {
		for j := range vectors {
			t.op(fmt.Sprintf("VMOVAPS %s, %s", acc(0, j), acc(r, j)), "")
		}
	}
}

// finish brings the float32 sums back to registers, times the scales of the rows if those are of words.
func (v intTile) finish(t *text, rows int, words bool, a lines, acc, float func(r, j int) string, x string) {
	for r := range rows {
		if words {
			t.op(fmt.Sprintf("VBROADCASTSS %s, %s", a.at(r, 0), x), "")
		}
		for j := range vectors {
			switch {
			case words:
				t.op(fmt.Sprintf("VMULPS %s, %s, %s", float(r, j), x, acc(r, j)), "")
			case v.held:
				t.op(fmt.Sprintf("VMOVAPS %s, %s", float(r, j), acc(r, j)), "")
			default:
				t.op(fmt.Sprintf("VMOVUPS %s, %s", float(r, j), acc(r, j)), "")
			}
		}
	}
}

// macro is a #define of several instructions.
type macro struct {
	name, args string
	body       []string
}

func (m *macro) op(format string, a ...any) { m.body = append(m.body, fmt.Sprintf(format, a...)) }

func (m *macro) write(t *text) {
	t.line("#define %s(%s) \\", m.name, m.args)
	for i, op := range m.body {
		if i < len(m.body)-1 {
			op += "; \\"
		}
		t.line("\t%s", op)
	}
}
