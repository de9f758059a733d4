// Language, task, model and prompt: what the server's models offer, and what was chosen before.

import { models } from "./api.js";
import { load, save } from "./store.js";

const $ = (id) => document.getElementById(id);
const language = $("language"), task = $("task"), model = $("model"), prompt = $("prompt");
const names = new Intl.DisplayNames("en", { type: "language" });

// unlike are Whisper's names that the browser's are not.
const unlike = { tagalog: "tl", nynorsk: "nn", myanmar: "my", maori: "mi" };

let list = [];

function nameOf(code) {
  try {
    return names.of(code) ?? code;
  } catch {
    return code;
  }
}

// chosen returns the model that is selected, as the server lists it.
const chosen = () => list.find((m) => m.id === model.value);

// fill offers what the selected model can do. What was wished for stays selected where that is possible.
function fill() {
  const codes = chosen()?.languages ?? [];
  const wish = load();
  const options = codes.map((code) => new Option(nameOf(code), code)).sort((a, b) => a.text.localeCompare(b.text, "en"));
  if (codes.length !== 1) options.unshift(new Option("Detect", "auto"));
  language.replaceChildren(...options);
  language.value = wish.language ?? "auto";
  if (language.selectedIndex < 0) language.selectedIndex = 0;
  const translate = chosen()?.translate ?? true;
  task.disabled = !translate;
  task.value = translate && wish.task === "translate" ? "translate" : "transcribe";
  sum();
}

// sum says in a line what is chosen, for when the fields are folded away.
function sum() {
  const parts = [language, task, model].map((s) => s.selectedOptions[0]?.text).concat(prompt.value.trim());
  $("chosen").textContent = parts.filter(Boolean).join(" · ");
}

// start asks the server for its models and selects what was chosen before. It throws a Problem.
export async function start() {
  prompt.value = load().prompt ?? "";
  list = await models();
  model.replaceChildren(...list.map((m) => new Option(m.id, m.id, m.default)));
  const wish = load().model;
  if (list.some((m) => m.id === wish)) model.value = wish;
  model.disabled = list.length < 2;
  fill();
}

language.addEventListener("change", () => save({ language: language.value }));
task.addEventListener("change", () => save({ task: task.value }));
prompt.addEventListener("input", () => save({ prompt: prompt.value }));
for (const field of [language, task, prompt]) field.addEventListener("input", sum);
model.addEventListener("change", () => {
  save({ model: model.value });
  fill();
});

// fields returns the choices as the server's fields, those without a value left out.
export function fields() {
  const all = { model: model.value, language: language.value, prompt: prompt.value.trim() };
  if (task.value === "translate") all.translate = "true";
  return Object.fromEntries(Object.entries(all).filter(([, v]) => v));
}

// found makes {code, name} of what the server says the language is: a code, or Whisper's name of it.
export function found(said) {
  const codes = chosen()?.languages ?? [];
  const low = said.toLowerCase();
  const code = codes.find((c) => c === low) ?? unlike[low] ?? codes.find((c) => nameOf(c).toLowerCase() === low) ?? low;
  return { code, name: code === low && !codes.includes(low) ? said : nameOf(code) };
}
