package serve

import (
	"os"

	"github.com/whisperfile/whisperfile/cmd/internal/sandbox"
)

// policy is what serving goes on needing: its port, models, the files of --public, those that may be replaced while it runs, and what package
// mime looks up.
func (s *settings) policy() sandbox.Policy {
	p := sandbox.Policy{
		Read: []string{
			"/etc/mime.types", "/etc/apache2/mime.types", "/etc/apache/mime.types", "/etc/httpd/conf/mime.types",
			"/usr/share/mime", "/usr/local/share/mime",
		},
		Listen: true, Port: s.port,
		Repeat: s.watched,
	}
	p.Read = append(append(p.Read, s.served...), sandbox.Replaceable(s.watched...)...)
	for _, f := range s.files {
		if f.Data == nil {
			p.Read = append(p.Read, sandbox.Replaceable(f.Path)...)
		}
	}
	if s.Convert {
		dir := s.TempDir
		if dir == "" {
			dir = os.TempDir()
		}
		p.Programs, p.Scratch = []string{s.FFmpeg}, []string{dir}
	}
	return p
}
