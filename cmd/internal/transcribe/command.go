// Package transcribe is the program whisper: files of sound in, text on standard output and in files out.
package transcribe

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/cmd/internal/devices"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

const description = "Text goes to standard output as it becomes final; files are written when an input has been heard to its end. " +
	"\"-\" is standard input, and a format that was asked for then goes to standard output.\n" +
	"-m takes a file or a name: base is ggml-base.bin or base.bin in ./models, in the directories of $WHISPER_MODELS or in " +
	"whisperfile/models in the user's cache directory. Without -m the model inside the program is taken, if there is one, " +
	"else the first of base.en, base, tiny.en, tiny, small.en and small that is found.\n" +
	"A command line of the one argument @FILE takes its arguments from the lines of FILE."

var manual = mangen.Manual{
	Often: []string{
		"file", "model", "language", "translate", "threads", "output-txt", "output-srt", "output-vtt", "output-json", "output-file", "no-timestamps",
	},
	Examples: []mangen.Item{
		{Term: "whisper interview.mp3", Text: "Print what is said, with times, as it is heard"},
		{Term: "whisper -m base -l fr -f a.wav -f b.wav -osrt -otxt", Text: "Write a.wav.srt, a.wav.txt, b.wav.srt and b.wav.txt"},
		{Term: "whisper -m base -l de -tr rede.flac -nt", Text: "German speech, English text, no times"},
		{Term: "arecord -f S16_LE -r 16000 -d 60 | whisper -", Text: "Hear a microphone for a minute"},
		{Term: "whisper --render a.json -ovtt", Text: "Make subtitles of a transcript, without hearing the sound again"},
	},
	Environment: []mangen.Item{models.Variable, devices.Variable},
	SeeAlso:     []string{"whisper-server", "whisper-bench", "whisper-quantize", "whisperfile"},
}

// New makes the command.
func New(env applet.Env) *cli.App { return newApp(env, parts{openEngine, openSound}) }

func newApp(env applet.Env, p parts) *cli.App {
	return &cli.App{
		Name:        "whisper",
		Usage:       "turn speech into text",
		ArgsUsage:   "FILE...",
		Description: description,
		Metadata:    manual.Metadata(),
		Flags:       flags(),
		Action: func(c *cli.Context) error {
			if c.Bool("list-devices") {
				return devices.List(env.Stdout)
			}
			s, err := understand(c)
			if err != nil {
				return err
			}
			if err := devices.Choose(c); err != nil {
				return err
			}
			b := &batch{env: env, settings: s, parts: p}
			b.env.Sandbox = b.env.Sandbox.Of(c)
			if s.render != "" {
				return b.render()
			}
			return b.run(c.Context)
		},
	}
}

func flags() []cli.Flag {
	const (
		screen = "Standard output and error"
		files  = "Files"
	)
	all := []cli.Flag{decoding.List("file", "f", decoding.Input, "hear `FILE`, as bare arguments do; may repeat")}
	all = append(all, decoding.Span()...)
	all = append(all,
		decoding.Toggle("convert", "", decoding.Input, "let ffmpeg, if it is installed, read what is not read otherwise"),
		decoding.Text("model", "m", decoding.Speech, "hear with the model in `FILE` or of that name", ""),
	)
	all = append(all, decoding.Computing()...)
	all = append(all, search.Flags()...)
	all = append(all,
		decoding.Toggle("no-timestamps", "nt", screen, "print the bare text; timestamps still steer the decoding"),
		decoding.Toggle("no-prints", "np", screen, "print nothing but the text and errors"),
		decoding.Toggle("print-progress", "pp", screen, "print progress in lines"),
		decoding.Toggle("print-special", "ps", screen, "print special tokens as well"),
		decoding.Toggle("print-colors", "pc", screen, "colour words by how sure the model is"),
	)
	all = append(all, devices.Flags("Devices")...)
	for _, f := range formats {
		all = append(all, decoding.Toggle(f.flag, f.short, files, fmt.Sprintf("write %s (.%s)", f.help, f.ext)))
	}
	return append(all,
		decoding.List("output-file", "of", files, "write to `NAME` with the format's ending, not beside the input; - is standard output; may repeat, one for each input"),
		decoding.Number("offset-n", "on", files, "count subtitles of SRT from `N` + 1", 0),
		decoding.Text("render", "", files, "hear nothing; write what `FILE.json` holds, which this program or whisper.cpp made", ""),
		sandbox.Flag(),
	)
}
