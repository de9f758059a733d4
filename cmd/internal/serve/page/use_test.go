package page_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
	"github.com/whisperfile/whisperfile/model"
)

// tricky has what formats trip over: times that round, hours, quotes, other scripts, no blank in front.
var tricky = []segment{
	{0, 2.5, ` He said "no", twice.`},
	{2.5, 59.999, " \\ tab\there & <there>"},
	{59.9996, 61.07, "你好，世界"},
	{3599.999, 360061.1, " The end."},
}

// written is what whisper makes of segments.
func written(t *testing.T, segments []segment) map[string]string {
	t.Helper()
	tr := &transcript.Transcript{}
	for _, s := range segments {
		at := func(seconds float64) time.Duration { return time.Duration(math.Round(seconds*1000)) * time.Millisecond }
		tr.Segments = append(tr.Segments, model.Segment{Start: at(s.start), End: at(s.end), Text: s.text})
	}
	all := map[string]string{}
	for ext, write := range map[string]func(io.Writer, *transcript.Transcript) error{
		"txt": transcript.WriteTXT, "srt": transcript.WriteSRT, "vtt": transcript.WriteVTT,
	} {
		var b bytes.Buffer
		if err := write(&b, tr); err != nil {
			t.Fatal(err)
		}
		all[ext] = b.String()
	}
	return all
}

func TestDownloads(t *testing.T) {
	f := pretend(t, hears(tricky))
	p := open(t, f.address)
	p.upload(clip(t, "a.b c.wav", speech(2)))
	p.wait(isDone)
	check := func(segments []segment) {
		t.Helper()
		for ext, want := range written(t, segments) {
			if diff := cmp.Diff(want, p.download(fmt.Sprintf("[data-format=%s]", ext), "a.b c."+ext)); diff != "" {
				t.Errorf("%s: %s", ext, diff)
			}
		}
		// whisper --render reads the JSON and makes the same of it.
		tr, err := transcript.ReadJSON(strings.NewReader(p.download("[data-format=json]", "a.b c.json")))
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := transcript.WriteSRT(&b, tr); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(written(t, segments)["srt"], b.String()); diff != "" {
			t.Errorf("json: %s", diff)
		}
		if tr.Language != "en" || tr.Params.Language != "auto" || tr.Params.Model != "base" || tr.Params.Translate {
			t.Errorf("json: language %q, %+v", tr.Language, tr.Params)
		}
	}
	check(tricky)

	change := func(row int, text string) {
		t.Helper()
		p.click(fmt.Sprintf("#segments li:nth-child(%d) textarea", row))
		p.eval("document.activeElement.select()")
		p.write(text)
	}
	change(1, "He said yes,\n\n\ntwice.")
	change(3, "Hello, world")
	if p.eval(`document.activeElement.select(), document.execCommand("copy"), document.querySelectorAll("#segments .edited").length`) != float64(2) {
		t.Error("rows do not say that they were changed")
	}
	edited := []segment{tricky[0], tricky[1], tricky[2], tricky[3]}
	edited[0].text, edited[2].text = " He said yes,\ntwice.", "Hello, world"
	check(edited)
	p.shoot("edited")

	p.browser("Browser.grantPermissions", object{"permissions": []string{"clipboardReadWrite"}, "browserContextId": p.profile})
	p.click("#copy")
	p.wait(`document.getElementById("copy").textContent === "Copied"`)
	if got := p.text("navigator.clipboard.readText()"); got != written(t, edited)["txt"] {
		t.Errorf("copied %q", got)
	}

	// A text that was deleted leaves no subtitle behind. Chromium passes over more than ten downloads a second, so one format does.
	change(3, " ")
	if diff := cmp.Diff(written(t, []segment{edited[0], edited[1], edited[3]})["srt"], p.download("[data-format=srt]", "a.b c.srt")); diff != "" {
		t.Error(diff)
	}

	// Edits are not lost without a question.
	change(3, "kept")
	p.click("#again")
	p.wait(`document.getElementById("lose").open`)
	p.shoot("question")
	p.press("Enter", 0)
	p.wait(`!document.getElementById("lose").open`)
	if p.text(`document.querySelector("#segments li:nth-child(3) textarea").value`) != "kept" {
		t.Error("edits are lost")
	}
	p.click("#again")
	p.click("#lose [value=lose]")
	p.wait(isDone + ` && document.querySelector("#segments li:nth-child(3) textarea").value === "你好，世界"`)
}

