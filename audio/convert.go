package audio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// ConvertOptions bound what Convert may cost. The zero value works.
type ConvertOptions struct {
	// Program is the ffmpeg to run; "" is the one in PATH.
	Program string

	// MaxDuration is how much audio is taken from the file; what follows is left out, and Warning says so. 0 is 24 hours.
	MaxDuration time.Duration

	// Timeout is how long a Read may wait for ffmpeg before ffmpeg is killed. 0 is one minute.
	Timeout time.Duration

	// MaxBytes is how large an input of ConvertReader may be that has to be written to a temporary file. 0 is 4 GiB.
	MaxBytes int64

	// TempDir is where that file goes; "" is the system's directory for temporary files.
	TempDir string
}

func (o ConvertOptions) withDefaults() ConvertOptions {
	if o.Program == "" {
		o.Program = "ffmpeg"
	}
	if o.MaxDuration <= 0 {
		o.MaxDuration = 24 * time.Hour
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Minute
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
	return o
}

// convertFormats are the formats that ffmpeg may take a file for: those that hold their sound themselves. Playlists and
// scripts (hls, concat, dash, …), through which a file could make ffmpeg read others, are not among them.
const convertFormats = "aac,ac3,ac4,acm,act,adx,aiff,alaw,amr,amrnb,amrwb,ape,aptx,aptx_hd,asf,asf_o,ast,au,avi,avr,boa,caf,codec2,dff," +
	"dsf,dss,dts,dtshd,dv,eac3,flac,flv,g722,gsm,hca,iamf,ilbc,ircam,iff,ivf,loas,live_flv,lvf,matroska,webm,mlp,mov,mp4,m4a,3gp,3g2," +
	"mj2,mp3,mpc,mpc8,mpeg,mpegts,mulaw,mxf,nistsphere,nut,ogg,oma,osq,pvf,qcp,rm,rso,sbc,sds,smk,sox,spdif,swf,tak,truehd,tta,voc,vqf," +
	"w64,wav,wsd,wtv,wv,xa,xwma"

// Convert runs ffmpeg on a file and returns the first audio stream in it as it is decoded. ffmpeg gets no shell, no network
// and no other files to read. It ends with the Stream, with Close, or with ctx, whichever comes first; ctx thus
// belongs to the Stream and not to the call. Errors of ffmpeg are ErrConvert with the last line that it wrote.
func Convert(ctx context.Context, path string, o ConvertOptions) (*Stream, error) {
	if st, err := os.Stat(path); err != nil {
		return nil, err
	} else if st.IsDir() {
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("is a directory")}
	}
	return startConvert(ctx, &converter{path: path, input: "file:" + path}, "file,pipe", o)
}

// ConvertReader is Convert for what r delivers. ffmpeg gets it through a pipe, except for MP4 and its kin, which cannot be
// read without seeking and go to a temporary file first.
func ConvertReader(ctx context.Context, r io.Reader, o ConvertOptions) (*Stream, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(12)
	if len(head) == 0 {
		if err == io.EOF {
			err = &FormatError{Offset: -1, Err: ErrEmpty}
		}
		return nil, err
	}
	if len(head) < 8 || !strings.Contains("ftyp moov mdat wide free skip", string(head[4:8])) {
		return startConvert(ctx, &converter{input: "pipe:0", stdin: b}, "pipe", o)
	}
	name, err := spool(ctx, b, o.TempDir, o.withDefaults().MaxBytes)
	if err != nil {
		return nil, err
	}
	c := &converter{input: "file:" + name, temp: name}
	s, err := startConvert(ctx, c, "file,pipe", o)
	if err != nil {
		os.Remove(name)
	}
	return s, err
}

