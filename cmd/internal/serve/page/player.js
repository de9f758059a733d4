// The player: sound, waveform, position.

import { decode, longest, peaks, tooLong } from "./sound.js";
import { clock } from "./transcript.js";
import { Wave } from "./wave.js";

// fine is how many heights are kept of a file, of which the waveform shows as many as fit.
const fine = 4096;

// Player plays one file at a time. It calls moved(seconds) whenever the position is another one.
export class Player {
  #audio = document.getElementById("audio");
  #play = document.getElementById("play");
  #slider = document.getElementById("position");
  #clock = document.getElementById("clock");
  #remark = document.getElementById("remark");
  #heights = null;
  #file = null;
  #address = "";
  #known = 0; // duration that the server told
  #moved;

  constructor(moved) {
    this.#moved = moved;
    this.wave = new Wave(document.getElementById("wave"), (n) => (this.#heights ? peaks(this.#heights, n) : new Float32Array(n)));

    const audio = this.#audio;
    this.#play.addEventListener("click", () => this.toggle());
    for (const type of ["play", "pause", "ended"]) audio.addEventListener(type, () => this.#playing());
    for (const type of ["timeupdate", "seeked", "durationchange"]) audio.addEventListener(type, () => this.#show());
    document.getElementById("speed").addEventListener("change", (e) => {
      audio.defaultPlaybackRate = audio.playbackRate = Number(e.target.value);
    });

    this.#slider.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      this.#slider.setPointerCapture(e.pointerId);
      this.#point(e);
    });
    this.#slider.addEventListener("pointermove", (e) => {
      if (this.#slider.hasPointerCapture(e.pointerId)) this.#point(e);
    });
    this.#slider.addEventListener("keydown", (e) => this.#key(e));
  }

  // open makes file the one that is played, and draws it.
  async open(file) {
    this.#file = file;
    this.#heights = null;
    this.#known = 0;
    this.#remark.textContent = "";
    this.#play.disabled = false;
    Object.assign(this.wave, { heard: 0, position: 0, current: -1 });
    URL.revokeObjectURL(this.#address);
    const loaded = new Promise((resolve) => {
      this.#audio.onloadedmetadata = () => resolve(true);
      this.#audio.onerror = () => resolve(false);
    });
    this.#audio.src = this.#address = URL.createObjectURL(file);
    this.#show();

    const playable = await loaded;
    if (this.#file !== file) return;
    if (!playable) {
      this.#play.disabled = true;
      this.#remark.textContent = "This browser cannot play this kind of file; the text is not affected.";
    }
    this.#show();
    if (tooLong(file, this.#audio.duration)) {
      this.#remark.textContent ||= `Longer than ${longest / 60} minutes, so shown without its waveform.`;
      return;
    }
    try {
      const heights = peaks(await decode(file, 8000), fine);
      if (this.#file === file) this.#heights = heights;
    } catch {
      // Without a waveform there still are the segments.
    }
    this.wave.draw();
  }

  // duration is that of the file in seconds, as the browser or else the server knows it; 0 for unknown.
  get duration() {
    return Number.isFinite(this.#audio.duration) ? this.#audio.duration : this.#known;
  }

  // tell is for what the server knows: the duration, and up to where it has heard.
  tell({ duration, heard }) {
    if (duration) this.#known = duration;
    if (heard !== undefined) this.wave.heard = heard;
    this.#show();
  }

  // seek goes to a time and plays from there if play is set.
  seek(seconds, play) {
    if (this.#play.disabled) return;
    this.#audio.currentTime = Math.max(0, Math.min(seconds, this.duration));
    if (play) this.#start();
    this.#show();
  }

  toggle() {
    if (this.#audio.paused) this.#start();
    else this.#audio.pause();
  }

  pause() {
    this.#audio.pause();
  }

  get paused() {
    return this.#audio.paused;
  }

  get position() {
    return this.#audio.currentTime;
  }

  #start() {
    this.#audio.play().catch(() => {}); // It was paused again before it began.
  }

  #playing() {
    const on = !this.#audio.paused;
    this.#play.classList.toggle("playing", on);
    this.#play.setAttribute("aria-label", on ? "Pause" : "Play");
    const frame = () => {
      this.#show();
      if (!this.#audio.paused) requestAnimationFrame(frame);
    };
    if (on) requestAnimationFrame(frame);
  }

  #show() {
    const { duration, position } = this;
    this.#clock.textContent = duration ? `${clock(position)} / ${clock(duration)}` : clock(position);
    this.#slider.setAttribute("aria-valuemax", Math.round(duration));
    this.#slider.setAttribute("aria-valuenow", Math.round(position));
    this.#slider.setAttribute("aria-valuetext", `${clock(position)} of ${clock(duration)}`);
    Object.assign(this.wave, { duration, position });
    this.#moved(position);
    this.wave.draw();
  }

  #point(e) {
    const { left, width } = this.#slider.getBoundingClientRect();
    this.seek(((e.clientX - left) / width) * this.duration);
  }

  #key(e) {
    const steps = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity };
    if (e.altKey || e.ctrlKey || e.metaKey) return;
    if (e.key === " " || e.key === "Enter") this.toggle();
    else if (e.key in steps) this.seek(this.position + steps[e.key]);
    else return;
    e.preventDefault();
  }
}
