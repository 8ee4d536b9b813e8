// Package hook runs commands that the user named on files of the archive and takes
// the text they print: the words in a picture (tesseract), the speech of a clip
// (whisper). None is run unless the user names one.
//
// Such a text is computed, not published: a Text says by which command, of which
// version, from which file, so that nobody takes it for words of the account. It is
// indexed as a text of the post that had the file, under a key of its own (Text.Key).
//
// Subtitles that a platform serves are no matter of this package. Collectors read
// them as posts (captions of YouTube, tagged "captions") or as part of the post's
// text (transcripts of TikTok's Research API), and they are indexed as these.
//
// A command is run without a shell, in an empty folder of its own, with bounds on
// time and on what it prints, and what it started ends with it. It is the user's
// own program and runs with the user's rights: it is not locked in.
package hook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/internal/filelog"
)

// A Hook is a command that the user named.
type Hook struct {
	// Name is the user's word for it: "ocr", "speech". Letters, digits, "-", "_".
	Name string
	// Media is what it is for: the part of the media type before the slash, "image",
	// "video" or "audio".
	Media string
	// Command is the program and its arguments. "{file}" in them becomes the path
	// of the file; one argument must have it.
	Command []string
	// Version is a command whose first line of output names the version of the
	// program: ["tesseract", "--version"]. Empty: the version is not known.
	Version []string
	// Timeout is for how long the command may run on one file; 0 is two minutes.
	Timeout time.Duration
	// MaxOutput is how many bytes of what it prints are taken; 0 is 1 MiB. More is
	// cut off, and said to be.
	MaxOutput int
}

const (
	defaultTimeout   = 2 * time.Minute
	defaultMaxOutput = 1 << 20
	maxMessage       = 1 << 10 // of what a command says of its failure
)

// Placeholder is what becomes the path of the file.
const Placeholder = "{file}"

// Check says what is wrong with the hook as it was written, before any file is read.
func (h Hook) Check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("hook %q: %s", h.Name, fmt.Sprintf(format, args...))
	}
	if h.Name == "" || strings.Trim(h.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
		return bad("its name must have letters, digits, - and _ only")
	}
	switch h.Media {
	case "image", "video", "audio":
	default:
		return bad("media is %q: it must be image, video or audio", h.Media)
	}
	if len(h.Command) == 0 {
		return bad("it has no command")
	}
	file := false
	for _, a := range h.Command[1:] {
		file = file || strings.Contains(a, Placeholder)
	}
	if !file {
		return bad("no argument of its command has %s, so the command would not know the file", Placeholder)
	}
	if _, err := exec.LookPath(h.Command[0]); err != nil {
		return bad("its program cannot be run: %v: install it, or give its path", err)
	}
	return nil
}

// Takes reports whether the hook is for files of a media type, "image/png".
func (h Hook) Takes(mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	return kind == h.Media
}

// A Text is what a hook made of a file.
type Text struct {
	Hook    string         `json:"hook"`
	Command []string       `json:"command"`           // as the user wrote it
	Version string         `json:"version,omitempty"` // of the program, as it says itself
	SHA256  filelog.Digest `json:"sha256"`            // of the file
	Text    string         `json:"text"`              // without the marks of subtitles; "" if it found no words
	Cut     bool           `json:"cut,omitempty"`     // it printed more than MaxOutput
	At      time.Time      `json:"at"`                // when it was computed, UTC
}

// Key is the key under which the text of a post's file is indexed:
// POST#HOOK:SHA256. Split takes it apart.
func (t Text) Key(post string) string { return post + "#" + t.Hook + ":" + t.SHA256.String() }

// Split gives the post, hook and file of a key that Text.Key made, and false for the
// key of a text that was not computed.
func Split(key string) (post, hook string, file filelog.Digest, ok bool) {
	at := strings.LastIndexByte(key, '#')
	if at < 0 {
		return key, "", file, false
	}
	hook, hex, found := strings.Cut(key[at+1:], ":")
	file, err := filelog.ParseDigest(hex)
	if !found || err != nil || hook == "" {
		return key, "", filelog.Digest{}, false
	}
	return key[:at], hook, file, true
}

// Why says for an analyst where the text comes from.
func (t Text) Why() string {
	version := t.Version
	if version == "" {
		version = "version unknown"
	}
	return fmt.Sprintf("computed from the file %s by %s (%s)", t.SHA256, strings.Join(t.Command, " "), version)
}

// The kinds of failure of Run, for errors.Is.
var (
	// ErrTimeout: the command did not end in time.
	ErrTimeout = errors.New("it did not end in time")
	// ErrFailed: the command ended with an error.
	ErrFailed = errors.New("it failed")
)

