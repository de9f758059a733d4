package serve

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Limits bound what a client may cost.
type Limits struct {
	Body  int64 // bytes of a request
	Held  int64 // bytes of all requests that are held in memory
	Field int   // bytes of a field that is no file
	Parts int   // of a form

	Sound   time.Duration // length of a sound; 0 is no limit
	Request time.Duration // from the end of the upload to the last byte of the answer; 0 is no limit
	Stall   time.Duration // for how long a client may neither send nor take anything
}

// DefaultLimits are those of the flags.
var DefaultLimits = Limits{
	Body: 256 << 20, Held: 1 << 30, Field: 64 << 10, Parts: 128,
	Sound: 24 * time.Hour, Request: time.Hour, Stall: 30 * time.Second,
}

// account is how many bytes uploads hold in memory.
type account struct {
	held  atomic.Int64
	limit int64
}

// take adds n bytes, unless that is too much.
func (a *account) take(n int64) bool {
	if a.held.Add(n) > a.limit {
		a.held.Add(-n)
		return false
	}
	return true
}

func (a *account) give(n int64) { a.held.Add(-n) }

// upload reads a request's body. The time limit starts anew with each piece that arrives, and the size is bounded.
type upload struct {
	r     io.ReadCloser
	ctl   *http.ResponseController
	stall time.Duration
}

func newUpload(w http.ResponseWriter, r *http.Request, l Limits) *upload {
	return &upload{r: http.MaxBytesReader(w, r.Body, l.Body), ctl: http.NewResponseController(w), stall: l.Stall}
}

func (u *upload) Read(p []byte) (int, error) {
	if err := u.ctl.SetReadDeadline(time.Now().Add(u.stall)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return u.r.Read(p)
}

// Close reads what is left, so that the connection's end is noticed from now on, and takes the time limit away.
func (u *upload) Close() error {
	_, err := io.Copy(io.Discard, u)
	if e := u.ctl.SetReadDeadline(time.Time{}); e != nil && !errors.Is(e, http.ErrNotSupported) {
		err = errors.Join(err, e)
	}
	return err
}

// abandon gives up on an upload: the answer goes out now, and the connection ends with it.
func (u *upload) abandon(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	u.ctl.SetReadDeadline(time.Now().Add(time.Second)) //nolint:errcheck // the connection ends anyway
}
