package image

import (
	"fmt"
	"image"
	"math"
)

// A View is one part of a picture and its hash.
type View struct {
	// Window names the part: "whole"; "trimmed", without borders and caption bars;
	// or a window of either: "80% top-left", "trimmed 90% centre". "Top", "left"
	// and so on alone keep the full other side; "centre-x" cuts left and right.
	Window string `json:"window"`
	// Area is the part in pixels of the reduced picture (Grey).
	Area    image.Rectangle `json:"area"`
	Hash    Hash            `json:"hash"`
	Quality int             `json:"quality"` // 0 to 100
}

// An anchor places a window: ax and ay are where it sits in what is cut off, 0
// to 1, or negative where that side is kept whole.
type anchor struct {
	name   string
	ax, ay float64
}

var anchors = []anchor{
	{"centre", .5, .5},
	{"top-left", 0, 0}, {"top-right", 1, 0}, {"bottom-left", 0, 1}, {"bottom-right", 1, 1},
	{"top", -1, 0}, {"bottom", -1, 1}, {"left", 0, -1}, {"right", 1, -1},
	{"centre-x", .5, -1}, {"centre-y", -1, .5},
}

// The windows of an indexed picture keep 90 % and 80 % of a side at each anchor,
// and 70 % in the centre; those of a query keep 95 %. A query that was cropped to
// c then meets the indexed window nearest to 0.95·c or c, at most 2.6 % away
// wherever c is between 0.78 and 1.
var (
	indexWindows = windows([]float64{.9, .8}, window{anchors[0], .7})
	queryWindows = windows([]float64{.95})
)

// windowSide is the longer side of the picture that windows are cut from: half of
// maxSide, which takes a quarter of the time and changes fewer bits than a crop does.
const windowSide = 256

type window struct {
	anchor
	keep float64
}

func windows(keep []float64, more ...window) (list []window) {
	for _, k := range keep {
		for _, a := range anchors {
			list = append(list, window{a, k})
		}
	}
	return append(list, more...)
}

func (w window) of(r image.Rectangle) image.Rectangle {
	cut := func(lo, hi int, at float64) (int, int) {
		if at < 0 {
			return lo, hi
		}
		side := float64(hi - lo)
		from := lo + int(math.Round((1-w.keep)*side*at))
		return from, from + max(1, int(math.Round(w.keep*side)))
	}
	r.Min.X, r.Max.X = cut(r.Min.X, r.Max.X, w.ax)
	r.Min.Y, r.Max.Y = cut(r.Min.Y, r.Max.Y, w.ay)
	return r
}

// IndexViews gives the views under which a picture is kept: the whole, the trimmed
// where that is less, and 23 windows of each. Views of a quality below MinQuality
// are left out, so a flat picture has none.
func (g Grey) IndexViews() []View { return g.views(indexWindows) }

// QueryViews gives the views with which a picture is looked for: the whole, the
// trimmed where that is less, and 11 windows of each, of quality MinQuality or more.
func (g Grey) QueryViews() []View { return g.views(queryWindows) }

func (g Grey) views(windows []window) (list []View) {
	if g.W <= 0 || g.H <= 0 {
		return nil
	}
	bases := []struct {
		name, prefix string
		r            image.Rectangle
	}{{"whole", "", image.Rect(0, 0, g.W, g.H)}}
	if r, less := g.content(); less {
		bases = append(bases, bases[0])
		bases[1].name, bases[1].prefix, bases[1].r = "trimmed", "trimmed ", r
	}
	for _, b := range bases {
		base := g.part(b.r)
		add := func(name string, r image.Rectangle, part Grey) {
			if h, q := part.PDQ(); q >= MinQuality {
				list = append(list, View{name, r, h, q})
			}
		}
		add(b.name, b.r, base)
		small := reduce(base.W, base.H, windowSide, func(row []float32, y int) { copy(row, base.Pix[y*base.W:]) })
		for _, w := range windows {
			part := small.part(w.of(image.Rect(0, 0, small.W, small.H)))
			add(fmt.Sprintf("%s%.0f%% %s", b.prefix, 100*w.keep, w.name), w.of(b.r), part)
		}
	}
	return list
}
