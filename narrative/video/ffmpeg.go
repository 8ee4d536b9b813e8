package video

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Limits bound what Read spends on one file. A zero field means its default.
type Limits struct {
	// MaxBytes is the size of the file: 2 GiB by default.
	MaxBytes int64
	// MaxTime is how much of the video is looked at: one hour by default.
	MaxTime time.Duration
	// MaxFrames is how many frames that differ are kept: 2,000 by default, 8 MB
	// while a video is read.
	MaxFrames int
	// Timeout is for how long ffmpeg may run on one file: five minutes by default.
	Timeout time.Duration
	// MaxPixels is the largest frame that is decoded, width times height: 40
	// million by default.
	MaxPixels int64
}

func (l Limits) filled() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = 2 << 30
	}
	if l.MaxTime <= 0 {
		l.MaxTime = time.Hour
	}
	if l.MaxFrames <= 0 {
		l.MaxFrames = 2000
	}
	if l.Timeout <= 0 {
		l.Timeout = 5 * time.Minute
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = 40_000_000
	}
	return l
}

// The kinds of failure of Read, for errors.Is.
var (
	// ErrNoFFmpeg: there is no ffmpeg on this machine.
	ErrNoFFmpeg = errors.New("ffmpeg is not installed: videos are compared by their thumbnails alone (Debian: apt install ffmpeg)")
	// ErrTooLarge: the file is over a limit, and nothing of it was read.
	ErrTooLarge = errors.New("over the limit")
	// ErrNoFrames: ffmpeg found no picture in the file.
	ErrNoFrames = errors.New("no frame could be read")
	// ErrTimeout: ffmpeg did not end in time.
	ErrTimeout = errors.New("ffmpeg did not end in time")
)

// A Reader takes frames from video files.
type Reader struct {
	FFmpeg string // the program; see Find
	Limits Limits
}

// Find gives a Reader with the ffmpeg in PATH, or ErrNoFFmpeg.
func Find() (Reader, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return Reader{}, ErrNoFFmpeg
	}
	return Reader{FFmpeg: path}, nil
}

// formats are the containers that ffmpeg may open. Playlists and lists of files are
// none of them: they could name other files of this machine.
const formats = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,h264,hevc,gif,ogg,asf,wmv"

// framesPerSecond is how many frames of a second ffmpeg gives. After denseFrames of
// them only every second one is looked at: a short clip has few moments, and what
// moves in it must be met nearly at the same moment; a longer one has enough.
const (
	framesPerSecond = 4
	denseFrames     = 60
)

