package hook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"github.com/refrain-archive/refrain/internal/filelog"
)

// script writes a shell script and gives its path.
func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("skipped: the hooks of this test are shell scripts")
	}
	path := filepath.Join(t.TempDir(), "hook.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	ctx := context.Background()
	data := []byte("words in a file")
	sum := filelog.Digest(sha256.Sum256(data))
	h := Hook{Name: "shout", Media: "image", Command: []string{script(t, `case "$2" in *.png) tr a-z A-Z <"$2";; *) echo "no ending: $2" >&2; exit 3;; esac`), "--in", "{file}"}, Version: []string{"sh", "-c", "echo; echo shout 1.2; echo more"}}
	got, err := h.Run(ctx, bytes.NewReader(data), sum, ".png")
	if err != nil || got.Text != "WORDS IN A FILE" || got.Version != "shout 1.2" || got.SHA256 != sum || got.Cut || got.At.IsZero() || got.Command[2] != Placeholder || !strings.Contains(got.Why(), "shout 1.2") {
		t.Errorf("%+v, %v", got, err)
	}
	key := got.Key("x:1#2")
	if post, name, file, ok := Split(key); !ok || post != "x:1#2" || name != "shout" || file != sum {
		t.Errorf("%s splits to %s %s %s %v", key, post, name, file, ok)
	}
	for _, key := range []string{"x:1", "x:1#2", "x:1#a:b", "#:" + sum.String()} {
		if post, _, _, ok := Split(key); ok || post != key {
			t.Errorf("%s is taken for a computed one", key)
		}
	}
	for _, c := range []struct {
		name, body string
		timeout    time.Duration
		most       int
		want       error
		text       string
	}{
		{"a failure is told", `echo "cannot read $1" >&2; exit 4`, 0, 0, ErrFailed, "exit status 4: cannot read file"},
		{"one that never ends", "sleep 1000 & wait", 300 * time.Millisecond, 0, ErrTimeout, "300ms"},
		{"one that never stops talking", "while :; do echo ля-ля; done", 0, 1001, nil, ""},
	} {
		h := Hook{Name: "h", Media: "image", Command: []string{script(t, c.body), "{file}"}, Timeout: c.timeout, MaxOutput: c.most}
		got, err := h.Run(ctx, bytes.NewReader(data), sum, "")
		if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.most > 0 && (!got.Cut || len(got.Text) > c.most || strings.ContainsRune(got.Text, '�')) {
			t.Errorf("%s: cut %v, %d bytes, ending in %q", c.name, got.Cut, len(got.Text), got.Text[max(0, len(got.Text)-9):])
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.Run(stopped, bytes.NewReader(data), sum, ".png"); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if !h.Takes("image/png") || h.Takes("video/mp4") || h.Takes("") {
		t.Error("it takes the wrong files")
	}
}

func TestCheck(t *testing.T) {
	ok := Hook{Name: "ocr", Media: "image", Command: []string{"sh", "{file}"}}
	if err := ok.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Hook){
		"name":           func(h *Hook) { h.Name = "a b" },
		"media":          func(h *Hook) { h.Media = "image/png" },
		"no command":     func(h *Hook) { h.Command = nil },
		"{file}":         func(h *Hook) { h.Command = []string{"sh", "-c"} },
		"cannot be run":  func(h *Hook) { h.Command = []string{"/no/such/program", "{file}"} },
		`hook "ocr": no`: func(h *Hook) { h.Command = []string{"{file}"} },
	} {
		h := ok
		change(&h)
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", h, err, want)
		}
	}
}

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		" a line\nanother \n": "a line\nanother",
		"WEBVTT\nKind: captions\n\nNOTE x\n\n1\n00:00.000 --> 00:02.000 align:start\n<v Ana>Hello <i>there</i>\n\n00:02.000 --> 00:03.000\nHello there\nagain": "Hello there\nagain",
		"1\r\n00:00:00,000 --> 00:00:02,000\r\nFirst\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nSecond\r\n":                                                  "First\nSecond",
		"12\nof 14": "12\nof 14",
		"a < b":     "a < b",
		"":          "",
	} {
		if got := Plain(in); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ana>Hello <i>there</i>")
	f.Add("1\n00:00:00,000 --> 00:00:02,000\n<<>")
	f.Fuzz(func(t *testing.T, s string) {
		if got := Plain(s); len(got) > len(s) {
			t.Fatalf("%q grows to %q", s, got)
		}
	})
}

// The hook that most users will name, where it is installed.
func TestTesseract(t *testing.T) {
	if _, err := exec.LookPath("tesseract"); err != nil {
		t.Skip("skipped: tesseract is not installed")
	}
	m := image.NewGray(image.Rect(0, 0, 640, 90))
	draw.Draw(m, m.Rect, image.White, image.Point{}, draw.Src)
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: 36, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	d := font.Drawer{Dst: m, Src: image.NewUniform(color.Black), Face: face, Dot: fixed.P(20, 55)}
	d.DrawString("The ferry sank on Sunday")
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	h := Hook{Name: "ocr", Media: "image", Command: []string{"tesseract", "{file}", "stdout"}, Version: []string{"tesseract", "--version"}}
	got, err := h.Run(context.Background(), &b, filelog.Digest{}, ".png")
	if err != nil || got.Text != "The ferry sank on Sunday" || !strings.HasPrefix(got.Version, "tesseract") {
		t.Errorf("%+v, %v", got, err)
	}
}
