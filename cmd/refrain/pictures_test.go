package main

import (
	"bytes"
	"encoding/json"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "golang.org/x/image/webp"

	"github.com/refrain-archive/refrain/demoweb"
)

// Pictures that were captured are found by a file that shows the same, and link
// the posts that show them, also when everything is made anew.
func TestPictures(t *testing.T) {
	t.Parallel()
	world := demoweb.NewWorld(1, demoweb.Size{Ordinary: 1, Operation: 1, Posts: 3})
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	d.must(t, exitDone, "index")
	a := &app{streams: streams{err: os.Stderr}, globals: globals{Config: d.config, Quiet: true}}
	r, err := a.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	lines, err := files{r.corpus, d.open(t)}.AssetsSince(t.Context(), 0, 1000)
	if err != nil || len(lines) == 0 {
		t.Fatalf("%d files, %v", len(lines), err)
	}
	found, named := 0, 0
	for i, l := range lines {
		if !strings.HasPrefix(l.Type, "image/") || found >= 5 {
			continue
		}
		data, err := files{r.corpus, d.open(t)}.Bytes(t.Context(), l)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			continue // the made-up web serves broken ones too
		}
		var again bytes.Buffer
		if err := jpeg.Encode(&again, img, &jpeg.Options{Quality: 60}); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "copy.jpg")
		if err := os.WriteFile(name, again.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := d.must(t, exitDone, "--json", "similar", "--image", name, "-n", "0")
		if out == "" {
			t.Logf("picture %d (%s, %d bytes) is not found again", i, l.URL, len(data))
			continue
		}
		found++
		for line := range strings.Lines(out) {
			var p similarPicture
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				t.Fatal(err)
			}
			for _, q := range p.Posts {
				named++
				if q.Record == "" || q.Post == "" {
					t.Errorf("%+v", q)
				}
			}
		}
	}
	if found == 0 || named == 0 {
		t.Fatalf("%d of %d pictures were found again, in %d posts", found, len(lines), named)
	}
	before, _ := d.must(t, exitDone, "--json", "narratives", "-n", "0", "--min-posts", "1")
	links, _ := d.must(t, exitDone, "--json", "coordination", "--object", "picture", "--p", "1", "--min-shared", "1", "--min-posts", "1", "--window", "8760h")
	d.must(t, exitDone, "rebuild")
	if after, _ := d.must(t, exitDone, "--json", "narratives", "-n", "0", "--min-posts", "1"); after != before {
		t.Error("made anew, the narratives are others")
	}
	if after, _ := d.must(t, exitDone, "--json", "coordination", "--object", "picture", "--p", "1", "--min-shared", "1", "--min-posts", "1", "--window", "8760h"); after != links {
		t.Error("made anew, the pictures tie others together")
	}
	t.Logf("%d pictures found again in %d posts; %d pairs of accounts share a picture", found, named, strings.Count(links, "\n"))
	if code, _, errs := d.run(t, "similar", "--image", d.config); code != exitFailed || !strings.Contains(errs, "picture") {
		t.Errorf("a file that is no picture: %d, %s", code, errs)
	}
}
