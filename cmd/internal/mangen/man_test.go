package mangen_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

func TestMan(t *testing.T) {
	e := mangen.Edition{Version: "v1.2-\"x\"", Date: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	want := `.\" Made of the program itself, by hear-it --generate man
.TH HEAR\-IT 1 "2026-11-24" "whisperfile v1.2\-\(dqx\(dq" "User Commands"
.nh
.ad l
.SH NAME
hear\-it \- write what\(aqs said
.SH SYNOPSIS
\fBhear\-it\fR [\fIflags\fR] \fIIN\fR \fIOUT\fR \fITYPE\fR
.SH DESCRIPTION
\fIIN\fR is heard with \fB\-\-model\fR; "\-" is standard input.
\&.5 of it takes \fB\-t\fR threads \e and a \(ti and \(ha and \(ga.
.PP
\&.args begins the second paragraph\&... and \-1 is no flag, \[u00E9] no
letter of ASCII.
.SH OPTIONS
.SS Input
.TP
\fB\-f\fR \fIFILE\fR, \fB\-\-file\fR \fIFILE\fR
hear \fIFILE\fR; may repeat
.TP
\fB\-m\fR \fIFILE\fR, \fB\-\-model\fR \fIFILE\fR
with the model in \fIFILE\fR [or: elsewhere]
.SS Other
.TP
\fB\-\-gpu\fR \fINAME\fR
compute on \fINAME\fR [auto]
`
	got := mangen.Man(hear(), e)
	if diff := cmp.Diff(want, got[:min(len(got), len(want))]); diff != "" {
		t.Error(diff)
	}
	want = `.SH EXIT STATUS
.TP
\fB0\fR
all done
.SH EXAMPLES
Hear a file:
.PP
.RS 4
.EX
hear\-it \(aqa b\(aq \-
.EE
.RE
.SH SEE ALSO
.BR see\-it (1),
.BR feel\-it (1)
`
	if !strings.HasSuffix(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := mangen.Man(all(), e); !strings.Contains(got, ".SH PROGRAMS\n.TP\n\\fBhear\\-it\\fR\nwrite what\\(aqs said\n") ||
		!strings.Contains(got, "\\fBall\\-of\\-it\\fR [\\fIflags\\fR] [\\fIPROGRAM\\fR] [\\fIARGUMENT\\fR...]\n") {
		t.Error(got)
	}
}

// TestManSet has pages read by the programs that set manuals, which are to find nothing wrong.
func TestManSet(t *testing.T) {
	for _, reader := range [][]string{
		{"groff", "-ww", "-man", "-Tutf8", "-P-cbou"},
		{"mandoc", "-T", "lint"},
		{"mandoc", "-T", "utf8"},
		{"man", "-l", "--warnings"},
	} {
		t.Run(strings.Join(reader, " "), func(t *testing.T) {
			path := need(t, reader[0])
			for _, app := range []*cli.App{hear(), see(), all()} {
				file := filepath.Join(t.TempDir(), app.Name+".1")
				page := mangen.Man(app, mangen.Edition{Version: "v1", Date: time.Unix(1e9, 0)})
				if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), path, append(reader[1:], file)...)
				cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANPAGER=cat", "PAGER=cat")
				var stdout, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &stdout, &stderr
				if err := cmd.Run(); err != nil || stderr.Len() > 0 || reader[len(reader)-1] == "lint" && stdout.Len() > 0 {
					t.Errorf("%s: %v: %s%s", app.Name, err, stderr.String(), stdout.String())
				}
				if app.Name == "hear-it" && reader[0] == "groff" {
					for _, want := range []string{
						"IN is heard with --model; \"-\" is standard input.  .5 of it takes -t threads \\ and a ~ and ^ and `.",
						".args begins the second paragraph... and -1 is no flag, é no letter of ASCII.",
						"hear-it 'a b' -",
					} {
						if !strings.Contains(strings.Join(strings.Fields(stdout.String()), " "), strings.Join(strings.Fields(want), " ")) {
							t.Errorf("groff does not show %q:\n%s", want, stdout.String())
						}
					}
				}
			}
		})
	}
}

func FuzzMan(f *testing.F) {
	f.Add("write `FILE`; may repeat", ".a\n'b \\fB -x --y \"q\" …", "FILE... [X]")
	f.Fuzz(func(t *testing.T, usage, description, args string) {
		app := &cli.App{Name: "x", Usage: usage, Description: description, ArgsUsage: args, Flags: []cli.Flag{&cli.StringFlag{Name: "y", Usage: usage}}}
		for _, line := range strings.Split(mangen.Man(app, mangen.Edition{}), "\n") {
			if strings.HasPrefix(line, "'") {
				t.Errorf("a line would be taken for a request: %q", line)
			}
			if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
				t.Errorf("not ASCII: %q", line)
			}
			if name, ok := strings.CutPrefix(line, "."); ok {
				switch strings.Fields(name + " -")[0] {
				case `\"`, "TH", "SH", "SS", "PP", "TP", "nh", "ad", "BR", "RS", "RE", "EX", "EE":
				default:
					t.Errorf("no request of ours: %q", line)
				}
			}
		}
	})
}
