// Sound inside the browser: decoded for the waveform, and written as wav for a server that reads nothing else.

// longest is how much sound, in seconds, the browser is made to decode at once: decoded, 30 minutes are up to 700 MB for a
// moment. Phones have less.
export const longest = matchMedia("(pointer: coarse)").matches ? 10 * 60 : 30 * 60;

// unknown is the size above which a file whose duration the browser cannot tell is not decoded.
const unknown = 32 << 20;

// tooLong says whether a file of a duration in seconds, NaN where unknown, should not be decoded.
export function tooLong(file, seconds) {
  return Number.isFinite(seconds) ? seconds > longest : file.size > unknown;
}

// decode returns the samples of a file, mixed to mono, at a rate between 8,000 and 96,000 Hz. It throws where the browser
// does not know the format.
export async function decode(file, rate) {
  const context = new OfflineAudioContext(1, 1, rate);
  const buffer = await context.decodeAudioData(await file.arrayBuffer());
  const mono = buffer.getChannelData(0);
  for (let c = 1; c < buffer.numberOfChannels; c++) {
    const other = buffer.getChannelData(c);
    for (let i = 0; i < mono.length; i++) mono[i] += other[i];
  }
  if (buffer.numberOfChannels > 1) for (let i = 0; i < mono.length; i++) mono[i] /= buffer.numberOfChannels;
  return mono;
}

// peaks returns the largest absolute value in each of n equal parts, the loudest of all being 1.
export function peaks(samples, n) {
  const out = new Float32Array(n);
  let top = 1e-3;
  for (let k = 0; k < n; k++) {
    const end = Math.floor(((k + 1) * samples.length) / n);
    for (let i = Math.floor((k * samples.length) / n); i < end; i++) out[k] = Math.max(out[k], Math.abs(samples[i]));
    top = Math.max(top, out[k]);
  }
  return out.map((v) => v / top);
}

// pcm turns samples between -1 and 1 into 16-bit numbers.
export function pcm(samples) {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const v = Math.max(-1, Math.min(1, samples[i]));
    out[i] = Math.round(v < 0 ? v * 32768 : v * 32767);
  }
  return out;
}

// wav puts the header of a mono wav file before parts of 16-bit samples.
export function wav(parts, rate, name) {
  const bytes = parts.reduce((n, p) => n + (p.byteLength ?? p.size), 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, s) => [...s].forEach((c, i) => header.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, rate, true);
  header.setUint32(28, 2 * rate, true); // bytes a second
  header.setUint16(32, 2, true); // bytes of a frame
  header.setUint16(34, 16, true); // bits
  text(36, "data");
  header.setUint32(40, bytes, true);
  return new File([header, ...parts], name, { type: "audio/wav" });
}
