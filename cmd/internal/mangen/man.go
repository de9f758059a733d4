package mangen

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// Edition is of what a manual page is printed.
type Edition struct {
	Version string
	Date    time.Time // the zero Time for none
}

// Man returns the manual page of app in the macros of man(7), for section 1. Words that name a flag of app are bold, those that
// name an argument or the flag's own value slanted.
func Man(app *cli.App, e Edition) string {
	p := &page{bold: make(map[string]bool)}
	m, flags := Of(app), Flags(app)
	for _, f := range flags {
		for _, name := range f.Names {
			p.bold[name] = true
		}
	}
	for _, inner := range m.Programs {
		p.bold[inner.Name] = true
	}
	args := make(map[string]bool)
	for _, a := range arguments(app) {
		args[strings.Trim(a.name, "[]")] = true
	}

	date := ""
	if !e.Date.IsZero() {
		date = e.Date.UTC().Format(time.DateOnly)
	}
	p.line(`.\" Made of the program itself, by %s --generate man`, app.Name)
	p.line(`.TH %s 1 "%s" "whisperfile %s" "User Commands"`, macro(strings.ToUpper(app.Name)), date, macro(e.Version))
	p.line(".nh\n.ad l") // names are not to be hyphenated
	p.line(".SH NAME")
	p.line(`%s \- %s`, dashed(app.Name), text(app.Usage))
	p.line(".SH SYNOPSIS")
	p.line("%s", synopsis(app))
	if app.Description != "" {
		p.line(".SH DESCRIPTION")
		p.paragraphs(app.Description, args)
	}
	if len(m.Programs) > 0 {
		p.line(".SH PROGRAMS")
		for _, inner := range m.Programs {
			p.line(".TP")
			p.line(`\fB%s\fR`, dashed(inner.Name))
			p.prose(inner.Usage, nil)
		}
	}
	p.line(".SH OPTIONS")
	for _, c := range Categories(flags) {
		p.line(".SS %s", text(c))
		for _, f := range flags {
			if f.Category == c {
				p.flag(f)
			}
		}
	}
	p.items("EXIT STATUS", m.Exit)
	p.items("ENVIRONMENT", m.Environment)
	if len(m.Examples) > 0 {
		p.line(".SH EXAMPLES")
		for i, x := range m.Examples {
			if i > 0 {
				p.line(".PP")
			}
			p.prose(x.Text+":", nil)
			p.line(".PP\n.RS 4\n.EX\n%s\n.EE\n.RE", guard(escape(x.Term, true)))
		}
	}
	if len(m.SeeAlso) > 0 {
		p.line(".SH SEE ALSO")
		for i, name := range m.SeeAlso {
			comma := ","
			if i == len(m.SeeAlso)-1 {
				comma = ""
			}
			p.line(".BR %s (1)%s", dashed(name), comma)
		}
	}
	return p.b.String()
}

func synopsis(app *cli.App) string {
	s := fmt.Sprintf(`\fB%s\fR [\fIflags\fR]`, dashed(app.Name))
	for _, a := range strings.Fields(app.ArgsUsage) {
		name, dots, end := strings.Trim(a, "[]."), "", ""
		if strings.Contains(a, "...") {
			dots = "..."
		}
		if strings.HasPrefix(a, "[") {
			s, end = s+" [", "]"
		} else {
			s += " "
		}
		s += `\fI` + text(name) + `\fR` + dots + end
	}
	return s
}

// page is a page as it is written.
type page struct {
	b    strings.Builder
	bold map[string]bool // words that always are
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func (p *page) items(title string, items []Item) {
	if len(items) == 0 {
		return
	}
	p.line(".SH %s", title)
	for _, i := range items {
		p.line(".TP")
		p.line(`\fB%s\fR`, dashed(i.Term))
		p.prose(i.Text, nil)
	}
}

func (p *page) flag(f Flag) {
	names := make([]string, len(f.Names))
	for i, name := range f.Names {
		names[i] = `\fB` + dashed(name) + `\fR`
		if f.Value != "" {
			names[i] += ` \fI` + text(f.Value) + `\fR`
		}
	}
	p.line(".TP")
	p.line("%s", strings.Join(names, ", "))
	usage := f.Plain()
	if f.Default != "" {
		usage += " [" + f.Default + "]"
	}
	p.prose(usage, map[string]bool{f.Value: f.Value != ""})
}

func (p *page) paragraphs(s string, slanted map[string]bool) {
	first := true
	for _, paragraph := range strings.Split(s, "\n") {
		if strings.TrimSpace(paragraph) == "" {
			continue
		}
		if !first {
			p.line(".PP")
		}
		first = false
		p.prose(paragraph, slanted)
	}
}

// prose writes a paragraph in lines, and a new one for each sentence, as typesetters want it.
func (p *page) prose(s string, slanted map[string]bool) {
	const width = 76
	var b strings.Builder
	column := 0
	words := strings.Fields(s)
	for i, word := range words {
		w := p.word(word, slanted)
		switch n := utf8.RuneCountInString(w); {
		case column == 0:
			column = n
			w = guard(w)
		case column+1+n > width:
			b.WriteByte('\n')
			column = n
			w = guard(w)
		default:
			b.WriteByte(' ')
			column += 1 + n
		}
		b.WriteString(w)
		if i+1 < len(words) && strings.HasSuffix(strings.TrimRight(word, `")`), ".") && !strings.HasSuffix(word, "..") {
			b.WriteByte('\n')
			column = 0
		}
	}
	p.line("%s", b.String())
}

// word sets one word, with what stands around it.
func (p *page) word(w string, slanted map[string]bool) string {
	head := w[:len(w)-len(strings.TrimLeft(w, `("[`))]
	tail := w[len(strings.TrimRight(w, `.,;:)]"?`)):]
	if len(head)+len(tail) >= len(w) {
		return text(w)
	}
	core := w[len(head) : len(w)-len(tail)]
	switch {
	case p.bold[core]:
		return text(head) + `\fB` + dashed(core) + `\fR` + text(tail)
	case slanted[core]:
		return text(head) + `\fI` + text(core) + `\fR` + text(tail)
	case strings.HasPrefix(core, "-"), strings.HasPrefix(core, "$"):
		return text(head) + dashed(core) + text(tail)
	}
	return text(w)
}

// guard keeps a line from being taken for a request.
func guard(s string) string {
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		return `\&` + s
	}
	return s
}

// text is s for the page; its dashes are hyphens.
func text(s string) string { return escape(s, false) }

// dashed is s for the page; its dashes are those that one types.
func dashed(s string) string { return escape(s, true) }

// macro is s as part of a macro's argument in double quotes.
func macro(s string) string { return strings.ReplaceAll(dashed(s), `"`, `\(dq`) }

// escape writes s so that typesetters show it as it is, in ASCII.
func escape(s string, dashes bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-' && dashes:
			b.WriteString(`\-`)
		case r == '\'':
			b.WriteString(`\(aq`)
		case r == '`':
			b.WriteString(`\(ga`)
		case r == '^':
			b.WriteString(`\(ha`)
		case r == '~':
			b.WriteString(`\(ti`)
		case r == '…':
			b.WriteString(`\&...`)
		case r < ' ':
			b.WriteByte(' ')
		case r > '~':
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
