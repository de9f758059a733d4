// Recording from the microphone.

import { Problem } from "./api.js";
import { decode, pcm, wav } from "./sound.js";

// rate is Whisper's own.
const rate = 16000;

// Recorder holds the microphone from start to finish or discard. What is recorded is decoded part by part, so that hours
// need no more memory at a time than minutes do.
export class Recorder {
  #stream;
  #context;
  #analyser;
  #recorder;
  #clock;
  #parts = [];
  #busy = Promise.resolve();
  #cut = 0; // seconds before the part in hand
  #before = 0; // seconds before the recorder last started or went on
  #since = 0; // when that was, 0 while it pauses
  #dropped = false;

  // part is the length of a part in seconds; lost is called when the microphone goes away.
  constructor({ part = 600, lost = () => {} } = {}) {
    this.part = part;
    this.lost = lost;
  }

  // start asks for the microphone and records.
  async start() {
    if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) {
      throw new Problem(
        "This browser does not record here.",
        isSecureContext ? "Record with another program, then choose the file." : "Browsers give out the microphone on https and on localhost only. Open the page there, or choose a file.",
      );
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (e) {
      throw refusal(e);
    }
    this.#context = new AudioContext();
    this.#context.resume();
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
    this.#context.createMediaStreamSource(this.#stream).connect(this.#analyser);
    this.#stream.getAudioTracks()[0].addEventListener("ended", () => this.lost());
    this.#next();
    this.#clock = setInterval(() => {
      if (this.paused || this.seconds - this.#cut < this.part) return;
      const old = this.#recorder;
      this.#cut = this.#before = this.seconds;
      this.#next();
      old.stop();
    }, 100);
  }

  #next() {
    const recorder = new MediaRecorder(this.#stream);
    recorder.ondataavailable = ({ data }) => {
      this.#busy = this.#busy.then(async () => {
        if (this.#dropped || data.size === 0) return;
        this.#parts.push(new Blob([pcm(await decode(data, rate))]));
      });
      this.#busy.catch(() => {});
    };
    recorder.start();
    this.#recorder = recorder;
    this.#since = performance.now();
  }

  get paused() {
    return this.#since === 0;
  }

  // seconds is how much is recorded.
  get seconds() {
    return this.#before + (this.paused ? 0 : (performance.now() - this.#since) / 1000);
  }

  // level is how loud it is now: the largest value of the last 50 ms or so, at most 1.
  get level() {
    const samples = new Float32Array(this.#analyser.fftSize);
    this.#analyser.getFloatTimeDomainData(samples);
    return samples.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  }

  pause() {
    this.#before = this.seconds;
    this.#since = 0;
    if (this.#recorder.state === "recording") this.#recorder.pause();
  }

  resume() {
    this.#recorder.resume();
    this.#since = performance.now();
  }

  // finish ends the recording and returns it as a wav file.
  async finish() {
    this.pause();
    if (this.#recorder.state !== "inactive") {
      const stopped = new Promise((resolve) => this.#recorder.addEventListener("stop", resolve));
      this.#recorder.stop();
      await stopped;
    }
    this.#release();
    try {
      await this.#busy;
    } catch {
      throw new Problem("The recording cannot be used.", "It was too short, or this browser cannot read what it recorded. Record again.");
    }
    const [day, time] = new Date(Date.now() - new Date().getTimezoneOffset() * 60000).toISOString().split("T");
    return wav(this.#parts, rate, `recording ${day} ${time.slice(0, 5).replace(":", "-")}.wav`);
  }

  // discard ends the recording and forgets it.
  discard() {
    this.#dropped = true;
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    this.#release();
  }

  #release() {
    clearInterval(this.#clock);
    this.#stream.getTracks().forEach((track) => track.stop());
    this.#context.close();
  }
}

function refusal(e) {
  switch (e.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Problem("The browser may not use the microphone.", "Allow it in the browser's settings for this page, then record again.");
    case "NotFoundError":
      return new Problem("There is no microphone.", "Connect one, then record again. Or choose a file.");
    case "NotReadableError":
      return new Problem("The microphone is in use.", "Close the program that uses it, then record again.");
    default:
      return new Problem("The microphone does not work.", "Try another one, or choose a file.", { detail: e.message });
  }
}
