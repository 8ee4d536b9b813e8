package image

import (
	"image"
	"slices"
)

const (
	// barTolerance is how far, in luma, a pixel of a bar may be from the bar's
	// level. JPEG at quality 75 disturbs flat areas near text by less.
	barTolerance = 16
	// barFlat is the share of such pixels in the outermost and innermost row of a
	// bar, and barText the least share in a row of a caption within it.
	barFlat = 0.98
	barText = 0.30
	// barMost is the largest part of a side that one bar may take.
	barMost = 0.45
	// trimLeast is the least part of each side that must remain; a side of which less
	// would is not cut.
	trimLeast = 0.25
)

// Content gives the part of g inside uniform borders and caption bars, and whether
// that is less than the whole. A bar is of one level of grey, dark, light or
// between; it may hold text, as long as flat rows lie outside and inside of it.
// A clear sky is cut like a bar: a view of the whole is therefore always kept too.
func (g Grey) Content() (image.Rectangle, bool) {
	r := image.Rect(0, 0, g.W, g.H)
	for range 2 { // a frame within a frame
		in := r
		in.Min.Y, in.Max.Y = r.Min.Y+g.bar(r, 0, 1), r.Max.Y-g.bar(r, 0, -1)
		if float64(in.Dy()) < trimLeast*float64(g.H) {
			in.Min.Y, in.Max.Y = r.Min.Y, r.Max.Y
		}
		left, right := g.bar(in, 1, 0), g.bar(in, -1, 0)
		if float64(in.Dx()-left-right) >= trimLeast*float64(g.W) {
			in.Min.X, in.Max.X = in.Min.X+left, in.Max.X-right
		}
		if in == r {
			break
		}
		r = in
	}
	return r, r.Dx() < g.W || r.Dy() < g.H
}

// bar gives the number of lines of the bar along one side of r: dy 1 looks from
// the top down, -1 from the bottom up, dx 1 and -1 from the left and the right.
func (g Grey) bar(r image.Rectangle, dx, dy int) int {
	length, across := r.Dy(), r.Dx()
	if dx != 0 {
		length, across = across, length
	}
	if length == 0 || across == 0 {
		return 0
	}
	line := make([]float32, across)
	read := func(i int) {
		for k := range line {
			x, y := r.Min.X+k, r.Min.Y+i
			switch {
			case dy < 0:
				y = r.Max.Y - 1 - i
			case dx > 0:
				x, y = r.Min.X+i, r.Min.Y+k
			case dx < 0:
				x, y = r.Max.X-1-i, r.Min.Y+k
			}
			line[k] = g.Pix[y*g.W+x]
		}
	}
	read(0)
	sorted := slices.Clone(line)
	slices.Sort(sorted)
	level := sorted[across/2]
	end := 0
	for i := range int(barMost * float64(length)) {
		read(i)
		n := 0
		for _, v := range line {
			if v > level-barTolerance && v < level+barTolerance {
				n++
			}
		}
		share := float64(n) / float64(across)
		if share >= barFlat {
			end = i + 1
		} else if i == 0 || share < barText {
			break
		}
	}
	if end > 0 && end < length {
		end++ // the line where bar and picture are mixed by scaling
	}
	return end
}

// Part copies the pixels of r.
func (g Grey) Part(r image.Rectangle) Grey {
	r = r.Intersect(image.Rect(0, 0, g.W, g.H))
	out := Grey{W: r.Dx(), H: r.Dy(), Pix: make([]float32, 0, r.Dx()*r.Dy())}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		out.Pix = append(out.Pix, g.Pix[y*g.W+r.Min.X:y*g.W+r.Max.X]...)
	}
	return out
}
