package serve

import (
	"net"
	"sync"
)

// shift is the time in which a server takes work.
type shift struct {
	mu     sync.Mutex
	active int
	over   bool
	done   chan struct{} // closed when it is over and all work is done
}

func newShift() *shift { return &shift{done: make(chan struct{})} }

// begin takes work, unless the shift is over. end must be called when the work is done.
func (s *shift) begin() (ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.active++
	return true
}

func (s *shift) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if s.over && s.active == 0 {
		close(s.done)
	}
}

// stop ends the shift; it may be called again. What it returns is closed when no work is left.
func (s *shift) stop() (done <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		if s.active == 0 {
			close(s.done)
		}
	}
	return s.done
}

// isOver reports whether no more work is taken.
func (s *shift) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

// manager reaches systemd's by the socket that it put into the environment (sd_notify(3)), and returns what gives it a word such as
// READY=1. Without a socket, or without anybody there, nothing happens. The connection is made once, for later there are none.
func manager(socket string) (tell func(state string)) {
	if socket == "" {
		return nil
	}
	c, err := net.Dial("unixgram", socket)
	if err != nil {
		return nil
	}
	return func(state string) { c.Write([]byte(state)) } //nolint:errcheck // whoever does not listen need not know
}
