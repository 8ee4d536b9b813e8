package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/video"
	"github.com/refrain-archive/refrain/narrative/video/videotest"
	"github.com/refrain-archive/refrain/post"
)

func (a album) Stream(ctx context.Context, f Asset) (io.ReadCloser, error) {
	b, err := a.Bytes(ctx, f)
	return io.NopCloser(bytes.NewReader(b)), err
}

func TestClips(t *testing.T) {
	rd, err := video.Find()
	if errors.Is(err, video.ErrNoFFmpeg) {
		t.Skip("ffmpeg is not installed: clips are not tested")
	}
	if err != nil {
		t.Fatal(err)
	}
	film, other, cut := filepath.Join(t.TempDir(), "a.mp4"), filepath.Join(t.TempDir(), "b.mp4"), filepath.Join(t.TempDir(), "c.mp4")
	for seed, name := range []string{film, other} {
		if err := videotest.Sources[0].Make(t.Context(), rd.FFmpeg, uint64(seed+1), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := videotest.Variants[0].Make(t.Context(), rd.FFmpeg, film, cut); err != nil {
		t.Fatal(err)
	}
	var l list
	var files album
	for key, name := range []string{film, cut, film, other} {
		url := "https://cdn.example/" + string(rune('a'+key)) + ".mp4"
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		words := []string{"look at this", "shame on them", "what a fine winter we have had in Lindholm this year, and what a sea", "another thing"}[key]
		l.add("x:"+string(rune('1'+key)), "ana", words, func(p *post.Post) { p.Media = []post.Media{{Kind: post.MediaVideo, URL: url}} })
		files.add(url+"?sig=1", "video/mp4", data)
	}
	files.add("https://cdn.example/e.mp4", "video/mp4", []byte("no film"))
	dir := t.TempDir()
	index(t, dir, l)
	clips := func(rd *video.Reader) VideoStats {
		t.Helper()
		e, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := e.Clips(t.Context(), files, rd, nil)
		if err = errors.Join(err, e.Close()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := clips(nil); s.Clips != 4 || s.Unread != 4 || s.Linked != 0 {
		t.Errorf("without ffmpeg: %+v", s)
	}
	if b := book(t, dir, l); b.NarrativesOf("x:1")[0] == b.NarrativesOf("x:2")[0] {
		t.Error("linked without ffmpeg")
	}
	if s := clips(&rd); s.Files != 5 || s.Clips != 4 || s.Linked != 1 || s.Unreadable != 1 {
		t.Errorf("when ffmpeg came: %+v", s)
	}
	if s := clips(&rd); s.Files != 0 {
		t.Errorf("taken again: %+v", s)
	}
	b := book(t, dir, l)
	for key, together := range map[string]bool{"x:2": true, "x:3": false, "x:4": false} {
		if (b.NarrativesOf(key)[0] == b.NarrativesOf("x:1")[0]) != together {
			t.Errorf("%s in the narrative of x:1: %v, want %v", key, !together, together)
		}
	}
	links, err := b.Of(t.Context(), "x:1", Filter{Kind: Clip})
	if err != nil || len(links) != 2 || links[0].Strength != narrative.Linked || !strings.Contains(links[1].Why, "byte for byte") || links[1].B != "x:3" {
		t.Errorf("%+v, %v", links, err)
	}
	if shares, _, err := b.Shares(t.Context(), Clip, false); err != nil || len(shares) != 4 {
		t.Errorf("%d shares, %v", len(shares), err)
	}
}

// Clips are taken in as far as they were read when a user stops it.
func TestClipsStopped(t *testing.T) {
	var l list
	var files album
	l.add("x:1", "ana", "look")
	for _, name := range []string{"a", "b", "c"} {
		files.add("https://cdn.example/"+name+".mp4", "video/mp4", []byte(name))
	}
	dir := t.TempDir()
	index(t, dir, l)
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	rd := &video.Reader{FFmpeg: "/nonexistent"}
	if _, err := e.Clips(ctx, stopping{files, cancel}, rd, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	s, err := e.Clips(t.Context(), files, nil, nil)
	if err != nil || s.Files != 2 || s.Clips != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

// stopping is an album whose user stops when its second file is read.
type stopping struct {
	album
	stop func()
}

func (s stopping) Stream(ctx context.Context, f Asset) (io.ReadCloser, error) {
	if f.ID == 2 {
		s.stop()
	}
	return s.album.Stream(ctx, f)
}