// Read gives the frames of a video whose bytes come from r, by way of a file in
// the folder for temporary files.
func (rd Reader) Read(ctx context.Context, r io.Reader) (Clip, error) {
	limits := rd.Limits.filled()
	f, err := os.CreateTemp("", "refrain-video-*")
	if err != nil {
		return Clip{}, fmt.Errorf("video: a file for ffmpeg: %w", err)
	}
	defer os.Remove(f.Name())
	n, err := io.Copy(f, io.LimitReader(r, limits.MaxBytes+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return Clip{}, fmt.Errorf("video: writing a file for ffmpeg: %w", err)
	}
	if n > limits.MaxBytes {
		return Clip{}, fmt.Errorf("video: the file has more than %d bytes: %w; raise MaxBytes", limits.MaxBytes, ErrTooLarge)
	}
	return rd.ReadFile(ctx, f.Name())
}

// ReadFile gives the frames of a video file. ffmpeg runs with bounds on time and
// memory, opens that one file and no address. A video that is cut short gives the
// frames that are there, and Clip.Damage says why there are no more.
func (rd Reader) ReadFile(ctx context.Context, path string) (Clip, error) {
	limits := rd.Limits.filled()
	if rd.FFmpeg == "" {
		return Clip{}, ErrNoFFmpeg
	}
	info, err := os.Stat(path)
	if err != nil {
		return Clip{}, fmt.Errorf("video: %w", err)
	}
	if info.Size() > limits.MaxBytes {
		return Clip{}, fmt.Errorf("video: the file has %d bytes: %w of %d; raise MaxBytes", info.Size(), ErrTooLarge, limits.MaxBytes)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Clip{}, fmt.Errorf("video: %w", err)
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, limits.Timeout)
	defer cancel()
	const scale = "fps=4:round=near:start_time=0,scale=w='if(gt(iw,ih),min(512,iw),-2)':h='if(gt(iw,ih),-2,min(512,ih))':flags=area,format=gray"
	cmd := exec.CommandContext(ctx, rd.FFmpeg, "-nostdin", "-hide_banner", "-v", "error", "-max_alloc", strconv.Itoa(1<<29),
		"-protocol_whitelist", "file", "-format_whitelist", formats, "-max_pixels", strconv.FormatInt(limits.MaxPixels, 10), "-threads", "2",
		"-t", strconv.FormatFloat(limits.MaxTime.Seconds(), 'f', 3, 64), "-i", "file:"+path,
		"-map", "0:v:0", "-an", "-sn", "-dn", "-vf", scale, "-c:v", "pgm", "-f", "image2pipe", "pipe:1")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.WaitDelay = 5 * time.Second
	said := &tail{most: 2 << 10}
	cmd.Stderr = said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return Clip{}, fmt.Errorf("video: starting ffmpeg: %w", err)
	}
	if err := cmd.Start(); err != nil {
		switch {
		case outer.Err() != nil:
			return Clip{}, outer.Err()
		case errors.Is(err, context.DeadlineExceeded):
			return Clip{}, fmt.Errorf("video: after %s: %w; raise Timeout", limits.Timeout, ErrTimeout)
		}
		return Clip{}, fmt.Errorf("video: starting ffmpeg: %w", err)
	}
	var c clip
	full, readErr := c.take(out, limits)
	if full || readErr != nil {
		cancel() // what else ffmpeg would say is not needed
	}
	waitErr := cmd.Wait()
	message := said.message(path)
	switch {
	case outer.Err() != nil:
		return Clip{}, outer.Err()
	case readErr == nil && !full && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Clip{}, fmt.Errorf("video: after %s: %w; raise Timeout", limits.Timeout, ErrTimeout)
	case readErr != nil:
		return Clip{}, fmt.Errorf("video: the frames that ffmpeg sends: %w (%s)", readErr, message)
	case len(c.frames) == 0:
		if message == "" {
			message = "it ended without a word"
		}
		return Clip{}, fmt.Errorf("video: %w: ffmpeg: %s", ErrNoFrames, message)
	}
	done := c.finish()
	done.Thinned = full || c.seen >= int(limits.MaxTime.Seconds()*framesPerSecond)
	if !full && (waitErr != nil || message != "") {
		if message == "" {
			message = waitErr.Error()
		}
		done.Damage = message
	}
	return done, nil
}

// maxFrameSide bounds a frame that ffmpeg sends: it was asked for 512.
const maxFrameSide = 1024

// take reads frames as PGM pictures, one behind the other, until the end or until
// no more are kept.
func (c *clip) take(r io.Reader, limits Limits) (full bool, err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	var pix []byte
	for {
		w, h, err := pgmHeader(b)
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if w*h > cap(pix) {
			pix = make([]byte, w*h)
		}
		pix = pix[:w*h]
		if _, err := io.ReadFull(b, pix); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
				return false, nil // ffmpeg was ended
			}
			return false, err
		}
		if !c.add(w, h, pix, limits.MaxFrames) {
			return true, nil
		}
	}
}

// pgmHeader reads "P5", width, height and 255, each ended by white space.
func pgmHeader(b *bufio.Reader) (w, h int, err error) {
	var n [3]int
	var magic [2]byte
	if _, err := io.ReadFull(b, magic[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return 0, 0, err
	}
	if string(magic[:]) != "P5" {
		return 0, 0, fmt.Errorf("a frame begins with %q", magic)
	}
	if _, err := b.ReadByte(); err != nil {
		return 0, 0, err
	}
	for i := range n {
		for {
			d, err := b.ReadByte()
			if err != nil {
				return 0, 0, err
			}
			if d < '0' || d > '9' {
				break
			}
			if n[i] = n[i]*10 + int(d-'0'); n[i] > maxFrameSide {
				return 0, 0, fmt.Errorf("a frame has a side of more than %d", maxFrameSide)
			}
		}
	}
	if n[0] == 0 || n[1] == 0 || n[2] != 255 {
		return 0, 0, fmt.Errorf("a frame of %dx%d with %d levels", n[0], n[1], n[2])
	}
	return n[0], n[1], nil
}

// A tail keeps the last bytes that were written.
type tail struct {
	most int
	buf  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > t.most {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-t.most:]...)
	}
	return len(p), nil
}

// message gives the last two lines, without the path of the file.
func (t *tail) message(path string) string {
	lines := bytes.Split(bytes.TrimSpace(t.buf), []byte("\n"))
	lines = lines[max(len(lines)-2, 0):]
	s := strings.ToValidUTF8(string(bytes.Join(lines, []byte("; "))), "�")
	return strings.TrimPrefix(strings.ReplaceAll(s, "file:"+path, "the file"), "the file: ")
}
