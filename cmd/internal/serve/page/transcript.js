// The list of segments: each with a time that plays it, and a text that can be changed.

// clock is a time in seconds as people write it: 0:07, 12:34, 1:02:03.
export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(s / 60) % 60;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
}

// Transcript shows segments in a list. It calls play(i) when a segment is to be heard, and changed() when its text was edited.
export class Transcript {
  #list;
  #play;
  #changed;
  segments = []; // {start, end, text, edited}
  saved = true; // nothing was edited since the text was last saved

  constructor(list, { play, changed }) {
    this.#list = list;
    this.#play = play;
    this.#changed = changed;
  }

  clear() {
    this.segments.length = 0;
    this.saved = true;
    this.#list.replaceChildren();
  }

  // add appends a segment {start, end, text}, in seconds.
  add({ start, end, text }) {
    const i = this.segments.length;
    const segment = { start, end, text, edited: false };
    this.segments.push(segment);

    const row = document.createElement("li");
    const time = document.createElement("button");
    time.type = "button";
    time.className = "plain time";
    time.textContent = clock(start);
    time.setAttribute("aria-label", `Play from ${clock(start)}`);
    time.addEventListener("click", () => this.#play(i));

    // The blanks around a text stay as the server sent them; people do not see them.
    const shown = text.trim();
    const [before, behind] = shown ? text.split(shown, 2) : [text, ""];
    const field = document.createElement("div");
    const area = document.createElement("textarea");
    area.rows = 1;
    area.value = shown;
    area.dir = "auto";
    area.setAttribute("aria-label", `Text at ${clock(start)}`);
    field.dataset.text = shown;
    area.addEventListener("input", () => {
      field.dataset.text = area.value;
      segment.edited = area.value !== shown;
      segment.text = before + area.value + behind;
      row.classList.toggle("edited", segment.edited);
      this.saved = false;
      this.#changed();
    });
    area.addEventListener("keydown", (e) => this.#key(e, i));
    field.append(area);
    row.append(time, field);
    this.#list.append(row);
  }

  #key(e, i) {
    if (e.isComposing) return;
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
      this.#play(i);
    } else if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
      this.#list.children[i + (e.key === "ArrowUp" ? -1 : 1)]?.querySelector("textarea").focus();
    } else {
      return;
    }
    e.preventDefault();
  }

  // at returns the segment that is spoken at a time, or -1.
  at(seconds) {
    return this.segments.findIndex((s) => seconds >= s.start && seconds < s.end);
  }

  // mark shows which segment plays, -1 for none. follow brings it into view, unless somebody is writing.
  mark(i, follow) {
    const old = this.#list.querySelector("[aria-current]");
    const row = this.#list.children[i];
    if (old === (row ?? null)) return;
    old?.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
    if (follow && document.activeElement?.tagName !== "TEXTAREA") row?.scrollIntoView({ block: "nearest" });
  }

  get edited() {
    return this.segments.some((s) => s.edited);
  }
}
