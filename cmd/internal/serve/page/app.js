// The page: a file or a recording goes to the server, and what comes back is shown, edited and saved.

import { key, Problem, size, transcribe } from "./api.js";
import { formats } from "./formats.js";
import * as options from "./options.js";
import { Player } from "./player.js";
import { Recorder } from "./record.js";
import { decode, pcm, tooLong, wav } from "./sound.js";
import { save } from "./store.js";
import { clock, Transcript } from "./transcript.js";
import { Wave } from "./wave.js";

const $ = (id) => document.getElementById(id);
const say = (text) => ($("status").textContent = text); // to screen readers, when they have time
const state = (name) => (document.body.dataset.state = name);

// refocus moves the focus on when what had it is gone, so that the keyboard does not begin at the top again.
function refocus(to) {
  const now = document.activeElement;
  if (!now || now === document.body || !now.checkVisibility()) to.focus({ preventScroll: true });
}

// job is the file in hand: {file, sent, asked, language, abort}; sent is what the server gets, if not the file itself.
let job = null;
let told = 0; // quarters of it that screen readers have heard of
let recorder = null;

const player = new Player((seconds) => {
  player.wave.current = seconds > 0 || !player.paused ? transcript.at(seconds) : -1;
  transcript.mark(player.wave.current, !player.paused);
});
const transcript = new Transcript($("segments"), {
  play: (i) => player.seek(transcript.segments[i].start, true),
  changed: facts,
});
player.wave.segments = transcript.segments;

// ---- Problems

let again = null; // what "Try again" does

// show says what went wrong. retry, if given, is offered.
function show(problem, retry, label = "Try again") {
  if (!(problem instanceof Problem)) {
    problem = new Problem("The page made a mistake.", "Load it again.", { detail: String(problem) });
  }
  const lines = [problem.message, problem.advice, problem.detail && `The server says: ${problem.detail}`];
  $("problem").replaceChildren(
    ...lines.filter(Boolean).map((text, i) => Object.assign(document.createElement("p"), { textContent: text, className: i === 2 ? "detail" : "" })),
  );
  again = retry;
  $("retry").hidden = !retry || problem.kind === "key";
  $("retry").textContent = label;
  $("key").hidden = problem.kind !== "key";
  $("notice").hidden = false;
  $("notice").scrollIntoView({ block: "nearest" });
  if (problem.kind === "key") $("secret").focus();
}

function hide() {
  $("notice").hidden = true;
  $("problem").replaceChildren();
}

$("dismiss").addEventListener("click", () => {
  hide();
  $("choose").focus();
});
$("retry").addEventListener("click", () => {
  hide();
  again();
});
$("key").addEventListener("submit", (e) => {
  e.preventDefault();
  key.set($("secret").value.trim());
  $("secret").value = "";
  const retry = again;
  hide();
  begin().then(() => retry?.());
});

async function begin() {
  try {
    await options.start();
  } catch (problem) {
    show(problem, problem.kind === "key" ? null : begin);
  }
}

// ---- Transcribing

// mayLose asks before edits are lost.
async function mayLose() {
  if (transcript.saved || !transcript.edited) return true;
  $("lose").returnValue = "keep";
  $("lose").showModal();
  await new Promise((resolve) => $("lose").addEventListener("close", resolve, { once: true }));
  return $("lose").returnValue === "lose";
}

async function open(file) {
  if (file && (await mayLose())) await take(file);
}

// take makes file the one in hand, whatever was there before.
async function take(file) {
  job?.abort.abort();
  job = { file, sent: file, abort: new AbortController() };
  $("name").textContent = file.name;
  $("choices").open = false;
  player.pause();
  player.open(file);
  await send(job);
}

// send hears the job's file anew.
async function send(mine) {
  mine.abort = new AbortController();
  Object.assign(mine, { fields: options.fields(), language: "", took: 0 });
  hide();
  transcript.clear();
  told = 0;
  player.tell({ heard: 0 });
  facts();
  state("working");
  refocus($("name"));
  stage(`Sending ${size(mine.sent.size)}`);
  say("Sending");
  const began = performance.now();
  try {
    for await (const event of transcribe(mine.sent, { ...mine.fields, response_format: "json", stream: "true" }, mine.abort.signal)) {
      if (mine !== job) return;
      hear(mine, event);
    }
    mine.took = (performance.now() - began) / 1000;
    finish(mine, `Done: ${transcript.segments.length} segments`);
  } catch (problem) {
    if (mine !== job) return;
    if (mine.abort.signal.aborted) return finish(mine, "Cancelled");
    if (problem.kind === "busy") return wait(mine, problem);
    if (problem.kind === "sound" && mine.sent === mine.file && (await convert(mine))) return send(mine);
    if (mine !== job) return;
    finish(mine, "");
    show(problem, () => send(mine));
  }
}

