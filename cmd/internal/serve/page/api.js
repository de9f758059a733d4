// What the page asks of the server, and what it makes of the answers.

// Problem is something that went wrong, in words for the person at the page: what, and what to do about it. kind says how
// the page can help: "busy" (again after seconds), "sound" (the browser may be able to convert it), "key", "broken" (what
// came before is good), or "".
export class Problem extends Error {
  constructor(what, advice, { kind = "", after = 0, detail = "" } = {}) {
    super(what);
    Object.assign(this, { advice, kind, after, detail });
  }
}

const unreachable = "The server cannot be reached.";
const keyName = "whisper-key";

// key is sent with every request once somebody has entered it. It is forgotten with the tab.
export const key = {
  get: () => {
    try {
      return sessionStorage.getItem(keyName);
    } catch {
      return null;
    }
  },
  set: (value) => {
    try {
      sessionStorage.setItem(keyName, value);
    } catch {
      // Without storage the key has to be entered again.
    }
  },
};

function ask(path, options = {}) {
  const headers = key.get() ? { Authorization: `Bearer ${key.get()}` } : {};
  return fetch(path, { ...options, headers });
}

// models returns what the server lists: [{id, languages, translate, default, loaded}].
export async function models() {
  let answer;
  try {
    answer = await ask("v1/models");
  } catch {
    throw new Problem(unreachable, "Is whisper-server still running? Start it, then load this page again.");
  }
  if (!answer.ok) throw await refusal(answer);
  return (await answer.json()).data ?? [];
}

// inference is the address that sound is sent to. A server that has it elsewhere says so in its description.
let inference = "inference";

async function elsewhere() {
  const answer = await ask("openapi.json");
  if (!answer.ok) return false;
  const { paths } = await answer.json();
  const path = Object.keys(paths).find((p) => paths[p].post?.operationId === "inference")?.slice(1);
  if (!path || path === inference) return false;
  inference = path;
  return true;
}

// transcribe sends a file and yields the server's events as they arrive. It ends with the event that says so, or throws: a
// Problem, or an AbortError once signal was given.
export async function* transcribe(file, fields, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file, file.name);
  let answer;
  try {
    const send = () => ask(inference, { method: "POST", body: form, signal });
    answer = await send();
    if (answer.status === 404 && (await elsewhere())) answer = await send();
  } catch (e) {
    if (signal.aborted) throw e;
    if (!(await readable(file))) throw new Problem("The file cannot be read.", "It may have been moved, deleted or changed. Choose it again.");
    const large = file.size > 16 << 20 ? " Or the file is larger than it accepts." : "";
    throw new Problem(unreachable, `Is whisper-server still running?${large} Then try again.`);
  }
  if (!answer.ok) throw await refusal(answer, file);
  try {
    for await (const event of events(answer.body)) {
      if (event.type === "error") {
        throw new Problem("The server stopped before the end.", "What it had heard is kept. Try again.", {
          kind: "broken",
          detail: event.error?.message ?? "",
        });
      }
      yield event;
      if (event.type === "transcript.text.done") return;
    }
  } catch (e) {
    if (signal.aborted || e instanceof Problem) throw e;
  }
  throw new Problem("The connection broke off.", "What had been heard is kept. Try again.", { kind: "broken" });
}

// readable says whether the file is still where it was chosen.
async function readable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

// events yields the objects of a stream of server-sent events.
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (text + value).split(/\r?\n\r?\n/);
      text = blocks.pop();
      for (const block of blocks) {
        const data = block.split(/\r?\n/).filter((l) => l.startsWith("data:")).map((l) => l.slice(5)).join("\n").trim();
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

// refusal makes a Problem of an answer that is an error.
async function refusal(answer, file) {
  let detail = "";
  try {
    const { error } = JSON.parse(await answer.text());
    detail = error?.message ?? error ?? "";
  } catch {
    // Not every server between says why.
  }
  const problem = (what, advice, more) => new Problem(what, advice, { detail, ...more });
  switch (answer.status) {
    case 400:
      return problem("The server refused the request.", "Try other choices, or another file.");
    case 401:
    case 403:
      return problem("This server wants a key.", "Enter the API key that its owner gave you.", { kind: "key" });
    case 413:
      return problem(
        `This file is too large for the server${file ? ` (${size(file.size)})` : ""}.`,
        "Cut it into parts, or save it as mp3 or flac.",
      );
    case 415:
      return problem("The server cannot read this file as sound.", "Save it as wav, flac or mp3, then choose that.", { kind: "sound" });
    case 429: {
      const after = Math.min(600, Math.max(1, Number(answer.headers.get("Retry-After")) || 5));
      return problem("The server is busy.", "", { kind: "busy", after });
    }
    case 503:
      return problem("The server is not ready.", "It may be starting, or about to stop. Try again in a moment.");
    default:
      return problem(`The server answered with an error (${answer.status}).`, "Try again. If it stays, its log says more.");
  }
}

// size is a number of bytes for people.
export function size(bytes) {
  const [n, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
}
