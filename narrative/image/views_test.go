package image

import (
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/narrative/image/imagetest"
)

func scene(seed uint64) Grey { return NewGrey(imagetest.Scene(seed)) }

// photographs gives the distinct photographs of the shared data of quality 80 or
// more, or none where it is absent.
func photographs(t *testing.T) (list []Grey) {
	t.Run("photographs", func(t *testing.T) {
		dir := sharedtest.Path(t, "datasets/images")
		names, _ := filepath.Glob(filepath.Join(dir, "reg-test-input/labelme-subset/*.jpg"))
		names = append(names, filepath.Join(dir, "bridge-mods/aaa-orig.jpg"), filepath.Join(dir, "misc-images/c.png"), filepath.Join(dir, "misc-images/small.jpg"), filepath.Join(dir, "misc-images/wee.jpg"))
		for _, name := range names {
			if g := decodeFile(t, name).Grey; quality(g) >= 80 {
				list = append(list, g)
			}
		}
	})
	return list
}

func quality(g Grey) int { _, q := g.PDQ(); return q }

type edit struct {
	name string
	do   func(Grey) Grey
}

func crops() (list []edit) {
	for _, p := range []int{5, 7, 10, 13, 15, 20} {
		for _, a := range anchors {
			w := window{a, 1 - float64(p)/100}
			list = append(list, edit{fmt.Sprintf("crop %d%% %s", p, a.name), func(g Grey) Grey {
				return g.Part(w.of(image.Rect(0, 0, g.W, g.H)))
			}})
		}
	}
	return list
}

// caption puts a bar with two lines of text-like strokes over or beside g.
func caption(g Grey, part float64, level float32, top, over bool, seed uint64) Grey {
	r := rand.New(rand.NewPCG(seed, 3))
	n := int(math.Round(part * float64(g.H)))
	out := Grey{W: g.W, H: g.H, Pix: slices.Clone(g.Pix)}
	at := 0
	if !over {
		out.H += n
		bar := make([]float32, n*g.W)
		if top {
			out.Pix = append(bar, out.Pix...)
		} else {
			out.Pix = append(out.Pix, bar...)
		}
	}
	if !top {
		at = out.H - n
	}
	for y := range n {
		for x := range g.W {
			out.Pix[(at+y)*g.W+x] = level
		}
	}
	ink := 255 - level
	for _, line := range []float64{.15, .55} {
		y0, h := int(line*float64(n)), int(.3*float64(n))
		for x := g.W / 10; x < g.W*9/10; x += 3 + r.IntN(4) {
			from, to := r.IntN(h/2+1), h/2+r.IntN(h/2+1)
			for y := from; y < to; y++ {
				out.Pix[(at+y0+y)*g.W+x] = ink
				out.Pix[(at+y0+y)*g.W+x+1] = ink
			}
		}
	}
	return out
}

func captions() (list []edit) {
	for _, part := range []float64{.05, .1, .15, .2} {
		for _, level := range []float32{0, 255} {
			for k := range 4 {
				top, over := k&1 == 1, k&2 == 2
				list = append(list, edit{fmt.Sprintf("caption %.0f%% level %.0f top %v over %v", 100*part, level, top, over), func(g Grey) Grey {
					return caption(g, part, level, top, over, uint64(k))
				}})
			}
		}
	}
	return list
}

