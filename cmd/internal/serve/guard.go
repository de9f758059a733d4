package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// guard decides who is let in.
type guard struct {
	keys    *watched[keySums] // nil lets everybody in
	rate    *rate
	origins []string // of pages elsewhere that may use this server; * is all
	browser *http.CrossOriginProtection
}

func newGuard(c *Config) (*guard, error) {
	g := &guard{keys: c.Keys, rate: newRate(c.Rate), origins: c.Origins, browser: http.NewCrossOriginProtection()}
	for _, o := range c.Origins {
		if o == "*" {
			continue
		}
		if err := checkOrigin(o); err != nil {
			return nil, err
		}
		if err := g.browser.AddTrustedOrigin(o); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// checkOrigin holds an origin against what browsers send.
func checkOrigin(o string) error {
	u, err := url.Parse(o)
	if err != nil || u.Host == "" || o != strings.ToLower(u.Scheme+"://"+u.Host) || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("an origin is like https://example.org, in small letters and with no slash at the end, or *: not %q", o)
	}
	return nil
}

// admit lets a request in, or returns what is told the client. Who knows no key learns nothing, not even what is here.
func (g *guard) admit(r *http.Request, at match) error {
	client := address(r)
	if g.keys != nil && !at.open && r.Method != http.MethodOptions {
		name, ok := g.keys.get().knows(r)
		if !ok {
			if err := g.count(client); err != nil {
				return err
			}
			return &fault{
				status: http.StatusUnauthorized, code: "invalid_api_key",
				message: "this server wants one of its keys, as Authorization: Bearer KEY",
			}
		}
		client = name
	}
	if !works(r) {
		return nil
	}
	if err := g.browser.Check(r); err != nil && !slices.Contains(g.origins, "*") {
		return &fault{status: http.StatusForbidden, code: "cross_origin", message: "pages of other origins may not use this server; --cors-origin lists those that may"}
	}
	return g.count(client)
}

// works reports whether a request is one that costs something, rather than a question about the server.
func works(r *http.Request) bool { return r.Method == http.MethodPost }

func (g *guard) count(client string) error {
	if wait := g.rate.take(client, time.Now()); wait > 0 {
		return &fault{
			status: http.StatusTooManyRequests, code: "rate_limit_exceeded", retry: wait,
			message: fmt.Sprintf("more than %d requests a minute", g.rate.perMinute),
		}
	}
	return nil
}

// Names of headers between a browser and a server elsewhere.
const (
	allowOrigin  = "Access-Control-Allow-Origin"
	allowMethods = "Access-Control-Allow-Methods"
	allowHeaders = "Access-Control-Allow-Headers"
	exposed      = "Access-Control-Expose-Headers"
	maxAge       = "Access-Control-Max-Age"
	wantsMethod  = "Access-Control-Request-Method"
	wantsHeaders = "Access-Control-Request-Headers"
)

// share tells a browser whether a page of another origin may see the answer, and reports whether that was all it asked.
func (g *guard) share(w http.ResponseWriter, r *http.Request, at match) (answered bool) {
	if len(g.origins) == 0 {
		return false
	}
	h := w.Header()
	origin := r.Header.Get("Origin")
	all := slices.Contains(g.origins, "*")
	if !all {
		h.Add("Vary", "Origin")
	}
	switch {
	case origin == "":
		return false
	case all:
		h.Set(allowOrigin, "*")
	case slices.Contains(g.origins, origin):
		h.Set(allowOrigin, origin)
	default:
		return false
	}
	h.Set(exposed, "Retry-After, "+requestID)
	if r.Method != http.MethodOptions || r.Header.Get(wantsMethod) == "" || at.allow == "" {
		return false
	}
	h.Set("Allow", at.allow)
	h.Set(allowMethods, at.allow)
	h.Set(allowHeaders, "Authorization, Content-Type")
	if asked := r.Header.Get(wantsHeaders); asked != "" {
		h.Add("Vary", wantsHeaders)
		h.Set(allowHeaders, asked)
	}
	h.Set(maxAge, "7200")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// secure tells browsers to be careful with every answer.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}
