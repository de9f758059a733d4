// Uses whisper-server through OpenAI's client for Node.
//
// usage: node client.mjs OPEN GUARDED CLIPS
//
// OPEN and GUARDED are base URLs. The second server wants the key "sesame", hears one request at a time, lets none wait and
// gives up on a request after 8 s. CLIPS is the directory of clips. Each test prints a line as go test does.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import OpenAI, { toFile } from "openai";

const [open, guarded, clips] = process.argv.slice(2);
const clip = path.join(clips, "austen-0930.wav");
const words = "he might even have been made amiable himself";
const client = new OpenAI({ baseURL: open, apiKey: "none is wanted", timeout: 60_000 });

const plain = (text) => text.toLowerCase().replace(/[^a-z]+/g, " ").trim();

const transcribe = (options = {}, c = client, request = {}) =>
  c.audio.transcriptions.create({ file: fs.createReadStream(clip), model: "whisper-1", ...options }, request);

// fails expects an error of a class, and what it says.
async function fails(kind, status, call, body = {}) {
  try {
    await call();
  } catch (e) {
    assert.equal(e.constructor.name, kind.name, `${e}`);
    assert.equal(e.status, status);
    for (const [key, want] of Object.entries(body)) assert.equal(e[key], want, `${key} of ${e}`);
    return e;
  }
  assert.fail(`an answer, not ${kind.name}`);
}

// longClip is all clips, again and again, as a file.
function longClip(minutes) {
  const names = fs.readdirSync(clips).filter((name) => name.endsWith(".wav"));
  const files = names.sort().map((name) => fs.readFileSync(path.join(clips, name)));
  const sound = Buffer.concat(files.map((f) => f.subarray(44)));
  const times = Math.floor((minutes * 60 * 32000) / sound.length);
  const head = Buffer.from(files[0].subarray(0, 44));
  head.writeUInt32LE(36 + times * sound.length, 4);
  head.writeUInt32LE(times * sound.length, 40);
  return toFile(Buffer.concat([head, ...Array(times).fill(sound)]), "long.wav");
}

const tests = {
  async json() {
    const { data, request_id } = await transcribe().withResponse();
    assert.equal(plain(data.text), words);
    assert.equal(data.text, data.text.trim());
    assert.deepEqual(data.usage, { type: "duration", seconds: 4 });
    assert.ok(request_id);
  },

  async text() {
    assert.equal(plain(await transcribe({ response_format: "text" })), words);
  },

  async srt() {
    const r = await transcribe({ response_format: "srt" });
    assert.match(r, /^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n/);
    assert.equal(plain(r), words);
  },

  async vtt() {
    const r = await transcribe({ response_format: "vtt" });
    assert.match(r, /^WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n/);
    assert.equal(plain(r), `webvtt ${words}`);
  },

  async verbose_json() {
    const r = await transcribe({ response_format: "verbose_json" });
    assert.equal(plain(r.text), words);
    assert.equal(r.language, "english");
    assert.ok(Math.abs(r.duration - 3.3) < 0.1, `${r.duration}`);
    assert.equal(r.words, undefined);
    assert.ok(r.segments[0].start <= r.segments[0].end && r.segments[0].tokens.length > 0);
  },

  async words_and_segments() {
    const both = { response_format: "verbose_json", timestamp_granularities: ["word", "segment"] };
    const r = await transcribe(both);
    assert.equal(plain(r.words.map((w) => w.word).join(" ")), words);
    const times = r.words.flatMap((w) => [w.start, w.end]);
    assert.deepEqual(times, [...times].sort((a, b) => a - b));
    assert.ok(times[0] >= 0 && times.at(-1) <= 3.4, `${times}`);
    assert.equal(plain(r.segments.map((s) => s.text).join("")), words);
    const one = await transcribe({ ...both, timestamp_granularities: ["word"] });
    assert.ok(one.words.length > 0);
    assert.equal(one.segments, undefined);
  },

  async stream() {
    let text = "";
    let done;
    for await (const event of await transcribe({ stream: true })) {
      assert.equal(done, undefined);
      if (event.type === "transcript.text.done") done = event;
      else text += event.delta;
    }
    assert.equal(text.trim(), done.text);
    assert.equal(plain(text), words);
    assert.equal(done.usage.seconds, 4);
  },

  async translation_of_english_only() {
    const call = () => client.audio.translations.create({ file: fs.createReadStream(clip), model: "whisper-1" });
    const e = await fails(OpenAI.BadRequestError, 400, call, { param: "translate", type: "invalid_request_error" });
    assert.match(e.message, /cannot translate/);
  },

  async models() {
    const { data } = await client.models.list();
    assert.equal(data.length, 1);
    const m = await client.models.retrieve(data[0].id);
    assert.deepEqual({ ...m }, { ...data[0] });
    assert.deepEqual(m.languages, ["en"]);
    assert.equal(plain((await transcribe({ model: m.id })).text), words);
  },

  async not_found() {
    const body = { param: "model", code: "model_not_found" };
    await fails(OpenAI.NotFoundError, 404, () => client.models.retrieve("none"), body);
    await fails(OpenAI.NotFoundError, 404, () => transcribe({ model: "none" }), body);
    await fails(OpenAI.NotFoundError, 404, () => client.files.list());
  },

  async bad_requests() {
    for (const [param, value] of Object.entries({ temperature: 7, language: "zzz", response_format: "diarized_json" })) {
      await fails(OpenAI.BadRequestError, 400, () => transcribe({ [param]: value }), { param });
    }
    const text = await toFile(Buffer.from("This is no sound."), "a.txt");
    await fails(OpenAI.APIError, 415, () => transcribe({ file: text }), { param: "file" });
  },

  async timeout() {
    const file = await longClip(2);
    await assert.rejects(transcribe({ file }, client, { timeout: 200, maxRetries: 0 }), OpenAI.APIConnectionTimeoutError);
  },

  async keys() {
    const stranger = new OpenAI({ baseURL: guarded, apiKey: "wrong", maxRetries: 0 });
    const body = { code: "invalid_api_key" };
    await fails(OpenAI.AuthenticationError, 401, () => transcribe({}, stranger), body);
    await fails(OpenAI.AuthenticationError, 401, () => stranger.models.list(), body);
  },

  async busy() {
    const friend = new OpenAI({ baseURL: guarded, apiKey: "sesame", timeout: 60_000 });
    const stream = await transcribe({ file: await longClip(20), stream: true }, friend);
    const events = stream[Symbol.asyncIterator]();
    assert.equal((await events.next()).value.type, "transcript.text.delta");
    const body = { code: "queue_full", type: "rate_limit_error" };
    const e = await fails(OpenAI.RateLimitError, 429, () => transcribe({}, friend, { maxRetries: 0 }), body);
    assert.ok(Number(e.headers.get("Retry-After")) >= 1);
    await assert.rejects(
      async () => {
        for (let next = {}; !next.done; next = await events.next());
      },
      (e) => e instanceof OpenAI.APIError && /time limit/.test(e.error.message),
    );
    assert.equal(plain((await transcribe({}, friend)).text), words); // again if need be, when the server says
  },
};

for (const [name, test] of Object.entries(tests)) {
  const start = performance.now();
  let verdict = "PASS";
  try {
    await test();
  } catch (e) {
    console.log(e);
    verdict = "FAIL";
    process.exitCode = 1;
  }
  console.log(`--- ${verdict}: node/${name} (${((performance.now() - start) / 1000).toFixed(2)}s)`);
}
