package image

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// scene draws a picture as photographs are: light that falls off over the frame,
// shapes of all sizes before each other, and noise whose amplitude is inverse to its
// frequency. One picture in three has a sky or a wall that is nearly flat.
func scene(seed uint64) Grey {
	r := rand.New(rand.NewPCG(seed, 7))
	sizes := [][2]int{{256, 160}, {160, 256}, {256, 192}, {256, 256}, {256, 144}}
	size := sizes[r.IntN(len(sizes))]
	g := Grey{W: size[0], H: size[1], Pix: make([]float32, size[0]*size[1])}
	gx, gy, base := r.Float64()*120-60, r.Float64()*120-60, 80+r.Float64()*90
	type wave struct{ kx, ky, phase, amplitude float64 }
	var waves []wave
	for range 12 {
		f := math.Exp(r.Float64() * 3.2)
		a := r.Float64() * 2 * math.Pi
		waves = append(waves, wave{f * math.Cos(a), f * math.Sin(a), r.Float64() * 7, 36 / f})
	}
	type shape struct{ x, y, a, b, cos, sin, level, box float64 }
	var shapes []shape
	for range 6 + r.IntN(25) {
		s := math.Exp(-r.Float64()*3) * .5
		t := r.Float64() * math.Pi
		shapes = append(shapes, shape{r.Float64(), r.Float64(), s, s * (.3 + r.Float64()), math.Cos(t), math.Sin(t), r.Float64()*200 - 100, float64(r.IntN(2))})
	}
	sky := 0.0
	if seed%3 == 0 {
		sky = .15 + .3*r.Float64()
	}
	for y := range g.H {
		for x := range g.W {
			u, v := float64(x)/float64(g.W), float64(y)/float64(g.H)
			p := base + gx*u + gy*v
			if v < sky {
				p = 200 + 20*v
			} else {
				for _, s := range shapes {
					dx, dy := u-s.x, v-s.y
					du, dv := (dx*s.cos+dy*s.sin)/s.a, (dy*s.cos-dx*s.sin)/s.b
					if s.box == 0 && du*du+dv*dv < 1 || s.box == 1 && math.Abs(du) < 1 && math.Abs(dv) < 1 {
						p = base + s.level + 20*du
					}
				}
				for _, w := range waves {
					p += w.amplitude * math.Sin(2*math.Pi*(w.kx*u+w.ky*v)+w.phase)
				}
			}
			g.Pix[y*g.W+x] = float32(min(max(p, 0), 255))
		}
	}
	return g
}

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
				return g.part(w.of(image.Rect(0, 0, g.W, g.H)))
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

// No picture is found by another: 160 drawn scenes, and beside them the photographs
// of the shared data where they are present, each asked for among all others. The
// edits of some are found: crops and captions from 5 % to 20 %.
func TestFindsEditsOnly(t *testing.T) {
	pictures := photographs(t)
	n := len(pictures)
	for seed := range uint64(160) {
		pictures = append(pictures, scene(seed))
	}
	var ix Index
	for i, g := range pictures {
		if views := ix.Add(strconv.Itoa(i), g); views == 0 {
			t.Fatalf("picture %d has no view", i)
		}
	}
	if ix.Len() != len(pictures) {
		t.Fatalf("%d pictures, want %d", ix.Len(), len(pictures))
	}
	for i, g := range pictures {
		got := ix.Search(g)
		if len(got) != 1 || got[0].ID != strconv.Itoa(i) || got[0].Distance != 0 || got[0].Indexed.Window != "whole" {
			t.Errorf("picture %d finds %v", i, got)
		}
	}
	t.Logf("%d photographs, %d scenes, %d ordered pairs of different pictures", n, len(pictures)-n, len(pictures)*(len(pictures)-1))
	for _, group := range []struct {
		name  string
		edits []edit
		least float64
	}{{"crops", crops(), leastCrops}, {"captions", captions(), leastCaptions}} {
		tried, found, wrong := 0, 0, 0
		for k, e := range group.edits {
			for i := k % 11; i < len(pictures); i += 47 {
				tried++
				before := found
				for _, m := range ix.Search(e.do(pictures[i])) {
					if m.ID == strconv.Itoa(i) {
						found++
					} else {
						wrong++
						t.Errorf("%s of picture %d finds %v", e.name, i, m)
					}
				}
				if found == before {
					t.Logf("missed: %s of picture %d", e.name, i)
				}
			}
		}
		t.Logf("%s: %d of %d found, %d wrong", group.name, found, tried, wrong)
		if float64(found) < group.least*float64(tried) {
			t.Errorf("%s: %d of %d found", group.name, found, tried)
		}
	}
}

// The least parts of the edits that must be found. Those that are
// missed are logged.
const leastCrops, leastCaptions = 0.93, 0.93

// A frame with a caption is cut off, to the line; a picture without one is whole,
// and so is one that is flat throughout.
func TestContent(t *testing.T) {
	g := scene(1)
	whole := image.Rect(0, 0, g.W, g.H)
	if r, less := g.content(); less || r != whole {
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
	r, less := framed.content()
	if !less || !r.In(want) || r.Dx() < want.Dx()-4 || r.Dy() < want.Dy()-4 {
		t.Errorf("trimmed to %v, want nearly %v", r, want)
	}
	flat := Grey{W: 80, H: 60, Pix: make([]float32, 80*60)}
	if r, less := flat.content(); less || r != image.Rect(0, 0, 80, 60) {
		t.Errorf("a flat picture is trimmed to %v", r)
	}
	var ix Index
	if n := ix.Add("flat", flat); n != 0 || ix.Len() != 0 || ix.Search(flat) != nil {
		t.Errorf("a flat picture has %d views", n)
	}
	for _, g := range []Grey{{}, {W: 1, H: 1, Pix: []float32{9}}, {W: 1, H: 512, Pix: make([]float32, 512)}} {
		if n := ix.Add("small", g); n != 0 {
			t.Errorf("%dx%d has %d views", g.W, g.H, n)
		}
	}
}
