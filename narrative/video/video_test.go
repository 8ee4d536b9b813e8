package video

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	stdimage "image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/image/imagetest"
	"github.com/refrain-archive/refrain/narrative/video/videotest"
)

// show is a clip of drawn scenes, each for a second, made without ffmpeg.
func show(scenes ...uint64) Clip {
	var c clip
	for _, s := range scenes {
		m := imagetest.Scene(3*s + 1)
		for range framesPerSecond {
			c.add(m.Rect.Dx(), m.Rect.Dy(), m.Pix, 1000)
		}
	}
	return c.finish()
}

func sum(name string) Digest { return sha256.Sum256([]byte(name)) }

func add(t testing.TB, ix *Index, key string, c Clip) Result {
	t.Helper()
	r, err := ix.Add(context.Background(), key, sum(key), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Cuts, other orders and single frames: what is in both in one order is a match, and
// it names the seconds.
func TestAlignment(t *testing.T) {
	var ix Index
	add(t, &ix, "whole", show(0, 1, 2, 3, 4, 5, 6, 7))
	for _, c := range []struct {
		name     string
		clip     Clip
		want     Strength
		pieces   string
		least    float64
		mirrored bool
	}{
		{"the same", show(0, 1, 2, 3, 4, 5, 6, 7), Linked, "0s-8s 0s-8s", .6, false},
		{"a cut", show(3, 4, 5), Linked, "0s-3s 3s-6s", .2, false},
		{"within another", show(20, 21, 2, 3, 4, 22, 23), Linked, "2s-5s 2s-5s", .2, false},
		{"with a piece missing", show(0, 1, 2, 6, 7), Linked, "", .2, false},
		{"one frame of it among others", show(20, 21, 22, 4, 23, 24, 25, 26), Possible, "3s-4s 4s-5s", .05, false},
		{"others", show(30, 31, 32, 33, 34, 35), Weak, "", 0, false},
		{"backwards", show(7, 6, 5, 4, 3, 2, 1, 0), Possible, "", .05, false},
	} {
		list, err := ix.Query(c.clip, Digest{})
		if err != nil {
			t.Fatal(err)
		}
		if c.want == Weak {
			if len(list) > 0 {
				t.Errorf("%s: %+v", c.name, list[0])
			}
			continue
		}
		if len(list) != 1 {
			t.Errorf("%s: %+v", c.name, list)
			continue
		}
		m := list[0]
		var pieces []string
		for _, p := range m.Pieces {
			pieces = append(pieces, fmt.Sprintf("%v-%v %v-%v", p.QueryFrom, p.QueryTo, p.IndexedFrom, p.IndexedTo))
		}
		if m.Strength() != c.want || c.pieces != "" && strings.Join(pieces, ", ") != c.pieces || m.Score < c.least || m.Mirrored {
			t.Errorf("%s: strength %d, score %.2f, %d frames, evidence %.2f, pieces %v: %s", c.name, m.Strength(), m.Score, m.Frames, m.Evidence, pieces, m.Why())
		}
	}
	stills, err := ix.Stills(image.NewGrey(imagetest.Scene(3*4 + 1)))
	if err != nil || len(stills) != 1 || stills[0].At != 4*time.Second || stills[0].Key != "whole" {
		t.Errorf("a frame as a picture: %+v, %v", stills, err)
	}
	if got, _ := ix.Stills(image.NewGrey(imagetest.Scene(100))); len(got) > 0 {
		t.Errorf("another picture: %+v", got)
	}
}

// An index that was closed, or lost its power, still has what was synced.
func TestIndexKeeps(t *testing.T) {
	clips := []Clip{show(0, 1, 2), show(3, 4, 5), show(6, 7, 8), show(9, 10, 11)}
	for cut := 3; cut < 40; cut += 2 {
		disk := fsystest.New(uint64(cut))
		disk.CutAfter(cut)
		synced, n := 0, 0
		if ix, err := Open("/v", Options{FS: disk}); err == nil {
			for n < len(clips) {
				if _, err := ix.Add(context.Background(), fmt.Sprint(n), sum(fmt.Sprint(n)), clips[n], nil); err != nil {
					break
				}
				n++
				if ix.Sync() != nil {
					break
				}
				synced = n
			}
			ix.Close()
		}
		ix, err := Open("/v", Options{FS: disk.Restart()})
		if err != nil {
			t.Fatalf("cut after %d: %v", cut, err)
		}
		if _, have, _ := ix.Size(); have < synced || have > n+1 {
			t.Errorf("cut after %d: %d clips, %d were synced", cut, have, synced)
		}
		for i := range synced {
			m, err := ix.Query(clips[i], Digest{})
			if err != nil || len(m) != 1 || m[0].Key != fmt.Sprint(i) || m[0].Strength() != Linked {
				t.Errorf("cut after %d: clip %d finds %+v, %v", cut, i, m, err)
			}
		}
		ix.Close()
	}
	disk := fsystest.New(1)
	ix, err := Open("/v", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	first := add(t, ix, "a", clips[0])
	again := add(t, ix, "b", show(20, 0, 1, 2))
	if first.Group != sum("a") || again.Group != sum("a") || len(again.Matches) != 1 || again.Matches[0].Key != "a" {
		t.Errorf("%+v, %+v", first, again)
	}
	if r, ok, err := ix.AddKnown(ctx, "c", sum("a")); err != nil || !ok || r.Outcome != Duplicate || len(r.Matches) != 1 || !r.Matches[0].Same {
		t.Errorf("the same bytes: %+v %v, %v", r, ok, err)
	}
	if r, ok, err := ix.AddKnown(ctx, "c", sum("a")); err != nil || !ok || r.Outcome != Known {
		t.Errorf("the same once more: %+v %v, %v", r, ok, err)
	}
	refused := fmt.Errorf("video: %w: ffmpeg: it has no picture", ErrNoFrames)
	if r, err := ix.Add(ctx, "d", sum("d"), Clip{}, refused); err != nil || r.Outcome != Unreadable || r.Reason == "" {
		t.Errorf("an unreadable one: %+v, %v", r, err)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Query(clips[0], Digest{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed index answers: %v", err)
	}
	if ix, err = Open("/v", Options{FS: disk}); err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	if keys, err := ix.Uses(0); err != nil || !slices.Equal(keys, []string{"a", "c"}) {
		t.Errorf("uses %v, %v", keys, err)
	}
	if _, s, reason, err := ix.Clip(2); err != nil || s != sum("d") || !strings.Contains(reason, "no picture") {
		t.Errorf("clip 2: %s %q, %v", s, reason, err)
	}
	if m, err := ix.Query(Clip{}, sum("d")); err != nil || len(m) != 1 || !m[0].Same || m[0].Why() == "" {
		t.Errorf("the bytes of the unreadable one: %+v, %v", m, err)
	}
}

func reader(t testing.TB) Reader {
	t.Helper()
	rd, err := Find()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	return rd
}

func read(t testing.TB, rd Reader, path string) Clip {
	t.Helper()
	c, err := rd.ReadFile(context.Background(), path)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Base(path), err)
	}
	return c
}

// The six sample videos of Meta: all pairs of one scene are linked, and no others.
func TestSampleVideos(t *testing.T) {
	dir := sharedtest.Path(t, "datasets/video")
	rd := reader(t)
	names, err := filepath.Glob(filepath.Join(dir, "*.mp4"))
	if err != nil || len(names) != 6 {
		t.Fatalf("%v, %v", names, err)
	}
	var ix Index
	clips := map[string]Clip{}
	for _, name := range names {
		key := filepath.Base(name)
		clips[key] = read(t, rd, name)
		add(t, &ix, key, clips[key])
	}
	scene := func(key string) string { s, _, _ := strings.Cut(key, "-"); return s }
	pairs := 0
	for key, c := range clips {
		list, err := ix.Query(c, Digest{})
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, m := range list {
			found[m.Key] = m.Strength() == Linked
			if scene(m.Key) != scene(key) {
				t.Errorf("%s finds %s: %s", key, m.Key, m.Why())
			} else if m.Key != key {
				t.Logf("%s finds %s: %s", key, m.Key, m.Why())
			}
		}
		for other := range clips {
			if other < key && scene(other) == scene(key) {
				pairs++
				if !found[other] {
					t.Errorf("%s does not find %s", key, other)
				}
			}
		}
	}
	if pairs != 4 {
		t.Errorf("%d pairs of one scene", pairs)
	}
}

// A clip that ffmpeg changes is found, and clips that show other things are not. With
// REFRAIN_LONG=1 all changes of three sample videos are tried among many others; the
// command narrative/quality prints the same as a table.
func TestVariants(t *testing.T) {
	rd := reader(t)
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	ctx := context.Background()
	dir := t.TempDir()
	long := os.Getenv("REFRAIN_LONG") != ""
	var ix Index
	var sources []string
	for i, s := range videotest.Sources {
		n := uint64(1)
		if long {
			n = 4
		} else if i != 1 && i != 4 && i != 5 {
			continue
		}
		for seed := range n {
			path := filepath.Join(dir, fmt.Sprintf("source-%d-%d.mp4", i, seed))
			if err := s.Make(ctx, rd.FFmpeg, seed, path); err != nil {
				t.Fatal(err)
			}
			c, err := rd.ReadFile(ctx, path)
			r, err := ix.Add(ctx, filepath.Base(path), sum(path), c, err)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Matches) > 0 {
				t.Errorf("%s (%s) finds %s: %s", filepath.Base(path), s.Name, r.Matches[0].Key, r.Matches[0].Why())
			}
			if s.Name == "show of pictures: scene" && seed == 0 {
				sources = append(sources, path)
			}
		}
	}
	variants := videotest.Variants[:0:0]
	for i, v := range videotest.Variants {
		if long || i%6 == 2 {
			variants = append(variants, v)
		}
	}
	for _, from := range sources {
		for i, v := range variants {
			path := filepath.Join(dir, fmt.Sprintf("variant-%d.mp4", i))
			if err := v.Make(ctx, rd.FFmpeg, from, path); err != nil {
				t.Fatal(err)
			}
			list, err := ix.Query(read(t, rd, path), Digest{})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, m := range list {
				switch {
				case m.Key == filepath.Base(from):
					found = m.Strength() == Linked
				case m.Strength() == Linked:
					t.Errorf("%s finds %s: %s", v.Name, m.Key, m.Why())
				}
			}
			if !found {
				t.Errorf("%s is not found: %+v", v.Name, list)
			}
		}
	}
}

// What is no video, or only part of one, has a clear outcome.
func TestReadRefuses(t *testing.T) {
	rd := reader(t)
	dir := t.TempDir()
	ctx := context.Background()
	whole := filepath.Join(dir, "whole.mp4")
	if err := videotest.Sources[1].Make(ctx, rd.FFmpeg, 1, whole); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	playlist := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:8\n#EXTINF:8,\nfile:%s\n#EXT-X-ENDLIST\n", whole)
	for _, c := range []struct {
		name   string
		data   []byte
		limits Limits
		want   error
	}{
		{"half of it, its index at the end is lost", data[:len(data)/2], Limits{}, ErrNoFrames},
		{"text", []byte("<html>not found</html>"), Limits{}, ErrNoFrames},
		{"nothing", nil, Limits{}, ErrNoFrames},
		{"a playlist that names a file of this machine", []byte(playlist), Limits{}, ErrNoFrames},
		{"a list of files", []byte("ffconcat version 1.0\nfile " + whole + "\n"), Limits{}, ErrNoFrames},
		{"over MaxBytes", data, Limits{MaxBytes: int64(len(data)) - 1}, ErrTooLarge},
		{"a frame over MaxPixels", data, Limits{MaxPixels: 1000}, ErrNoFrames},
		{"no time", data, Limits{Timeout: time.Nanosecond}, ErrTimeout},
	} {
		rd.Limits = c.limits
		if got, err := rd.Read(ctx, bytes.NewReader(c.data)); !errors.Is(err, c.want) || len(got.Frames) > 0 || strings.Contains(err.Error(), os.TempDir()) {
			t.Errorf("%s: %d frames, %v; want %v", c.name, len(got.Frames), err, c.want)
		}
	}
	rd.Limits = Limits{MaxTime: 3 * time.Second}
	if c, err := rd.Read(ctx, bytes.NewReader(data)); err != nil || !c.Thinned || c.Seconds > 3.3 {
		t.Errorf("three seconds of it: %.1f s, thinned %v, %v", c.Seconds, c.Thinned, err)
	}
	rd.Limits = Limits{MaxFrames: 3}
	if c, err := rd.Read(ctx, bytes.NewReader(data)); err != nil || !c.Thinned || len(c.Frames) != 3 {
		t.Errorf("three frames of it: %d, thinned %v, %v", len(c.Frames), c.Thinned, err)
	}
	rd.Limits = Limits{}
	if c, err := rd.Read(ctx, bytes.NewReader(data)); err != nil || c.Thinned || c.Damage != "" || c.Seconds < 7.5 || c.Seconds > 8.5 || len(c.Frames) < 8 {
		t.Errorf("all of it: %.1f s, %d frames, thinned %v, damage %q, %v", c.Seconds, len(c.Frames), c.Thinned, c.Damage, err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := rd.ReadFile(stopped, whole); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := (Reader{}).ReadFile(ctx, whole); !errors.Is(err, ErrNoFFmpeg) {
		t.Errorf("without ffmpeg: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), "refrain-video-*"))
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) < time.Minute {
			t.Logf("%s is there", name) // of another process, or left behind
		}
	}
}

func FuzzTake(f *testing.F) {
	m := imagetest.Scene(1)
	frame := append([]byte(fmt.Sprintf("P5\n%d %d\n255\n", m.Rect.Dx(), m.Rect.Dy())), m.Pix...)
	f.Add(append(bytes.Clone(frame), frame...))
	f.Add([]byte("P5\n1 1\n255\n\x00P5\n2 1\n255\n"))
	f.Add([]byte("P5\n99999 1\n255\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c clip
		c.take(bytes.NewReader(data), Limits{MaxFrames: 4})
		if out := c.finish(); len(out.Frames) > 4 {
			t.Fatalf("%d frames", len(out.Frames))
		}
	})
}

func FuzzRecord(f *testing.F) {
	r := record{leader: 1, clip: show(1, 2), reason: "x"}
	r.clip.Trimmed = stdimage.Rect(1, 2, 3, 4)
	f.Add(r.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		if again, err := decodeRecord(r.encode()); err != nil || !bytes.Equal(again.encode(), r.encode()) {
			t.Fatalf("%+v does not come back: %v", r, err)
		}
	})
}