// put adds a picture under a key, with a digest made of it.
func put(t testing.TB, ix *Index, key string, g Grey) Result {
	t.Helper()
	r, err := ix.addPicture(context.Background(), Use{Key: key}, sha256.Sum256([]byte(key)), Picture{Grey: g, Format: "png", Width: g.W, Height: g.H}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func search(t testing.TB, ix *Index, g Grey) []Match {
	t.Helper()
	list, err := ix.Search(g)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// linked gives the keys that count as the same.
func linked(list []Match) (keys []string) {
	for _, m := range list {
		if m.Score >= LinkThreshold {
			keys = append(keys, m.Key)
		}
	}
	return keys
}

// No picture is linked to another: drawn pictures of all kinds, and beside them the
// photographs of the shared data where they are present, each asked for among all
// others. The edits of some are found: crops and captions from 5 % to 20 %, and
// turned and mirrored copies. With REFRAIN_LONG=1 there are ten times as many; the
// command narrative/quality has the tables.
func TestFindsEditsOnly(t *testing.T) {
	each, step := uint64(3), 10
	if os.Getenv("REFRAIN_LONG") != "" {
		each, step = 40, 23
	} else if testing.Short() {
		t.Skip("skipped: -short")
	}
	pictures := photographs(t)
	n := len(pictures)
	for _, k := range imagetest.Kinds {
		for seed := range each {
			pictures = append(pictures, NewGrey(k.Draw(seed)))
		}
	}
	var ix Index
	for i, g := range pictures {
		if r := put(t, &ix, strconv.Itoa(i), g); r.Outcome != New || len(linked(r.Matches)) != 0 {
			t.Fatalf("picture %d is %s and matches %v", i, r.Outcome, r.Matches)
		}
	}
	for i := 0; i < len(pictures); i += 4 {
		got := search(t, &ix, pictures[i])
		if len(got) == 0 || got[0].Key != strconv.Itoa(i) || got[0].Score < .95 || len(linked(got)) != 1 || got[0].Indexed.Window != "whole" {
			t.Errorf("picture %d finds %v", i, got)
		}
	}
	t.Logf("%d photographs, %d drawn pictures, %d pairs of different pictures", n, len(pictures)-n, len(pictures)*(len(pictures)-1)/2)
	for _, group := range []struct {
		name  string
		edits []edit
		least float64
	}{{"crops", crops(), leastCrops}, {"captions", captions(), leastCaptions}, {"turns", turnings(), 1}} {
		tried, found := 0, 0
		for k, e := range group.edits {
			for i := k % step; i < len(pictures); i += 3 * step {
				tried++
				keys := linked(search(t, &ix, e.do(pictures[i])))
				if len(keys) > 0 && slices.Contains(keys, strconv.Itoa(i)) {
					found++
				} else {
					t.Logf("missed: %s of picture %d", e.name, i)
				}
				if len(keys) > 1 || len(keys) == 1 && keys[0] != strconv.Itoa(i) {
					t.Errorf("%s of picture %d finds %v", e.name, i, keys)
				}
			}
		}
		t.Logf("%s: %d of %d found", group.name, found, tried)
		if float64(found) < group.least*float64(tried) {
			t.Errorf("%s: %d of %d found", group.name, found, tried)
		}
	}
}

// The least parts of the edits that must be found. Those that are
// missed are logged.
const leastCrops, leastCaptions = 0.90, 0.90

func turnings() (list []edit) {
	for turn := range Turn(Turns) {
		list = append(list, edit{turn.String(), func(g Grey) Grey { return g.turned(turn) }})
	}
	return append(list, edit{"mirrored and cropped", func(g Grey) Grey {
		return g.turned(Mirrored).Part(window{anchors[1], .88}.of(image.Rect(0, 0, g.W, g.H)))
	}})
}

// Hashes of turned coefficients are those of the turned picture, but for the pixel
// by which a filter of even width is off centre, which shifts the turned picture.
func TestTurns(t *testing.T) {
	g := scene(4)
	c, _ := g.transform()
	for turn := range Turn(Turns) {
		b := c.turned(turn)
		h, _ := g.turned(turn).PDQ()
		if d := h.Distance(b.hash()); d > 48 {
			t.Errorf("%q: %d bits apart", turn, d)
		}
		p := part{.1, .2, .5, .9}
		r := image.Rect(int(p.x0*float64(g.W)), int(p.y0*float64(g.H)), int(p.x1*float64(g.W)), int(p.y1*float64(g.H)))
		mean := func(g Grey, r image.Rectangle) float64 {
			var sum float64
			for _, v := range g.Part(r).Pix {
				sum += float64(v)
			}
			return sum / float64(r.Dx()*r.Dy())
		}
		u, q := g.turned(turn), partOf(r, g).turned(turn)
		in := image.Rect(int(math.Round(q.x0*float64(u.W))), int(math.Round(q.y0*float64(u.H))), int(math.Round(q.x1*float64(u.W))), int(math.Round(q.y1*float64(u.H))))
		if a, b := mean(g, r), mean(u, in); math.Abs(a-b) > .01 {
			t.Errorf("%q: the part has mean %.2f, turned %.2f", turn, a, b)
		}
	}
}

// A frame with a caption is cut off, to the line; a picture without one is whole,
// and so is one that is flat throughout.
func TestContent(t *testing.T) {
	g := scene(1)
	whole := image.Rect(0, 0, g.W, g.H)
	if r, less := g.Content(); less || r != whole {
		t.Errorf("a scene is trimmed to %v", r)
	}
	framed := Grey{W: g.W + 20, H: g.H + 60}
	framed.Pix = make([]float32, framed.W*framed.H)
	for y := range g.H {
		copy(framed.Pix[(y+50)*framed.W+10:], g.Pix[y*g.W:(y+1)*g.W])
	}
	for x := 30; x < framed.W-30; x += 2 { // strokes between flat lines
		for y := 15; y < 30; y++ {
			framed.Pix[y*framed.W+x] = 255
		}
	}
	want := image.Rect(10, 50, 10+g.W, 50+g.H)
	r, less := framed.Content()
	if !less || !r.In(want) || r.Dx() < want.Dx()-4 || r.Dy() < want.Dy()-4 {
		t.Errorf("trimmed to %v, want nearly %v", r, want)
	}
	flat := Grey{W: 80, H: 60, Pix: make([]float32, 80*60)}
	if r, less := flat.Content(); less || r != image.Rect(0, 0, 80, 60) {
		t.Errorf("a flat picture is trimmed to %v", r)
	}
	var ix Index
	if r := put(t, &ix, "flat", flat); r.Outcome != Flat || len(search(t, &ix, flat)) > 0 {
		t.Errorf("a flat picture is %s", r.Outcome)
	}
	for i, g := range []Grey{{}, {W: 1, H: 1, Pix: []float32{9}}, {W: 1, H: 512, Pix: make([]float32, 512)}} {
		if r := put(t, &ix, fmt.Sprint("small", i), g); r.Outcome != Flat {
			t.Errorf("%dx%d is %s", g.W, g.H, r.Outcome)
		}
	}
}
