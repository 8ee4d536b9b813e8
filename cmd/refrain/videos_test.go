package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/narrative/video"
)

// Clips that were captured are found by a file that shows the same. A second run
// keeps pictures and clips as references into the first; what is made of them is
// the same also where the second run is all that is asked.
func TestVideos(t *testing.T) {
	t.Parallel()
	if _, err := video.Find(); errors.Is(err, video.ErrNoFFmpeg) {
		t.Skip("ffmpeg is not installed: clips are not tested")
	}
	world := demoweb.NewWorld(1, demoweb.Size{Ordinary: 2, Operation: 3, Posts: 6})
	s := serve(t, world)
	d := newDesk(t, s, "")
	args := []string{"collect", "--media"}
	for _, p := range world.Posts {
		if p.Clip != "" && p.Account.Platform == demoweb.Tumblr && p.Account.State == "" && len(args) < 4 && !slices.Contains(args, p.Account.URL()) {
			args = append(args, p.Account.URL())
		}
	}
	if len(args) < 3 {
		t.Fatal("no account of this world has a clip")
	}
	d.must(t, exitDone, args...)
	first := d.open(t)
	old := map[string]bool{}
	for segment, err := range first.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		old[string(segment.Name)+".warc.gz"] = true
	}
	d.must(t, exitDone, "index")
	if err := os.RemoveAll(d.state); err != nil { // what is derived may go; the second run asks for all again
		t.Fatal(err)
	}
	d.must(t, exitDone, args...)
	a := &app{streams: streams{err: os.Stderr}, globals: globals{Config: d.config, Quiet: true}}
	r, err := a.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	store := files{r.corpus, d.open(t)}
	list, err := store.AssetsSince(t.Context(), 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	again, name := 0, ""
	for _, l := range list {
		if old[l.Capture.File] {
			continue
		}
		rec, err := store.archive.ReadRecord(t.Context(), l.Capture)
		if err != nil {
			t.Fatal(err)
		}
		original, ok := rec.Original()
		_ = rec.Close()
		if !ok || !old[original.File] {
			continue
		}
		data, err := store.Bytes(t.Context(), l)
		if err != nil || len(data) == 0 {
			t.Fatalf("the second capture of %s: %d bytes, %v", l.URL, len(data), err)
		}
		again++
		if strings.HasPrefix(l.Type, "video/") && name == "" {
			name = filepath.Join(t.TempDir(), "clip.mp4")
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if again == 0 || name == "" {
		t.Fatalf("of %d files %d lie in an earlier run, a clip among them: %v", len(list), again, name != "")
	}
	out, _ := d.must(t, exitDone, "--json", "similar", "--video", name)
	if !strings.Contains(out, `"posts":[{`) {
		t.Errorf("the clip is not found again: %q", out)
	}
	if code, _, errs := d.run(t, "similar", "--video", d.config); code != exitFailed || !strings.Contains(errs, "frame") {
		t.Errorf("a file that is no clip: %d, %s", code, errs)
	}
}
