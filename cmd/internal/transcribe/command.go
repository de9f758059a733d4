// Package transcribe is the program whisper: files of sound in, text on standard output and in files out.
package transcribe

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	"github.com/whisperfile/whisperfile/cmd/internal/devices"
	"github.com/whisperfile/whisperfile/ggml"
)

const description = "Text goes to standard output as it becomes final; files are written when an input has been heard to its end. " +
	"\"-\" is standard input, and a format that was asked for then goes to standard output.\n" +
	"-m takes a file or a name: base is ggml-base.bin or base.bin in ./models, in the directories of $WHISPER_MODELS or in " +
	"whisperfile/models in the user's cache directory. Without -m the model inside the program is taken, if there is one, " +
	"else the first of base.en, base, tiny.en, tiny, small.en and small that is found.\n" +
	"A command line of the one argument @FILE takes its arguments from the lines of FILE."

// New makes the command.
func New(env applet.Env) *cli.App { return newApp(env, parts{openEngine, openSound}) }

func newApp(env applet.Env, p parts) *cli.App {
	return &cli.App{
		Name:        "whisper",
		Usage:       "turn speech into text",
		ArgsUsage:   "FILE...",
		Description: description,
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
			if s.render != "" {
				return b.render()
			}
			return b.run(c.Context)
		},
	}
}

func flags() []cli.Flag {
	const (
		input    = "Input"
		speech   = "Model and speech"
		decoding = "Decoding"
		segments = "Segments"
		screen   = "Standard output and error"
		files    = "Files"
	)
	number := func(name, short, category, usage string, value int) cli.Flag {
		return &cli.IntFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value, Base: 10}
	}
	decimal := func(name, short, category, usage string, value float64) cli.Flag {
		return &cli.Float64Flag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value}
	}
	toggle := func(name, short, category, usage string) cli.Flag {
		return &cli.BoolFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage}
	}
	text := func(name, short, category, usage, value string) cli.Flag {
		return &cli.StringFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage, Value: value}
	}
	list := func(name, short, category, usage string) cli.Flag {
		return &cli.StringSliceFlag{Name: name, Aliases: alias(short), Category: category, Usage: usage}
	}
	all := []cli.Flag{
		list("file", "f", input, "hear `FILE`, as bare arguments do; may repeat"),
		number("offset-t", "ot", input, "start `MS` milliseconds into the sound", 0),
		number("duration", "d", input, "hear no more than `MS` milliseconds; 0 is all", 0),
		toggle("convert", "", input, "let ffmpeg, if it is installed, read what is not read otherwise"),

		text("model", "m", speech, "hear with the model in `FILE` or of that name", ""),
		&cli.IntFlag{
			Name: "threads", Aliases: []string{"t"}, Category: speech, Usage: "compute with `N` threads",
			Value: ggml.DefaultThreads(), DefaultText: "physical cores", Base: 10,
		},
		number("processors", "p", speech, "compute with `N` times as many threads; the sound is not cut into parts", 1),
		text("precision", "", speech, "compute with `PRECISION`: auto rounds what meets quantised weights to whole numbers, float rounds nothing", "auto"),
		text("language", "l", speech, "the language spoken: `LANG` is a code, an English name, or auto to have it found out", "en"),
		toggle("detect-language", "dl", speech, "say what language is spoken, and no more"),
		toggle("translate", "tr", speech, "write English, whatever is spoken"),
		toggle("tinydiarize", "tdrz", speech, "mark where the speaker changes; takes a model trained for it"),
		text("prompt", "", speech, "take `TEXT` as said before, for spelling, names and style", ""),
		toggle("carry-initial-prompt", "", speech, "take it as said before every window of 30 s"),
		number("max-context", "mc", speech, "show the model at most `N` tokens of what was said before; -1 is all that fit", -1),

		number("beam-size", "bs", decoding, "follow `N` beams; 1 decodes greedily", 5),
		number("best-of", "bo", decoding, "take the best of `N` samples at temperatures above 0", 5),
		decimal("temperature", "tp", decoding, "decode at temperature `T` first, 0 to 1", 0),
		decimal("temperature-inc", "tpi", decoding, "decode a window that failed again, `T` hotter each time, up to 1", 0.2),
		toggle("no-fallback", "nf", decoding, "decode every window once"),
		decimal("entropy-thold", "et", decoding, "decoding has failed where the last 32 tokens have an entropy below `H`", 2.4),
		decimal("logprob-thold", "lpt", decoding, "decoding has failed below a mean log probability of `L`", -1),
		decimal("no-speech-thold", "nth", decoding, "a window is silent above a probability `P` of no speech, where decoding has failed", 0.6),
		toggle("suppress-nst", "sns", decoding, "suppress tokens that stand for no speech"),
		text("suppress-regex", "", decoding, "suppress tokens whose whole text matches `REGEX` (RE2)", ""),

		number("max-len", "ml", segments, "cut segments longer than `N` characters; 0 cuts none", 0),
		toggle("split-on-word", "sow", segments, "cut them between words only"),

		toggle("no-timestamps", "nt", screen, "print the bare text; timestamps still steer the decoding"),
		toggle("no-prints", "np", screen, "print nothing but the text and errors"),
		toggle("print-progress", "pp", screen, "print progress in lines"),
		toggle("print-special", "ps", screen, "print special tokens as well"),
		toggle("print-colors", "pc", screen, "colour words by how sure the model is"),
	}
	all = append(all, devices.Flags("Devices")...)
	for _, f := range formats {
		all = append(all, toggle(f.flag, f.short, files, fmt.Sprintf("write %s (.%s)", f.help, f.ext)))
	}
	return append(all,
		list("output-file", "of", files, "write to `NAME` with the format's ending, not beside the input; - is standard output; may repeat, one for each input"),
		number("offset-n", "on", files, "count subtitles of SRT from `N` + 1", 0),
		text("render", "", files, "hear nothing; write what `FILE.json` holds, which this program or whisper.cpp made", ""),
	)
}

func alias(short string) []string {
	if short == "" {
		return nil
	}
	return []string{short}
}
