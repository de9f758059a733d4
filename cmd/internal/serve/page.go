package serve

import (
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/whisperfile/whisperfile/cmd/internal/serve/page"
)

// addPage serves the page below the request path, under addresses that are free.
func (s *Server) addPage() error {
	files, err := fs.Glob(page.Files, "*")
	if err != nil {
		return err
	}
	for _, name := range append(files, "") {
		at := s.RequestPath + "/" + name
		if _, ok := s.routes[at]; ok {
			continue
		}
		if name == "" {
			name = index
		}
		s.routes[at] = route{open: true, methods: map[string]handler{http.MethodGet: func(w http.ResponseWriter, r *http.Request) error {
			h := w.Header()
			h.Set("Content-Security-Policy", page.Policy)
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
			return sendFile(w, r, page.Files, name)
		}}}
	}
	if _, ok := s.routes[s.RequestPath]; !ok && s.RequestPath != "" {
		s.routes[s.RequestPath] = route{open: true, methods: map[string]handler{http.MethodGet: func(w http.ResponseWriter, r *http.Request) error {
			http.Redirect(w, r, path.Base(s.RequestPath)+"/", http.StatusMovedPermanently)
			return nil
		}}}
	}
	return nil
}

// index is the file that stands for its directory.
const index = "index.html"

// publicName is the file below --public that an address stands for.
func publicName(urlPath string) string {
	name := strings.TrimPrefix(path.Clean("/"+urlPath), "/")
	if name == "" || strings.HasSuffix(urlPath, "/") {
		name = path.Join(name, index)
	}
	return name
}

// isPublic says whether there is a file below --public for an address.
func (s *Server) isPublic(urlPath string) bool {
	if s.Public == nil {
		return false
	}
	st, err := fs.Stat(s.Public, publicName(urlPath))
	if err == nil && st.IsDir() {
		st, err = fs.Stat(s.Public, path.Join(publicName(urlPath), index))
	}
	return err == nil && st.Mode().IsRegular()
}

// public sends a file below --public; a directory gets its slash.
func (s *Server) public(w http.ResponseWriter, r *http.Request) error {
	name := publicName(r.URL.Path)
	if st, err := fs.Stat(s.Public, name); err == nil && st.IsDir() {
		http.Redirect(w, r, path.Base(r.URL.Path)+"/", http.StatusMovedPermanently)
		return nil
	}
	return sendFile(w, r, s.Public, name)
}

// types are those of the files that pages are made of. Package mime asks the system as well, which may think otherwise.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".json": "application/json",
}

// sendFile sends a file as it is, whatever its name.
func sendFile(w http.ResponseWriter, r *http.Request, files fs.FS, name string) error {
	f, err := files.Open(name)
	if err != nil {
		return &fault{status: http.StatusForbidden, message: "the file cannot be read", err: err}
	}
	defer f.Close()
	content, ok := f.(io.ReadSeeker)
	if !ok {
		return &fault{status: http.StatusForbidden, message: "the file cannot be read"}
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	kind := types[path.Ext(name)]
	if kind == "" {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	if kind == "" {
		kind = "application/octet-stream"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", st.ModTime(), content)
	return nil
}