// hear takes an event of the server.
function hear(mine, event) {
  switch (event.type) {
    case "transcript.progress":
      progress(event);
      break;
    case "transcript.text.segment":
      transcript.add(event);
      player.tell({ heard: Math.max(player.wave.heard, event.end) });
      break;
    case "transcript.text.done":
      mine.language = event.language ?? "";
      if (transcript.segments.length === 0 && event.text?.trim()) transcript.add({ start: 0, end: event.duration, text: event.text });
      player.tell({ duration: event.duration });
  }
}

function progress({ done, total, queue }) {
  const bar = $("progress");
  if (queue > 0 && !done) {
    stage(queue === 1 ? "Waiting: one recording comes first" : `Waiting: ${queue} recordings come first`);
    return;
  }
  total ??= player.duration;
  player.tell({ duration: total, heard: done });
  stage(total ? `Heard ${clock(done)} of ${clock(total)}` : `Heard ${clock(done)}`);
  if (!total) return;
  const part = Math.min(1, done / total);
  bar.setAttribute("aria-valuenow", Math.round(100 * part));
  bar.firstElementChild.style.width = `${100 * part}%`;
  const quarter = Math.floor(4 * part);
  if (quarter > told) say(`${25 * quarter} percent heard`);
  told = quarter;
}

function stage(text) {
  $("stage").textContent = text;
  $("progress").removeAttribute("aria-valuenow");
  $("progress").firstElementChild.style.width = "";
}

// wait sends the job again when the server said that it may have time.
async function wait(mine, problem) {
  problem.advice = `It is asked again in ${problem.after} s.`;
  let now;
  const sooner = new Promise((resolve) => (now = resolve));
  show(problem, now, "Ask now");
  const until = performance.now() + 1000 * problem.after;
  for (let left = problem.after; left > 0 && !mine.abort.signal.aborted; left = Math.ceil((until - performance.now()) / 1000)) {
    stage(`Asking again in ${left} s`);
    if (await Promise.race([sooner.then(() => true), new Promise((r) => setTimeout(r, 200))])) break;
  }
  if (mine !== job) return;
  hide();
  if (mine.abort.signal.aborted) finish(mine, "Cancelled");
  else send(mine);
}

// convert makes a wav file of one that the browser knows and the server does not, and says whether it could.
async function convert(mine) {
  if (tooLong(mine.file, $("audio").duration)) return false;
  stage("Converting the file");
  try {
    mine.sent = wav([pcm(await decode(mine.file, 16000))], 16000, mine.file.name.replace(/\.[^.]*$/, "") + ".wav");
    return true;
  } catch {
    return false;
  }
}

function finish(mine, words) {
  player.tell({ heard: Infinity });
  if (!recorder) state("done");
  facts();
  refocus($("again"));
  say(words);
}

// facts says what is known of the transcript, and which buttons make sense.
function facts() {
  if (!job) return;
  const known = [];
  if (job.language) known.push(options.found(job.language).name);
  if (job.fields?.translate) known.push("translated to English");
  if (player.duration) known.push(clock(player.duration));
  if (job.fields?.model) known.push(job.fields.model);
  if (job.took) known.push(`heard in ${job.took < 10 ? job.took.toFixed(1) : Math.round(job.took)} s`);
  if (transcript.edited) known.push("changed");
  const empty = transcript.segments.length === 0;
  if (empty && document.body.dataset.state === "done") known.push(job.took ? "no speech was heard" : "no text");
  $("facts").textContent = known.join(" · ");
  for (const button of document.querySelectorAll("#copy, [data-format]")) button.disabled = empty;
  document.body.classList.toggle("empty", empty);
}

$("cancel").addEventListener("click", () => job.abort.abort());
$("again").addEventListener("click", async () => {
  if (await mayLose()) send(job);
});

// ---- Choosing a file