// Run runs the hook on a file whose bytes come from r and whose digest is sum. ending
// is that of the file's name (".png"), by which some programs know its form; it may
// be empty.
func (h Hook) Run(ctx context.Context, r io.Reader, sum filelog.Digest, ending string) (t Text, err error) {
	if err := h.Check(); err != nil {
		return t, err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("hook %s on %s: %w", h.Name, sum, err)
		}
	}()
	dir, err := os.MkdirTemp("", "refrain-hook-*")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "file"+cleanEnding(ending))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return t, err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		return t, fmt.Errorf("writing the file for it: %w", err)
	}
	args := make([]string, len(h.Command))
	for i, a := range h.Command {
		args[i] = a
		if i > 0 {
			args[i] = strings.ReplaceAll(a, Placeholder, path)
		}
	}
	out, cut, err := h.output(ctx, dir, args)
	if err != nil {
		return t, err
	}
	t = Text{Hook: h.Name, Command: h.Command, SHA256: sum, Text: Plain(out), Cut: cut, At: time.Now().UTC().Truncate(time.Second)}
	t.Version, err = h.version(ctx, dir)
	return t, err
}

// version gives the first line with words of what the version command prints.
func (h Hook) version(ctx context.Context, dir string) (string, error) {
	if len(h.Version) == 0 {
		return "", nil
	}
	v := h
	v.MaxOutput, v.Timeout = 4<<10, 10*time.Second
	out, _, err := v.output(ctx, dir, h.Version)
	if err != nil {
		return "", fmt.Errorf("its version command: %w", err)
	}
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			return line[:min(len(line), 200)], nil
		}
	}
	return "", nil
}

// output gives what a command prints, in valid UTF-8.
func (h Hook) output(ctx context.Context, dir string, args []string) (out string, cut bool, err error) {
	timeout, most := h.Timeout, h.MaxOutput
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	if most <= 0 {
		most = defaultMaxOutput
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(inner, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.WaitDelay = 2 * time.Second
	together(cmd)
	printed, said := &bounded{most: most, full: cancel}, &bounded{most: maxMessage}
	cmd.Stdout, cmd.Stderr = printed, said
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", false, ctx.Err()
	case printed.cut: // it was ended because it said enough
		err = nil
	case errors.Is(inner.Err(), context.DeadlineExceeded):
		return "", false, fmt.Errorf("%w: %s", ErrTimeout, timeout)
	}
	if err != nil {
		message := strings.TrimSpace(strings.ToValidUTF8(said.buf.String(), "�"))
		return "", false, fmt.Errorf("%w: %w: %s", ErrFailed, err, strings.ReplaceAll(message, dir+string(filepath.Separator), ""))
	}
	b := printed.buf.Bytes()
	for range utf8.UTFMax - 1 { // it may have been cut within a character
		if r, size := utf8.DecodeLastRune(b); printed.cut && r == utf8.RuneError && size == 1 {
			b = b[:len(b)-1]
		}
	}
	return strings.ToValidUTF8(string(b), "�"), printed.cut, nil
}

// A bounded keeps the first bytes that are written and calls full at more.
type bounded struct {
	most int
	buf  bytes.Buffer
	cut  bool
	full func()
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.buf.Len(); len(p) > room {
		b.buf.Write(p[:max(room, 0)])
		if !b.cut && b.full != nil {
			b.full()
		}
		b.cut = true
		return len(p), nil
	}
	return b.buf.Write(p)
}

// cleanEnding lets through what can be the ending of a name and nothing else.
func cleanEnding(s string) string {
	if len(s) < 2 || len(s) > 12 || s[0] != '.' || strings.Trim(strings.ToLower(s[1:]), "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return ""
	}
	return s
}

// Plain gives the words of a program's output: as it is, without the numbers, times
// and tags of subtitles (WebVTT, SubRip) where it is such, and without a line that
// repeats the one before it, as rolling subtitles do.
func Plain(s string) string {
	s = strings.TrimPrefix(strings.ReplaceAll(s, "\r\n", "\n"), "\ufeff")
	if !strings.HasPrefix(s, "WEBVTT") && !subRip(s) {
		return strings.TrimSpace(s)
	}
	var out []string
	for i, block := range strings.Split(s, "\n\n") {
		if i == 0 && strings.HasPrefix(block, "WEBVTT") || strings.HasPrefix(block, "NOTE") || strings.HasPrefix(block, "STYLE") || strings.HasPrefix(block, "REGION") {
			continue
		}
		lines := strings.Split(strings.Trim(block, "\n"), "\n")
		for k, line := range lines {
			if strings.Contains(line, "-->") {
				lines = lines[k+1:]
				break
			}
		}
		for _, line := range lines {
			if line = strings.TrimSpace(untagged(line)); line != "" && (len(out) == 0 || out[len(out)-1] != line) {
				out = append(out, line)
			}
		}
	}
	return strings.Join(out, "\n")
}

// subRip reports whether s begins with a number, a line with times, and words.
func subRip(s string) bool {
	lines := strings.SplitN(strings.TrimLeft(s, "\n"), "\n", 3)
	return len(lines) == 3 && strings.Trim(strings.TrimSpace(lines[0]), "0123456789") == "" && strings.Contains(lines[1], "-->")
}

// untagged drops <…> of a line of subtitles.
func untagged(s string) string {
	var b strings.Builder
	for s != "" {
		at := strings.IndexByte(s, '<')
		end := strings.IndexByte(s[max(at, 0):], '>')
		if at < 0 || end < 0 {
			break
		}
		b.WriteString(s[:at])
		s = s[at+end+1:]
	}
	return b.String() + s
}
