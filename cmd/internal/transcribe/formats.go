package transcribe

import (
	"io"

	"github.com/whisperfile/whisperfile/cmd/internal/transcript"
)

// format is a way to write a transcript to a file.
type format struct {
	flag  string // long name of the flag that asks for it
	short string
	ext   string
	name  string // what whisper.cpp calls the function that writes it
	help  string
	write func(io.Writer, *transcript.Transcript) error
}

// formats are in the order in which whisper.cpp writes them. The last, full JSON, takes the place of JSON.
var formats = []format{
	{"output-txt", "otxt", "txt", "output_txt", "plain text", transcript.WriteTXT},
	{"output-vtt", "ovtt", "vtt", "output_vtt", "WebVTT subtitles", transcript.WriteVTT},
	{"output-srt", "osrt", "srt", "output_srt", "SubRip subtitles", transcript.WriteSRT},
	{"output-csv", "ocsv", "csv", "output_csv", "a table", transcript.WriteCSV},
	{"output-json", "oj", "json", "output_json", "JSON", transcript.WriteJSON},
	{"output-lrc", "olrc", "lrc", "output_lrc", "timed lyrics", transcript.WriteLRC},
	{"output-json-full", "ojf", "json", "output_json", "JSON with every token, its probability and its times", transcript.WriteJSONFull},
}
