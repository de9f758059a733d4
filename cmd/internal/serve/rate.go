package serve

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// maxClients bounds how many clients have an allowance of their own. Those beyond share one.
const maxClients = 1 << 16

// rate lets each client have so many requests at once, and as many in a minute from then on.
type rate struct {
	perMinute int

	mu    sync.Mutex
	full  map[string]time.Time // when a client's allowance will be whole again
	swept time.Time
}

func newRate(perMinute int) *rate {
	return &rate{perMinute: perMinute, full: make(map[string]time.Time)}
}

// take counts a request of a client, or says how long to wait for the next one. A rate of 0 counts nothing.
func (l *rate) take(client string, now time.Time) (wait time.Duration) {
	if l.perMinute <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	full, known := l.full[client]
	if !known && len(l.full) >= maxClients {
		l.sweep(now)
		if len(l.full) >= maxClients {
			client = ""
			full = l.full[client]
		}
	}
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Minute / time.Duration(l.perMinute))
	if wait := full.Sub(now) - time.Minute; wait > 0 {
		return wait
	}
	l.full[client] = full
	return 0
}

// sweep forgets whose allowance is whole.
func (l *rate) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Second {
		return
	}
	l.swept = now
	maps.DeleteFunc(l.full, func(_ string, full time.Time) bool { return !full.After(now) })
}

// address is what a client without a key is called: its address, or in IPv6 the network of 64 bits that one customer has.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}
