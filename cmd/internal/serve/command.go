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
	if _, err := fmt.Fprintf(stdout, "\nwhisper server listening at http://%s\n\n", net.JoinHostPort(s.host, port)); err != nil {
		return errors.Join(whisper.Fail(whisper.Output, whisper.Bare(err), ""), l.Close())
	}
	return server.Serve(ctx, l, s.grace)
}

// Bounds of what a connection may take before there is a request.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
	headerBytes   = 64 << 10
)

// twice is for how long a second signal counts as the first: some shells and timeout send it twice.
const twice = time.Second

// Serve answers what comes to l until ctx ends. Then it takes no more, finishes what is under way for the time of grace, and ends
// the rest. A second signal in that time ends the rest at once, which is an error.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	h := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- h.Serve(l) }()
	select {
	case err := <-failed:
		return whisper.Fail(whisper.Partial, fmt.Errorf("cannot serve: %w", err), "")
	case <-ctx.Done():
	}
	s.log.Info("stopping", "grace", grace.String())
	again := make(chan os.Signal, 1)
	listening := time.AfterFunc(twice, func() { signal.Notify(again, os.Interrupt, syscall.SIGTERM) })
	defer signal.Stop(again)
	defer listening.Stop()

	patience, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	var hurried error
	unhurried := make(chan struct{})
	go func() {
		defer close(unhurried)
		select {
		case <-again:
			hurried = whisper.Failf(whisper.Partial, "stopped before all requests were finished")
			cancel()
		case <-patience.Done():
		}
	}()
	err := h.Shutdown(patience)
	cancel()
	<-unhurried
	if err != nil {
		// Requests are told, and have a moment to pass it on.
		s.Halt()
		moment, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if h.Shutdown(moment) != nil {
			h.Close()
		}
	}
	return hurried
}