// TestKeyboard does everything without a mouse.
func TestKeyboard(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	p.do("Page.setInterceptFileChooserDialog", object{"enabled": true})
	// tab goes on until the focus is on what the selector names.
	tab := func(selector string, modifiers int) {
		t.Helper()
		for range 60 {
			p.press("Tab", modifiers)
			if p.eval(fmt.Sprintf(`document.activeElement.matches(%q)`, selector)) == true {
				if p.eval(`document.activeElement.matches(":focus-visible") && getComputedStyle(document.activeElement).outlineStyle !== "none"`) != true {
					t.Errorf("nobody sees that %s has the focus", selector)
				}
				return
			}
		}
		t.Fatalf("%s cannot be reached", selector)
	}
	tab("#theme", 0)
	tab("#choose", 0)
	p.shoot("focus")
	p.press("Enter", 0)
	var chooser int
	for chooser == 0 {
		p.eval("new Promise((go) => setTimeout(go, 20))")
		p.b.mu.Lock()
		chooser = p.chooser
		p.b.mu.Unlock()
	}
	p.do("DOM.setFileInputFiles", object{"files": []string{clip(t, "talk.wav", speech(12))}, "backendNodeId": chooser})
	p.wait(isDone)
	for _, id := range []string{"#record", "summary"} {
		tab(id, 0)
	}
	p.press("Enter", 0)
	for _, id := range []string{"#language", "#task", "#model", "#prompt", "#play", "#position"} {
		tab(id, 0)
	}
	p.press("ArrowRight", 0)
	p.wait(`document.getElementById("audio").currentTime === 5 && document.activeElement.ariaValueText === "0:05 of 0:12"`)
	p.press("End", 0)
	p.press("ArrowLeft", 0)
	p.wait(`document.getElementById("audio").currentTime === 7`)
	p.press("Home", 0)
	p.press(" ", 0)
	p.wait(isPlaying)
	p.press(" ", 0)
	p.wait("!" + isPlaying)
	tab("#segments li:nth-child(2) textarea", 0)
	p.press("End", ctrl)
	p.write(" indeed")
	p.press("ArrowDown", alt)
	p.wait(`document.activeElement.matches("#segments li:nth-child(3) textarea")`)
	p.press("Enter", ctrl)
	p.wait(isPlaying + ` && document.getElementById("audio").currentTime >= 5.5`)
	p.press("ArrowUp", alt)
	p.press("ArrowUp", alt)
	tab("[data-format=txt]", shift)
	p.press("Enter", 0)
	edited := append([]segment(nil), heard...)
	edited[1].text += " indeed"
	if diff := cmp.Diff(written(t, edited)["txt"], p.downloaded("talk.txt")); diff != "" {
		t.Error(diff)
	}
}

// TestNames makes sure that screen readers have something to say of everything that can be used, in every state.
func TestNames(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	check := func() {
		t.Helper()
		type value struct{ Value any }
		tree := decode[struct {
			Nodes []struct {
				Ignored    bool
				Role, Name value
			}
		}](p, p.session, "Accessibility.getFullAXTree", nil)
		seen := 0
		for _, n := range tree.Nodes {
			switch n.Role.Value {
			case "button", "textbox", "combobox", "slider", "progressbar", "list", "region", "form":
				if seen++; !n.Ignored && (n.Name.Value == nil || n.Name.Value == "") {
					t.Errorf("a %s has no name", n.Role.Value)
				}
			}
		}
		if seen < 8 {
			t.Errorf("only %d controls", seen)
		}
	}
	check()
	p.upload(clip(t, "talk.wav", speech(2)))
	p.wait(isDone)
	check()
}

