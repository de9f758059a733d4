package bundle

import (
	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
)

const aboutDescription = "All programs, and a model, in one file. It is the program that it was started as, by a link of that name, or the one that " +
	"its first argument names. A start that names none is whisper where there is a file to hear, and else whisper-server, at " +
	"http://127.0.0.1:51524 and with its page in the browser.\n" +
	"zipalign puts another model into it, and a file called .args whose lines are arguments, with one that says ... where those of the " +
	"command line go. They count where a start names no program. The flags of whisper and of whisper-server are taken as well."

// about makes the command that stands for all programs together: it has a manual and completions, and runs nothing.
func about(env applet.Env, reg applet.Registry) *cli.App {
	m := mangen.Manual{
		Examples: []mangen.Item{
			{Term: "whisperfile talk.wav", Text: "Print what is said"},
			{Term: "whisperfile", Text: "Serve a page that hears, and show it"},
			{Term: "whisperfile whisper-bench", Text: "Measure the model inside"},
			{Term: "whisperfile zipalign -j0 whisper.llamafile ggml-base.bin .args", Text: "Put a model and arguments into a copy"},
		},
	}
	for _, name := range reg.Names() {
		n, _ := reg.Get(name)
		app := n(env)
		if app.Name != name {
			continue // another name of a program
		}
		m.SeeAlso = append(m.SeeAlso, name)
		if name == hearing {
			m.Programs = append([]*cli.App{app}, m.Programs...)
		} else {
			m.Programs = append(m.Programs, app)
		}
	}
	return &cli.App{
		Name:        "whisperfile",
		Usage:       "turn speech into text: all programs in one file",
		ArgsUsage:   "[PROGRAM] [ARGUMENT...]",
		Description: aboutDescription,
		Metadata:    m.Metadata(),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "cli", Usage: "be whisper"},
			&cli.BoolFlag{Name: "server", Usage: "be whisper-server"},
		},
	}
}
