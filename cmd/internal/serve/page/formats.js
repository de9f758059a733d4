// The formats that a transcript is saved in: to the byte what whisper writes for the same segments.

// stamp is HH:MM:SS and milliseconds behind mark, of a time in seconds.
export function stamp(seconds, mark) {
  const ms = Math.round(seconds * 1000);
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)}${mark}${String(ms % 1000).padStart(3, "0")}`;
}

// cues are what is left of segments to save. One whose text was deleted is left out. A blank line would end a subtitle early.
function cues(t) {
  return t.segments
    .filter((s) => !s.edited || s.text.trim() !== "")
    .map((s) => ({ ...s, text: s.text.replace(/\r\n?/g, "\n").replace(/\n[ \t]*(?=\n)/g, "") }));
}

const txt = (t) => cues(t).map((s) => s.text.replace(/^[ \t]+/, "") + "\n").join("");

const srt = (t) =>
  cues(t).map((s, i) => `${i + 1}\n${stamp(s.start, ",")} --> ${stamp(s.end, ",")}\n${s.text}\n\n`).join("");

const vtt = (t) => "WEBVTT\n\n" + cues(t).map((s) => `${stamp(s.start, ".")} --> ${stamp(s.end, ".")}\n${s.text}\n\n`).join("");

const json = (t) =>
  JSON.stringify(
    {
      params: { model: t.model, language: t.asked, translate: t.translate },
      result: { language: t.language },
      transcription: cues(t).map((s) => ({
        timestamps: { from: stamp(s.start, ","), to: stamp(s.end, ",") },
        offsets: { from: Math.round(s.start * 1000), to: Math.round(s.end * 1000) },
        text: s.text,
      })),
    },
    null,
    "\t",
  ) + "\n";

// formats are by extension: media type, and the function that writes a transcript
// {segments: [{start, end, text, edited}], language, asked, model, translate}.
export const formats = {
  txt: { type: "text/plain", write: txt },
  srt: { type: "application/x-subrip", write: srt },
  vtt: { type: "text/vtt", write: vtt },
  json: { type: "application/json", write: json },
};
