package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	stdimage "image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/post"
)

// album is captured files in memory.
type album struct {
	list  []Asset
	bytes map[string][]byte
}

func (a album) AssetsSince(_ context.Context, after int64, limit int) ([]Asset, error) {
	return a.list[after:min(int64(len(a.list)), after+int64(limit))], nil
}

func (a album) Bytes(_ context.Context, f Asset) ([]byte, error) {
	if b := a.bytes[f.SHA256]; b != nil {
		return b, nil
	}
	return nil, errors.New("no such file")
}

func (a *album) add(url, kind string, data []byte) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	if a.bytes == nil {
		a.bytes = map[string][]byte{}
	}
	a.bytes[name] = data
	a.list = append(a.list, Asset{ID: int64(len(a.list) + 1), URL: url, SHA256: name, Type: kind, Capture: post.Capture{RecordID: "urn:uuid:" + name[:8]}})
}

// scene draws a picture of blocks that no other seed gives.
func scene(t *testing.T, seed uint64, quality int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	img := stdimage.NewRGBA(stdimage.Rect(0, 0, 320, 240))
	for range 60 {
		x, y, w, h, c := r.IntN(300), r.IntN(220), 10+r.IntN(120), 10+r.IntN(90), color.RGBA{uint8(r.IntN(256)), uint8(r.IntN(256)), uint8(r.IntN(256)), 255}
		for i := x; i < min(x+w, 320); i++ {
			for j := y; j < min(y+h, 240); j++ {
				img.Set(i, j, c)
			}
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPictures(t *testing.T) {
	var l list
	with := func(url string) func(*post.Post) {
		return func(p *post.Post) { p.Media = []post.Media{{Kind: post.MediaImage, URL: url}} }
	}
	l.add("x:1", "ana", "look at this", with("https://a.example/1.jpg?sig=1"))
	l.add("tumblr:2", "bea", "shame on them", with("https://b.example/2.jpg"))
	l.add("x:3", "cay", "", with("https://c.example/3.jpg"))
	l.add("x:4", "dov", "what a fine winter we have had in Lindholm this year, and what a sea", with("https://d.example/4.jpg"))
	l.add("x:5", "eva", "another thing", with("https://e.example/5.jpg"))
	l.add("x:6", "fay", "yet another one", with("https://f.example/6.jpg"))
	var files album
	files.add("https://a.example/1.jpg?sig=9", "image/jpeg", scene(t, 1, 90))
	files.add("https://b.example/2.jpg", "image/jpeg", scene(t, 1, 60))
	files.add("https://c.example/3.jpg", "image/jpeg", scene(t, 1, 90))
	files.add("https://d.example/4.jpg", "image/jpeg", scene(t, 1, 75))
	files.add("https://e.example/5.jpg", "image/jpeg", scene(t, 2, 90))
	files.add("https://f.example/6.jpg", "image/jpeg", scene(t, 2, 90)[:900]) // cut off
	files.add("https://f.example/6.mp4", "video/mp4", []byte("film"))

	dir := t.TempDir()
	index(t, dir, l)
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Pictures(t.Context(), files, nil)
	if err != nil || s.Files != 7 || s.Pictures != 5 || s.Linked != 2 || s.Unreadable != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := e.Pictures(t.Context(), files, nil); err != nil || s.Files != 0 {
		t.Errorf("taken again: %+v, %v", s, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	b := book(t, dir, l)
	in := func(key string) string { return strings.Join(b.NarrativesOf(key), " ") }
	first := in("x:1")
	for key, together := range map[string]bool{"tumblr:2": true, "x:3": true, "x:4": false, "x:5": false, "x:6": false} {
		if (in(key) == first) != together {
			t.Errorf("%s in the narrative of x:1: %v, want %v", key, !together, together)
		}
	}
	g, _ := b.Find("x:1")
	members, err := b.Members(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if m.Post == "tumblr:2" && (m.Role != "attached" || m.Through != "x:1" || m.Why != "both show the same picture") {
			t.Errorf("%+v", m)
		}
	}
	links, err := b.Of(t.Context(), "x:4", Filter{Kind: Picture})
	if err != nil || len(links) != 3 || links[0].Strength != narrative.Linked {
		t.Errorf("%+v, %v", links, err)
	}
	if links, _ := b.Of(t.Context(), "x:1", Filter{Kind: Picture}); len(links) != 3 || !strings.Contains(links[1].Why, "byte for byte") || links[1].B != "x:3" {
		t.Errorf("%+v", links)
	}
	shares, _, err := b.Shares(t.Context(), Picture, false)
	if err != nil || len(shares) != 6 {
		t.Errorf("%d shares, %v", len(shares), err)
	}
	// An analyst takes it apart.
	apart := book(t, dir, l, Act{Type: "act", URL: ActURL, Act: "undo_merge", Narrative: first, Other: idOf("tumblr:2", 0)[:idLength]})
	if n := apart.NarrativesOf("tumblr:2")[0]; n == first {
		t.Error("the act changed nothing")
	}
}
