package video

import (
	stdimage "image"
	"slices"
	"time"

	"github.com/refrain-archive/refrain/narrative/image"
)

// A Clip is what is compared of a video.
type Clip struct {
	// Seconds is how long the part is that was looked at.
	Seconds       float64
	Width, Height int // of the frames as they were read, the longer side at most 512
	Frames        []Frame
	// Thinned: the video is longer, or holds more different frames, than what the
	// limits allow, and only its beginning is compared.
	Thinned bool
	// Damage is what ffmpeg said of a file that it could not read to its end; ""
	// of one that it could.
	Damage string
	// Trimmed is the part of each frame within bars that stand through the whole
	// video, of frames reduced to 256 pixels; empty: there are none.
	Trimmed stdimage.Rectangle
}

// A Frame is a picture that stands for a while, with its hashes.
type Frame struct {
	From, To time.Duration
	Quality  int
	Hash     image.Hash // without bars
	Mirror   image.Hash // of the frame mirrored left to right
	// Windows are hashes of parts of the frame, by code; nil of most frames. See
	// windows.
	Windows []Window
}

// A Window is a part of a frame.
type Window struct {
	Code   uint8 // 1 to len(windowNames)-1
	Hash   image.Hash
	Mirror image.Hash
}

const (
	// frameSide is the longer side at which frames are kept while a video is read.
	frameSide = 256
	// mergeDistance is how far a frame may be from the first of those that stand
	// for one: what compression and a slow camera change between two frames.
	mergeDistance = 16
	// windowFrames is how many frames of a clip have windows.
	windowFrames = 16
)

// A clip is a Clip that is being read.
type clip struct {
	w, h   int
	seen   int // frames that came
	frames []rawFrame
	insets [4][]int // of each frame, what its bars take from each side: left, top, right, bottom
}

type rawFrame struct {
	from, to int // numbers of frames
	w, h     int
	pix      []uint8
	hash     image.Hash
}

func (f *rawFrame) grey() image.Grey {
	g := image.Grey{W: f.w, H: f.h, Pix: make([]float32, len(f.pix))}
	for i, v := range f.pix {
		g.Pix[i] = float32(v)
	}
	return g
}

// add takes the next frame. It gives false when there is no room for it.
func (c *clip) add(w, h int, pix []byte, most int) bool {
	m := &stdimage.Gray{Pix: pix, Stride: w, Rect: stdimage.Rect(0, 0, w, h)}
	n := c.seen
	c.seen++
	c.w, c.h = max(c.w, w), max(c.h, h)
	span := 1
	if n >= denseFrames {
		if span = 2; n%2 == 1 {
			return true
		}
	}
	g := image.NewGrey(m).Reduced(frameSide)
	hash, quality := g.PDQ()
	if quality < image.MinQuality {
		return true // black, white or nearly so: it tells nothing
	}
	if k := len(c.frames) - 1; k >= 0 && c.frames[k].to >= n && c.frames[k].hash.Distance(hash) <= mergeDistance && c.frames[k].w == g.W && c.frames[k].h == g.H {
		c.frames[k].to = n + span
		return true
	}
	if len(c.frames) == most {
		c.seen--
		return false
	}
	f := rawFrame{from: n, to: n + span, w: g.W, h: g.H, hash: hash, pix: make([]uint8, len(g.Pix))}
	for i, v := range g.Pix {
		f.pix[i] = uint8(min(max(v+.5, 0), 255))
	}
	c.frames = append(c.frames, f)
	r, _ := g.Content()
	for side, n := range []int{r.Min.X, r.Min.Y, g.W - r.Max.X, g.H - r.Max.Y} {
		c.insets[side] = append(c.insets[side], n)
	}
	return true
}

// barFrames is the share of frames that may lack a bar which is cut off all the same:
// in a dark or a busy frame it cannot be told.
const barFrames = 0.3

// bars gives what lies within the bars of a frame of w×h.
func (c *clip) bars(w, h int) stdimage.Rectangle {
	whole := stdimage.Rect(0, 0, w, h)
	if len(c.frames) == 0 {
		return whole
	}
	var n [4]int
	for side, list := range c.insets {
		sorted := slices.Sorted(slices.Values(list))
		n[side] = sorted[int(barFrames*float64(len(sorted)-1))]
	}
	if r := stdimage.Rect(n[0], n[1], w-n[2], h-n[3]); r.Dx() > w/4 && r.Dy() > h/4 && r.In(whole) {
		return r
	}
	return whole
}

// finish hashes the frames within the bars that stand through the video.
func (c *clip) finish() Clip {
	out := Clip{Seconds: float64(c.seen) / framesPerSecond, Width: c.w, Height: c.h}
	at := func(n int) time.Duration { return time.Duration(n) * time.Second / framesPerSecond }
	step := max(1, (len(c.frames)+windowFrames-1)/windowFrames)
	for i := range c.frames {
		f := &c.frames[i]
		g := f.grey()
		whole := stdimage.Rect(0, 0, g.W, g.H)
		r := c.bars(g.W, g.H)
		if r != whole {
			out.Trimmed = r
		}
		base := g.Part(r)
		hashes, quality := base.PDQTurns()
		if quality < image.MinQuality {
			continue // the bars were all there was
		}
		frame := Frame{From: at(f.from), To: at(f.to), Quality: quality, Hash: hashes[0], Mirror: hashes[image.Mirrored]}
		if i%step == 0 {
			for code, w := range frameWindows {
				if code == 0 || code == codeWhole && r == whole {
					continue
				}
				part := base.Part(w.of(stdimage.Rect(0, 0, base.W, base.H)))
				if code == codeWhole {
					part = g
				}
				if h, q := part.PDQTurns(); q >= image.MinQuality {
					frame.Windows = append(frame.Windows, Window{uint8(code), h[0], h[image.Mirrored]})
				}
			}
		}
		out.Frames = append(out.Frames, frame)
	}
	return out
}

// A frameWindow is a part of a frame, in shares of its sides.
type frameWindow struct {
	name           string
	x0, y0, x1, y1 float64
}

func (w frameWindow) of(r stdimage.Rectangle) stdimage.Rectangle {
	x := func(v float64) int { return r.Min.X + int(v*float64(r.Dx())+.5) }
	y := func(v float64) int { return r.Min.Y + int(v*float64(r.Dy())+.5) }
	return stdimage.Rect(x(w.x0), y(w.y0), x(w.x1), y(w.y1))
}

const (
	codeTrimmed = 0 // the frame within its bars, which every frame has
	codeWhole   = 1 // with its bars, where it has some
)

// frameWindows are the parts of frames that are hashed, by code: crops around the
// middle and from one side, and the upright and the square middle of a wide frame.
// Their order is part of the format of clips.log.
var frameWindows = []frameWindow{
	{"", 0, 0, 1, 1},
	{"with its bars", 0, 0, 1, 1},
	{"90% centre", .05, .05, .95, .95},
	{"80% centre", .1, .1, .9, .9},
	{"85% top", 0, 0, 1, .85},
	{"85% bottom", 0, .15, 1, 1},
	{"85% left", 0, 0, .85, 1},
	{"85% right", .15, 0, 1, 1},
	{"75% centre-x", .125, 0, .875, 1},
	{"56% centre-x", .22, 0, .78, 1},
	{"95% centre", .025, .025, .975, .975},
}
