package bench

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// palette colours series; every colour, and the grey of texts and axes, stands out from white and from black.
var palette = [...]string{"#8c8f3a", "#3f88d9", "#d97a34", "#3aa06b", "#b062c0", "#d1506b"}

const ink = "#7d8590"

// drawing is an SVG image as it grows.
type drawing struct{ strings.Builder }

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(d, format+"\n", args...) }

// escape makes s fit for text and for the value of an attribute.
func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a Builder takes everything
	return b.String()
}

// text puts s at a place; anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor, colour, s string) {
	d.add(`<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>`, x, y, anchor, colour, escape(s))
}

func (d *drawing) line(x1, y1, x2, y2 float64, colour, more string) {
	d.add(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" %s/>`, x1, y1, x2, y2, colour, more)
}

func (d *drawing) dot(x, y float64, colour, title string) {
	d.add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"><title>%s</title></circle>`, x, y, colour, escape(title))
}

// legend lists names in their colours from x on, and below that where there is no room before end.
func (d *drawing) legend(x, y, end float64, names []string) {
	from := x
	for i, name := range names {
		if wide := 14 + 6.6*float64(len(name)); x > from && x+wide > end {
			x, y = from, y+17
		}
		d.add(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"/>`, x+5, y-4, palette[i%len(palette)])
		d.text(x+14, y, "start", ink, name)
		x += 26 + 6.6*float64(len(name))
	}
}

// axis maps numbers to places, by their logarithm or as they are.
type axis struct {
	lo, hi   float64 // numbers at the ends
	from, to float64 // their places
	log      bool
}

func (a axis) at(v float64) float64 {
	share := (v - a.lo) / (a.hi - a.lo)
	if a.log {
		share = math.Log(v/a.lo) / math.Log(a.hi/a.lo)
	}
	return a.from + share*(a.to-a.from)
}

// decades widens lo and hi to powers of ten, at least one apart.
func decades(lo, hi float64) (float64, float64) {
	low, high := math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi))
	return math.Pow(10, low), math.Pow(10, max(high, low+1))
}

// Places of the two charts.
const (
	width, height = 960, 464
	top, bottom   = 80.0, 370.0
	left1, right1 = 58.0, 540.0
	left2, right2 = 640.0, 940.0
)

// writeSVG draws the roofline, on which every pass of every rung is a dot, and what more threads bring.
func (r *Report) writeSVG(w io.Writer) error {
	d := &drawing{}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Roofline and thread scaling of %s">`, width, height, escape(r.Model.Name))
	d.add(`<style>text { font: 12px system-ui, sans-serif } .title { font-weight: 600 }</style>`)
	d.add(`<g class="title">`)
	d.text(left1, 22, "start", ink, fmt.Sprintf("%s (%s) on %s, %d threads", r.Model.Name, r.Model.Type, r.System.cpu(), r.System.Threads))
	d.text(left2, 22, "start", ink, "times as fast as one thread")
	d.add(`</g>`)
	if !r.Noise.Quiet {
		d.text(left1, height-8, "start", palette[5], r.Noise.verdict())
	}
	r.roofline(d)
	r.scalingChart(d)
	d.add("</svg>")
	_, err := io.WriteString(w, d.String())
	return err
}