// spool writes r to a temporary file in dir.
func spool(ctx context.Context, r io.Reader, dir string, limit int64) (name string, err error) {
	f, err := os.CreateTemp(dir, "whisper-*.mp4")
	if err != nil {
		return "", err
	}
	var n int64
	for err == nil && n <= limit {
		var k int64
		k, err = io.CopyN(f, r, 1<<20)
		n += k
		if err == nil {
			err = ctx.Err()
		}
	}
	if n > limit {
		err = fmt.Errorf("the input has more than %d bytes", limit)
	}
	if err == io.EOF {
		err = nil
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// startConvert starts ffmpeg, which writes a wav of the sound as it is: mixing and resampling are done here, the same as for
// every other file.
func startConvert(ctx context.Context, c *converter, protocols string, o ConvertOptions) (*Stream, error) {
	o = o.withDefaults()
	program, err := exec.LookPath(o.Program)
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) && o.Program == "ffmpeg" {
			return nil, ErrNoConverter
		}
		return nil, fmt.Errorf("%w: %w", ErrNoConverter, err)
	}
	seconds := strconv.FormatFloat((o.MaxDuration + time.Second).Seconds(), 'f', 3, 64)
	ctx, c.cancel = context.WithCancelCause(ctx)
	c.ctx, c.timeout = ctx, o.Timeout
	c.cmd = exec.CommandContext(ctx, program,
		"-nostdin", "-hide_banner", "-loglevel", "error",
		"-protocol_whitelist", protocols, "-format_whitelist", convertFormats, "-i", c.input,
		"-map", "0:a:0", "-t", seconds, "-c:a", "pcm_f32le", "-fflags", "+bitexact", "-f", "wav", "pipe:1")
	c.cmd.Env = append(os.Environ(), "AV_LOG_FORCE_NOCOLOR=1")
	c.cmd.WaitDelay = time.Second
	c.cmd.Stderr = &c.stderr
	if c.stdin != nil {
		c.cmd.Stdin = c.stdin
	}
	if c.out, err = c.cmd.StdoutPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.cancel(err)
		return nil, fmt.Errorf("%w: %w", ErrConvert, err)
	}
	context.AfterFunc(ctx, func() { c.out.Close() })
	s, err := NewStream(c)
	if err != nil {
		c.Close()
		return nil, inFile(c.path, err)
	}
	s.close = c.Close
	s.mix.path = c.path
	s.mix.format.Container = "ffmpeg"
	s.mix.limit = int64(o.MaxDuration.Seconds() * float64(s.mix.format.Rate))
	return s, nil
}

// converter is a running ffmpeg and the io.Reader of what it writes.
type converter struct {
	path, input string
	temp        string // to be removed
	stdin       io.Reader
	cmd         *exec.Cmd
	out         io.ReadCloser
	stderr      tail
	ctx         context.Context
	cancel      context.CancelCauseFunc
	timeout     time.Duration
	ended       error // io.EOF, or why ffmpeg ended
}

func (c *converter) Read(p []byte) (int, error) {
	if c.ended != nil {
		return 0, c.ended
	}
	stalled := time.AfterFunc(c.timeout, func() {
		c.cancel(fmt.Errorf("%w: nothing came for %v", ErrConvert, c.timeout))
	})
	n, err := c.out.Read(p)
	stalled.Stop()
	if err == nil {
		return n, nil
	}
	c.wait()
	return n, c.ended
}

// wait takes note of how ffmpeg ended.
func (c *converter) wait() {
	if c.ended != nil {
		return
	}
	c.out.Close()
	err := c.cmd.Wait()
	c.ended = io.EOF
	if cause := context.Cause(c.ctx); cause != nil {
		c.ended = cause
	} else if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		line := c.stderr.lastLine()
		if line = strings.TrimPrefix(line, c.input+": "); line == "" {
			line = err.Error()
		}
		c.ended = &convertExit{path: c.path, line: line}
	}
	c.cancel(os.ErrClosed)
}

// Close kills ffmpeg if it still runs.
func (c *converter) Close() error {
	c.cancel(os.ErrClosed)
	c.wait()
	if c.temp != "" {
		os.Remove(c.temp)
	}
	return nil
}

// convertExit is ffmpeg's own failure, as opposed to being killed. Behind decoded sound it is but a warning.
type convertExit struct{ path, line string }

func (e *convertExit) Error() string {
	s := ErrConvert.Error() + ": " + e.line
	if e.path != "" {
		s = e.path + ": " + s
	}
	return s
}

func (e *convertExit) Unwrap() error { return ErrConvert }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailSize = 4096

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p[max(0, len(p)-tailSize):]...)
	t.buf = t.buf[:copy(t.buf, t.buf[max(0, len(t.buf)-tailSize):])]
	return len(p), nil
}

// lastLine returns the last line that says something, fit for a terminal.
func (t *tail) lastLine() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := strings.TrimSpace(string(t.buf))
	line = strings.TrimSpace(line[strings.LastIndexAny(line, "\r\n")+1:])
	line = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, line)
	if r := []rune(line); len(r) > 200 {
		line = string(r[:200]) + "…"
	}
	return line
}
