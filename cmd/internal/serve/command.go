package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/whisperfile/whisperfile/cmd/internal/applet"
	whisper "github.com/whisperfile/whisperfile/cmd/internal/cli"
	"github.com/whisperfile/whisperfile/cmd/internal/devices"
)

// New makes the command.
func New(env applet.Env) *cli.App { return newApp(env, nil) }

// newApp makes the command with another engine, for tests, where open is not nil.
func newApp(env applet.Env, open opener) *cli.App {
	return &cli.App{
		Name:        "whisper-server",
		Usage:       "turn speech into text for many at once, over HTTP",
		Description: description,
		Metadata:    manual.Metadata(),
		Flags:       flags(),
		Action: func(c *cli.Context) error {
			if c.Bool("list-devices") {
				return devices.List(env.Stdout)
			}
			if err := devices.Choose(c); err != nil {
				return err
			}
			s, err := understand(env, c)
			if err != nil {
				return err
			}
			s.sandbox = env.Sandbox.Of(c)
			s.sandbox.Begin(s.policy())
			open := open
			if open == nil {
				computer := newComputer(env, s.threads, s.cpu)
				defer computer.Close()
				open = computer.open
			}
			return s.run(c.Context, env.Stdout, open)
		},
	}
}

// run opens the models, listens and serves until ctx ends, which is the end of a good day.
func (s *settings) run(ctx context.Context, stdout io.Writer, open opener) (err error) {
	set := &modelSet{open: open, dir: s.modelDir, keepAlive: s.keepAlive, budget: s.budget}
	defer func() { err = errors.Join(err, set.Close()) }()
	for _, f := range s.files {
		if err := set.add(f); err != nil {
			return err
		}
	}
	server, err := newServer(s.Config, set)
	if err != nil {
		return whisper.Fail(whisper.Usage, err, "")
	}
	defer server.Halt()
	l, err := net.Listen("tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port)))
	if err != nil {
		return whisper.Fail(whisper.Partial, fmt.Errorf("cannot listen: %w", err), "--port and --host name another place")
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	scheme := "http"
	if s.TLS != nil {
		scheme = "https"
	}
	if _, err := fmt.Fprintf(stdout, "\nwhisper server listening at %s://%s\n\n", scheme, net.JoinHostPort(s.host, port)); err != nil {
		return errors.Join(whisper.Fail(whisper.Output, whisper.Bare(err), ""), l.Close())
	}
	if s.show != nil {
		s.show(s.address(scheme, port))
	}
	s.sandbox.Enter(s.policy())
	s.Log.Info("restricted", "by", s.sandbox.String())
	return server.Serve(ctx, l, s.grace)
}

// Bounds of what a connection may take before there is a request.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
	headerBytes   = 64 << 10

	// farewell is how long connections have, once their requests are answered, to take the rest and to be closed.
	farewell = 2 * time.Second
)

// twice is for how long a second signal counts as the first: some shells and timeout send it twice.
const twice = time.Second

// Serve answers what comes to l until ctx ends. Then it refuses new work, finishes what is under way or waits for the time of grace,
// and ends the rest. A second signal in that time ends the rest at once, which is an error. The models are in no use any more when it
// returns without an error, or with that one.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	serve := func() error { return h.Serve(l) }
	if s.TLS != nil {
		h.TLSConfig = encrypted(s.TLS)
		serve = func() error { return h.ServeTLS(l, "", "") }
	}
	defer s.listenForReload()()
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	s.tell("READY=1")
	select {
	case err := <-failed:
		return whisper.Fail(whisper.Partial, fmt.Errorf("cannot serve: %w", err), "")
	case <-ctx.Done():
	}
	done := s.shift.stop()
	s.tell("STOPPING=1")
	s.log.Info("stopping", "grace", grace.String())
	again := make(chan os.Signal, 1)
	listening := time.AfterFunc(twice, func() { signal.Notify(again, os.Interrupt, syscall.SIGTERM) })
	defer signal.Stop(again)
	defer listening.Stop()
	patience := time.NewTimer(grace)
	defer patience.Stop()
	var hurried error
	select {
	case <-done:
	case <-patience.C:
	case <-again:
		hurried = whisper.Failf(whisper.Partial, "stopped before all requests were finished")
	}
	// Requests that are still there are told, and have a moment to pass it on.
	s.Halt()
	moment, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if h.Shutdown(moment) != nil {
		h.Close()
	}
	select {
	case <-done:
		return hurried
	case <-again:
	case <-time.After(lastCall):
	}
	return whisper.Failf(whisper.Partial, "a request does not end")
}

// lastCall is for how long a request may go on computing when nobody waits for it any more.
const lastCall = 10 * time.Second

func (s *Server) tell(state string) {
	if s.Tell != nil {
		s.Tell(state)
	}
}

// listenForReload reads keys and certificates again at SIGHUP. Where there are none the signal keeps its meaning.
func (s *Server) listenForReload() (end func()) {
	if s.Keys == nil && s.TLS == nil {
		return func() {}
	}
	hup, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hup:
				s.reload()
			case <-over:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hup)
		close(over)
	}
}

func (s *Server) reload() {
	if s.Keys != nil {
		s.Keys.reload()
	}
	if s.TLS != nil {
		s.TLS.reload()
	}
}