func (r *Report) roofline(d *drawing) {
	bandwidth := r.System.ReadGBps
	var names []string
	loX, hiX, loY, hiY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, rung := range r.Rungs {
		names = append(names, rung.ISA)
		hiY = max(hiY, rung.PeakGFLOPS)
		for _, o := range rung.Operations {
			loX, hiX = min(loX, o.Intensity), max(hiX, o.Intensity)
			loY, hiY = min(loY, o.GFLOPS), max(hiY, o.GFLOPS)
		}
	}
	loX, hiX = decades(loX*0.7, hiX)
	loY, hiY = decades(loY, hiY*1.2)
	x := axis{loX, hiX, left1, right1, true}
	y := axis{loY, hiY, bottom, top, true}
	d.legend(left1, 42, right1-90, names)

	for v := loX; v <= hiX*1.01; v *= 10 {
		d.line(x.at(v), bottom, x.at(v), top, ink, `stroke-opacity=".2"`)
		d.text(x.at(v), bottom+18, "middle", ink, tick(v))
	}
	for v := loY; v <= hiY*1.01; v *= 10 {
		d.line(left1, y.at(v), right1, y.at(v), ink, `stroke-opacity=".2"`)
		d.text(left1-8, y.at(v)+4, "end", ink, tick(v))
	}
	d.text((left1+right1)/2, bottom+70, "middle", ink, "operations for each byte read (log)")
	d.text(right1, 42, "end", ink, "GFLOP/s (log)")

	for i, rung := range r.Rungs {
		// The roof rises with the speed of memory as far as the peak, and is clipped at both ends of the chart.
		ridge := min(max(rung.PeakGFLOPS/bandwidth, loX), hiX)
		start := max(loX, loY/bandwidth)
		points := ""
		if start < ridge {
			points = fmt.Sprintf("%.1f,%.1f ", x.at(start), y.at(bandwidth*start))
		}
		level := y.at(min(rung.PeakGFLOPS, bandwidth*hiX))
		points += fmt.Sprintf("%.1f,%.1f %.1f,%.1f", x.at(ridge), level, x.at(hiX), level)
		d.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, points, palette[i%len(palette)])
	}
	for j, o := range r.Rungs[len(r.Rungs)-1].Operations {
		// Neighbours have their names at two heights, since steps lie close to each other.
		at, name := x.at(o.Intensity), bottom+35+14*float64(j%2)
		d.line(at, name-12, at, y.at(o.GFLOPS), ink, `stroke-opacity=".5" stroke-dasharray="2 3"`)
		d.text(at, name, "middle", ink, o.Name)
	}
	for i, rung := range r.Rungs {
		for _, o := range rung.Operations {
			d.dot(x.at(o.Intensity), y.at(o.GFLOPS), palette[i%len(palette)],
				fmt.Sprintf("%s, %s: %.2f ms, %.1f GFLOP/s, %.0f %% of the floor", o.Name, rung.ISA, o.Median, o.GFLOPS, o.FloorShare))
		}
	}
}

func (r *Report) scalingChart(d *drawing) {
	most := float64(r.Scaling[len(r.Scaling)-1].Threads)
	high := most
	for _, s := range r.Scaling {
		for _, o := range s.Operations {
			high = max(high, o.Speed)
		}
	}
	high = math.Ceil(high - 0.1)
	x := axis{lo: 1, hi: max(most, 2), from: left2 + 12, to: right2 - 12}
	y := axis{lo: 0, hi: high, from: bottom, to: top}
	names := make([]string, len(r.Scaling[0].Operations))
	for i, o := range r.Scaling[0].Operations {
		names[i] = o.Name
	}
	d.legend(left2, 42, right2, names)
	step := math.Ceil(high / 8)
	for v := 0.0; v <= high; v += step {
		d.line(left2, y.at(v), right2, y.at(v), ink, `stroke-opacity=".2"`)
		d.text(left2-8, y.at(v)+4, "end", ink, tick(v))
	}
	d.line(x.at(1), y.at(1), x.at(most), y.at(most), ink, `stroke-dasharray="5 4"`)
	d.text((left2+right2)/2, bottom+38, "middle", ink, "threads ("+r.Rungs[len(r.Rungs)-1].ISA+"); dashed: as fast as their number")
	lines := make([]string, len(names))
	for _, s := range r.Scaling {
		d.text(x.at(float64(s.Threads)), bottom+18, "middle", ink, strconv.Itoa(s.Threads))
		for i, o := range s.Operations {
			px, py := x.at(float64(s.Threads)), y.at(o.Speed)
			lines[i] += fmt.Sprintf("%.1f,%.1f ", px, py)
			d.dot(px, py, palette[i%len(palette)], fmt.Sprintf("%s, %d threads: %.2f ms", o.Name, s.Threads, o.Median))
		}
	}
	for i, points := range lines {
		d.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, strings.TrimSpace(points), palette[i%len(palette)])
	}
}

// tick is a number beside an axis.
func tick(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
