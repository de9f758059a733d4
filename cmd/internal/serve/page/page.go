// Package page is what a browser gets of whisper-server: a page that records or takes a file, and shows, edits and saves
// the text. It needs no build step, and nothing of any other server.
package page

import "embed"

// Files are the page's, index.html first. All addresses in them are relative, so that they may be served below any path
// that ends in a slash, next to inference and v1/models.
//
//go:embed index.html icon.svg *.css *.js
var Files embed.FS

// Policy is the Content-Security-Policy that the page works under: its own scripts and styles, its own server, and sound that the
// browser itself holds.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src blob:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