$("choose").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", (e) => {
  open(e.target.files[0]);
  e.target.value = "";
});
let over = 0; // elements that the file hangs over
const carries = (e) => e.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (e) => {
  if (carries(e)) document.body.classList.toggle("dropping", ++over > 0);
});
addEventListener("dragleave", (e) => {
  if (carries(e)) document.body.classList.toggle("dropping", --over > 0);
});
addEventListener("dragover", (e) => carries(e) && e.preventDefault());
addEventListener("drop", (e) => {
  if (!carries(e)) return;
  e.preventDefault();
  over = 0;
  document.body.classList.remove("dropping");
  if (document.body.dataset.state !== "recording") open(e.dataTransfer.files[0]);
});

// ---- Recording

const level = new Wave($("level"), (n) => levels.slice(-n));
let levels = []; // how loud it was, a bar each, the newest last

$("record").addEventListener("click", async () => {
  if (!(await mayLose())) return;
  hide();
  $("record").disabled = true;
  const mine = new Recorder({ lost: finishRecording });
  try {
    await mine.start();
  } catch (problem) {
    return show(problem, null);
  } finally {
    $("record").disabled = false;
  }
  job?.abort.abort();
  player.pause();
  recorder = mine;
  levels = [];
  state("recording");
  $("pause").textContent = "Pause";
  $("finish").focus();
  say("Recording");
  listen(mine);
});

// listen draws how loud it is, and says when nothing is heard.
function listen(mine) {
  let silent = 0;
  const clockwork = setInterval(() => {
    if (recorder !== mine) return clearInterval(clockwork);
    $("recorded").textContent = mine.paused ? `${clock(mine.seconds)}, paused` : clock(mine.seconds);
    if (mine.paused) return;
    const loud = mine.level;
    silent = loud < 0.004 ? silent + 1 : 0;
    if (silent === 80) show(new Problem("Nothing is heard.", "Is the right microphone chosen, and switched on?"), null);
    levels.push(Math.min(1, Math.sqrt(loud)));
    levels = levels.slice(-1000);
    level.heard = Infinity;
    level.draw();
  }, 50);
}

async function finishRecording() {
  const mine = recorder;
  if (!mine) return;
  recorder = null;
  hide();
  state(job ? "done" : "idle");
  try {
    await take(await mine.finish());
  } catch (problem) {
    show(problem, null);
  }
}

$("finish").addEventListener("click", finishRecording);
$("pause").addEventListener("click", () => {
  if (recorder.paused) recorder.resume();
  else recorder.pause();
  $("pause").textContent = recorder.paused ? "Go on" : "Pause";
  say(recorder.paused ? "Paused" : "Recording");
});
$("discard").addEventListener("click", () => {
  recorder.discard();
  recorder = null;
  hide();
  state(job ? "done" : "idle");
  $("record").focus();
});

// ---- Saving

const record = () => ({
  segments: transcript.segments,
  language: job.language ? options.found(job.language).code : (job.fields.language ?? ""),
  asked: job.fields.language ?? "auto",
  model: job.fields.model ?? "",
  translate: "translate" in job.fields,
});

for (const button of document.querySelectorAll("[data-format]")) {
  const ext = button.dataset.format;
  button.setAttribute("aria-label", `Download ${ext}`);
  button.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([formats[ext].write(record())], { type: formats[ext].type }));
    const link = Object.assign(document.createElement("a"), { href: address, download: job.file.name.replace(/\.[^.]*$/, "") + "." + ext });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    transcript.saved = true;
    say(`Saved ${link.download}`);
  });
}

// copy works on http too, where browsers have no clipboard for scripts.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    $("copy").focus();
  }
}

$("copy").addEventListener("click", async () => {
  await copy(formats.txt.write(record()));
  transcript.saved = true;
  $("copy").textContent = "Copied";
  say("Copied");
  setTimeout(() => ($("copy").textContent = "Copy text"), 2000);
});

addEventListener("beforeunload", (e) => {
  if (recorder || (!transcript.saved && transcript.edited)) e.preventDefault();
});

// ---- Colours

const system = matchMedia("(prefers-color-scheme: dark)");
const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

function name() {
  $("theme").lastElementChild.textContent = dark() ? "Light colours" : "Dark colours";
  player.wave.draw();
  level.draw();
}

$("theme").addEventListener("click", () => {
  const theme = dark() ? "light" : "dark";
  const own = (theme === "dark") !== system.matches;
  if (own) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  save({ theme: own ? theme : undefined });
  name();
});
system.addEventListener("change", name);

name();
begin();
