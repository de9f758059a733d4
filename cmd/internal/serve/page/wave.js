// The waveform: what was played, what plays, what has not been heard yet, and below it the segments.

const bar = 2, gap = 1, track = 3, space = 7;

// Wave draws on a canvas. Colours come from the style sheet: color is a bar, stroke one that was played, fill one of the
// segment that plays.
export class Wave {
  #canvas;
  #drawn = 0;
  duration = 0;
  position = 0;
  heard = 0; // up to where the server has come
  segments = [];
  current = -1; // segment that plays

  // peaks returns the heights of n bars, each 0 to 1.
  constructor(canvas, peaks) {
    this.#canvas = canvas;
    this.peaks = peaks;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // bars is how many fit.
  get bars() {
    return Math.max(1, Math.floor((this.#canvas.clientWidth + gap) / (bar + gap)));
  }

  // draw draws when the browser next does; several calls until then are one.
  draw() {
    this.#drawn ||= requestAnimationFrame(() => {
      this.#drawn = 0;
      this.#paint();
    });
  }

  #paint() {
    const { clientWidth: w, clientHeight: h } = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    if (this.#canvas.width !== Math.round(w * scale) || this.#canvas.height !== Math.round(h * scale)) {
      this.#canvas.width = Math.round(w * scale);
      this.#canvas.height = Math.round(h * scale);
    }
    const g = this.#canvas.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    const { color, stroke, fill } = getComputedStyle(this.#canvas);
    const at = (seconds) => (this.duration > 0 ? Math.min(1, seconds / this.duration) * w : 0);
    const now = this.segments[this.current];
    const middle = (h - track - space) / 2;

    const heights = this.peaks(this.bars);
    heights?.forEach((v, i) => {
      const x = i * (bar + gap);
      const t = ((x + bar / 2) / w) * this.duration;
      const playing = now && t >= now.start && t < now.end;
      g.fillStyle = playing ? fill : t < this.position ? stroke : color;
      g.globalAlpha = t > this.heard ? 0.35 : playing && t >= this.position ? 0.55 : 1;
      const half = Math.max(1, v * middle);
      g.fillRect(x, middle - half, bar, 2 * half);
    });

    g.globalAlpha = 1;
    this.segments.forEach((s, i) => {
      const from = at(s.start), to = at(s.end);
      g.fillStyle = i === this.current ? fill : color;
      g.fillRect(from, h - track, Math.max(1, to - from - 1.5), track);
    });

    if (this.position > 0) {
      g.fillStyle = fill;
      g.fillRect(Math.min(w - 1, at(this.position) - 0.5), 0, 1, h);
    }
  }
}
