package serve

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/decoding"
	"github.com/whisperfile/whisperfile/cmd/internal/devices"
	"github.com/whisperfile/whisperfile/cmd/internal/mangen"
	"github.com/whisperfile/whisperfile/cmd/internal/models"
	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

const description = "Clients send a sound as a form to /inference, as to whisper.cpp's server, or to /v1/audio/transcriptions and " +
	"/v1/audio/translations, as to OpenAI. What a request does not say, the flags of speech and decoding say. At / is a page for people.\n" +
	"-m takes a file or a name, as whisper does, and NAME=FILE names a model for requests to choose by; the first one serves those that " +
	"choose none, and the others are opened when they are first asked for. Without -m the model inside the program is taken, if there is " +
	"one, else what whisper would take."

var manual = mangen.Manual{
	Often: []string{
		"host", "port", "model", "language", "threads", "parallel", "queue", "convert", "api-key-file", "tls-cert", "tls-key", "log-level",
	},
	Examples: []mangen.Item{
		{Term: "whisper-server -m base -m small", Text: "Serve two models at http://127.0.0.1:8080, and base to those who ask for none"},
		{Term: "curl -F file=@a.mp3 -F response_format=srt localhost:8080/inference", Text: "Ask as one asks whisper.cpp"},
		{Term: "curl -F file=@a.mp3 -F model=small localhost:8080/v1/audio/transcriptions", Text: "Ask as one asks OpenAI"},
		{Term: "curl -N -F file=@a.mp3 -F stream=true localhost:8080/inference", Text: "Have progress and segments as they are heard"},
	},
	Environment: []mangen.Item{models.Variable, devices.Variable},
	SeeAlso:     []string{"whisper", "whisperfile"},
}

// search is what decoding does unless it is told otherwise: greedy, as whisper.cpp's server.
var search = decoding.Defaults{BeamSize: -1, BestOf: 2}

func flags() []cli.Flag {
	const (
		network = "Network"
		models  = "Models"
		limits  = "Limits"
		answers = "Answers"
	)
	span := func(name, usage string, value time.Duration) cli.Flag {
		return &cli.DurationFlag{Name: name, Category: limits, Usage: usage, Value: value}
	}
	all := []cli.Flag{
		decoding.Text("host", "", network, "listen at `ADDRESS`", "127.0.0.1"),
		decoding.Number("port", "", network, "listen at port `N`; 0 takes a free one", 8080),
		decoding.Text("public", "", network, "serve the files below `DIR` as well, before all else", ""),
		decoding.Text("request-path", "", network, "put `PATH` before all addresses but those of --public", ""),
		decoding.Text("inference-path", "", network, "the address of whisper.cpp's interface is `PATH`", "/inference"),
		decoding.Toggle("browser", "", network, "show the page in the browser, on a desktop"),
		decoding.Toggle("nobrowser", "", network, "do not, whatever else is said"),

		decoding.List("model", "m", models, "hear with the model in `FILE` or of that name; NAME=FILE names it; may repeat"),
		decoding.Text("model-dir", "", models, "let /load take models from `DIR`, and nowhere else; where a file is the first model, from beside it", ""),
		&cli.DurationFlag{Name: "keep-alive", Category: models, Usage: "close a model that nobody used for `TIME`, such as 10m; 0 never does"},
		decoding.Text("memory-budget", "", models, "keep models open up to `SIZE` of their files in all, such as 2G; 0 is no limit", "0"),

		decoding.Number("parallel", "", limits, "hear `N` requests at once", 16),
		decoding.Number("queue", "", limits, "let `N` more wait", 256),
		decoding.Text("max-body", "", limits, "take no request larger than `SIZE`", "256M"),
		decoding.Text("max-memory", "", limits, "hold no more than `SIZE` of requests in memory", "1G"),
		span("max-duration", "take no sound longer than `TIME`; 0 takes all", DefaultLimits.Sound),
		span("request-timeout", "give up on a request `TIME` after it has arrived; 0 never does", DefaultLimits.Request),
		span("stall-timeout", "give up on a client that neither sends nor takes anything for `TIME`", DefaultLimits.Stall),
		span("grace", "let requests under way go on for `TIME` when the program is told to stop", 30*time.Second),
	}
	all = append(all, operating()...)
	all = append(all, decoding.Span()...)
	all = append(all,
		decoding.Toggle("convert", "", decoding.Input, "let ffmpeg, if it is installed, read what is not read otherwise"),
		decoding.Text("tmp-dir", "", decoding.Input, "ffmpeg gets what it cannot read from a pipe as a file in `DIR`", ""),
	)
	all = append(all, decoding.Computing()...)
	all = append(all, search.Flags()...)
	all = append(all,
		decoding.Toggle("no-timestamps", "nt", answers, "leave the times out of verbose JSON"),
		decoding.Toggle("no-language-probabilities", "nlp", answers, "leave out of verbose JSON how likely each language is, which takes as long as 30 s of sound"),
		decoding.Number("offset-n", "on", answers, "count subtitles of SRT from `N` + 1", 0),
		decoding.Toggle("print-realtime", "pr", answers, "print segments on standard output as well"),
	)
	return append(append(all, devices.Flags("Devices")...), sandbox.Flag())
}
