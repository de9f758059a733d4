// Choices that outlive the page, where the browser keeps them.

const name = "whisper";

// load returns the choices that were saved.
export function load() {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "{}") ?? {};
  } catch {
    return {};
  }
}

// save adds choices to those that were saved.
export function save(choices) {
  try {
    localStorage.setItem(name, JSON.stringify({ ...load(), ...choices }));
  } catch {
    // A browser that keeps nothing forgets them.
  }
}
