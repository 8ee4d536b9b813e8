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
	{"top-centre", .5, 0}, {"bottom-centre", .5, 1}, {"left-centre", 0, .5}, {"right-centre", 1, .5},
}

// The windows of an indexed picture keep 90 % and 80 % of a side at each anchor,
// and 70 % in the centre; those of a query keep 95 %, or are strips. A query that was cropped to
// c then meets the indexed window nearest to 0.95·c or c, at most 2.6 % away
// wherever c is between 0.78 and 1. Their order is part of the format of pictures.log.
var (
	indexWindows = windows([]float64{.9, .8}, window{anchors[0], .7})
	queryWindows = windows([]float64{.95}, strips(.91, .87, .83, .79)...)
)

// strips are what is left when a caption at the bottom or the top is cut off. Where
// one ends cannot be seen when its text fills it, so that several heights are tried;
// whatever they are, the next is at most 2 % away.
func strips(keep ...float64) (list []window) {
	for _, k := range keep {
		list = append(list, window{anchor{"top", -1, 0}, k}, window{anchor{"bottom", -1, 1}, k})
	}
	return list
}

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

// A packed view is what an index keeps of a View beside its hash. The code is
// codeBase times the base, plus 0 for all of it and k+1 for window k.
type packed struct {
	code, quality uint8
}

const codeBase = 64

// The bases are what windows are cut from, by number.
type bases [2]image.Rectangle

const (
	baseWhole = iota
	baseTrimmed
)

var baseNames = [...]string{"whole", "trimmed"}

// bases gives the whole and the trimmed, empty where that is the same.
func (g Grey) bases() (b bases) {
	b[baseWhole] = image.Rect(0, 0, g.W, g.H)
	if r, less := g.Content(); less {
		b[baseTrimmed] = r
	}
	return b
}

// IndexViews gives the views under which a picture is kept: the whole, the trimmed
// where that is less, and 31 windows of each. Views of a quality below MinQuality
// are left out, so a flat picture has none.
func (g Grey) IndexViews() []View { return g.named(g.bases(), indexWindows) }

// QueryViews gives the views with which a picture is looked for: the whole, the
// trimmed where that is less, and 23 windows of each, of quality MinQuality or more.
func (g Grey) QueryViews() []View { return g.named(g.bases(), queryWindows) }

func (g Grey) named(b bases, windows []window) (list []View) {
	g.views(b, windows, func(p packed, c *coefficients) {
		list = append(list, p.view(b, windows, c.hash()))
	})
	return list
}

// views calls yield for each view of sufficient quality.
func (g Grey) views(b bases, windows []window, yield func(packed, *coefficients)) {
	if g.W <= 0 || g.H <= 0 {
		return
	}
	for i, r := range b {
		if r.Empty() {
			continue
		}
		base := g.Part(r)
		add := func(code int, part Grey) {
			if c, q := part.transform(); q >= MinQuality {
				yield(packed{uint8(code + i*codeBase), uint8(q)}, &c)
			}
		}
		add(0, base)
		small := base.Reduced(windowSide)
		for k, w := range windows {
			add(k+1, small.Part(w.of(image.Rect(0, 0, small.W, small.H))))
		}
	}
}

// view describes a packed view of a picture with these bases.
func (p packed) view(b bases, windows []window, hash Hash) View {
	base, code := int(p.code/codeBase), int(p.code%codeBase)
	v := View{Hash: hash, Quality: int(p.quality), Area: b[base], Window: baseNames[base]}
	if code > 0 && code <= len(windows) {
		w := windows[code-1]
		v.Area = w.of(v.Area)
		prefix := ""
		if base != baseWhole {
			prefix = baseNames[base] + " "
		}
		v.Window = fmt.Sprintf("%s%.0f%% %s", prefix, 100*w.keep, w.name)
	}
	return v
}