func TestChoices(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	if got := p.text(`[...document.getElementById("language").options].map((o) => o.text).join()`); got != "Detect,Chinese,English,Filipino,French,German,Hawaiian,Javanese" {
		t.Errorf("languages: %s", got)
	}
	choose := func(id, value string) {
		p.eval(fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %q; e.dispatchEvent(new Event("change")); })()`, id, value))
	}
	choose("language", "fr")
	choose("task", "translate")
	p.click("#prompt")
	p.write("Bennet, Bingley")
	p.load(f.address)
	p.upload(clip(t, "talk.wav", speech(2)))
	want := map[string]string{
		"model": "base", "language": "fr", "translate": "true", "prompt": "Bennet, Bingley", "response_format": "json", "stream": "true",
	}
	if diff := cmp.Diff(want, f.next(t).fields); diff != "" {
		t.Error(diff)
	}
	p.wait(isDone)

	// A model of English alone offers no more, and the other's choices come back with it.
	p.click("summary")
	choose("model", "tiny.en")
	if got := p.text(`[...document.getElementById("language").options].map((o) => o.value).join() + document.getElementById("task").disabled`); got != "entrue" {
		t.Errorf("tiny.en offers %s", got)
	}
	p.click("#again")
	delete(want, "translate")
	want["model"], want["language"] = "tiny.en", "en"
	if diff := cmp.Diff(want, f.next(t).fields); diff != "" {
		t.Error(diff)
	}
	p.wait(isDone)
	p.load(f.address)
	if got := p.text(`document.getElementById("model").value`); got != "tiny.en" {
		t.Errorf("after loading again it is %s", got)
	}
	choose("model", "base")
	if got := p.text(`document.getElementById("language").value + document.getElementById("task").value`); got != "frtranslate" {
		t.Errorf("base is back with %s", got)
	}
}

func TestDark(t *testing.T) {
	f := pretend(t, hears(heard))
	p := open(t, f.address)
	paper := `getComputedStyle(document.body).backgroundColor`
	const light, dark = "rgb(251, 250, 247)", "rgb(22, 21, 20)"
	expect := func(want string) {
		t.Helper()
		if got := p.text(paper); got != want {
			t.Errorf("paper is %s, want %s", got, want)
		}
	}
	expect(light)
	p.dark()
	expect(dark)
	p.shoot("dark idle")
	p.upload(clip(t, "Pride and Prejudice.wav", speech(12)))
	p.wait(isDone)
	p.click("#segments li:nth-child(2) button")
	p.wait(isPlaying)
	p.click("#play")
	p.shoot("dark done")
	p.click("#theme")
	expect(light)
	p.load(f.address)
	expect(light)
	p.click("#theme")
	expect(dark)
	if got := p.text(`localStorage.getItem("whisper")`); got != "{}" {
		t.Errorf("remembers %s although the system's colours are chosen", got)
	}
}

// TestContrast holds text against what it stands on, in both schemes: 4.5 to 1, as WCAG 2 asks for.
func TestContrast(t *testing.T) {
	f := pretend(t, nil)
	p := open(t, f.address)
	luminance := func(color string) float64 {
		var r, g, b float64
		if _, err := fmt.Sscanf(color, "rgb(%g, %g, %g)", &r, &g, &b); err != nil {
			t.Fatal(color, err)
		}
		linear := func(v float64) float64 {
			if v /= 255; v <= 0.04045 {
				return v / 12.92
			}
			return math.Pow((v+0.055)/1.055, 2.4)
		}
		return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
	}
	for range 2 {
		for _, pair := range []string{"ink/paper", "ink/card", "ink/tint", "quiet/paper", "quiet/card", "quiet/tint", "accent/paper", "accent/tint", "on-accent/accent"} {
			fore, back, _ := strings.Cut(pair, "/")
			colors := p.eval(fmt.Sprintf(`(() => {
				const e = document.body.appendChild(document.createElement("i"));
				e.style.color = "var(--%s)";
				e.style.backgroundColor = "var(--%s)";
				const { color, backgroundColor } = getComputedStyle(e);
				e.remove();
				return [color, backgroundColor];
			})()`, fore, back)).([]any)
			a, b := luminance(colors[0].(string)), luminance(colors[1].(string))
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %.2f to 1 (%v)", pair, ratio, colors)
			}
		}
		p.dark()
	}
}

// TestPhone looks at a screen 360 pixels wide: nothing hangs over its edge.
func TestPhone(t *testing.T) {
	f := pretend(t, hears(append([]segment{{0, 1, " Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"}}, heard...)))
	p := open(t, f.address, "ERR_CONNECTION_REFUSED")
	p.size(360, 740)
	narrow := func(name string) {
		t.Helper()
		if got := p.eval(`Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && !e.closest(".hidden")).map((e) => e.getBoundingClientRect().right))`).(float64); got > 360 {
			t.Errorf("%s is %g wide", name, got)
		}
		p.shoot("360 " + name)
	}
	narrow("idle")
	p.browser("Browser.grantPermissions", object{"permissions": []string{"audioCapture"}, "browserContextId": p.profile})
	p.click("#record")
	p.wait(`/^0:0[1-9]/.test(document.getElementById("recorded").textContent)`)
	narrow("recording")
	p.click("#discard")
	p.upload(clip(t, "a_very_long_name_of_a_recording_without_any_blank_2026-11-24.wav", speech(12)))
	p.wait(isDone)
	narrow("done")
	p.dark()
	p.click("#segments li:nth-child(3) button")
	p.wait(isPlaying)
	p.click("#play")
	narrow("dark")
	f.Close()
	p.click("#again")
	p.wait(problem + `.includes("cannot be reached")`)
	narrow("error")
}
