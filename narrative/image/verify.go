package image

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
)

// A perceptual hash tells how light and dark lie in a picture, roughly. Pictures
// that are laid out alike (two screenshots of posts, two bar charts) come near
// each other in some view, so what the hashes find is compared once more, in the
// detail of a small copy that is kept of each picture.
const (
	// detailSide is the longer side of that copy, in pixels.
	detailSide = 128
	// detailQuality is that of its JPEG: 2 to 6 kB.
	detailQuality = 85
	// blockSide is the side of the squares that are compared one by one.
	blockSide = 8
	// compareLeast is the longer side, in pixels, at which parts are compared.
	compareLeast = 80
	// blockPlain is the standard deviation, in luma and without what whole rows
	// and columns share, under which a square shows nothing that could be told.
	blockPlain = 3
	// blockAgrees is the correlation from which two squares show the same.
	blockAgrees = 0.6
)

// detail is the small copy of g.
func (g Grey) detail() Grey { return g.Reduced(detailSide) }

// Reduced is g with its longer side at most side pixels.
func (g Grey) Reduced(side int) Grey {
	if max(g.W, g.H) <= side {
		return g
	}
	return reduce(g.W, g.H, side, func(row []float32, y int) { copy(row, g.Pix[y*g.W:(y+1)*g.W]) })
}

func (g Grey) jpeg() ([]byte, error) {
	m := image.NewGray(image.Rect(0, 0, g.W, g.H))
	for i, v := range g.Pix {
		m.Pix[i] = uint8(min(max(v+.5, 0), 255))
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: detailQuality})
	return b.Bytes(), err
}

func readDetail(data []byte) (Grey, error) {
	p, err := decode(data, 4*detailSide*detailSide)
	if err != nil {
		return Grey{}, fmt.Errorf("the small copy of a picture: %w", err)
	}
	return p.Grey, nil
}

// A part is a rectangle within a picture, in shares of its sides.
type part struct{ x0, y0, x1, y1 float64 }

func partOf(r image.Rectangle, g Grey) part {
	w, h := float64(g.W), float64(g.H)
	return part{float64(r.Min.X) / w, float64(r.Min.Y) / h, float64(r.Max.X) / w, float64(r.Max.Y) / h}
}

// An agreement is how far two pictures show the same where they overlap.
type agreement struct {
	told  int     // squares in which either shows something
	share float64 // of them, those in which both show the same
	query part    // of the query that lies over the whole of the indexed view
}

// A comparer compares one query with several indexed pictures.
type comparer struct {
	query   Grey
	reduced map[int]Grey // by longer side
}

func (c *comparer) at(side int) Grey {
	side = min(max(side, 8), max(c.query.W, c.query.H))
	g, ok := c.reduced[side]
	if !ok {
		if c.reduced == nil {
			c.reduced = map[int]Grey{}
		}
		g = c.query.Reduced(side)
		c.reduced[side] = g
	}
	return g
}

// compare lays the part qa of the query over the part da of the small copy d,
// moves and stretches it by a few percent until both fit best, and compares square
// by square.
func (c *comparer) compare(qa part, d Grey, da part) agreement {
	w, h := (da.x1-da.x0)*float64(d.W), (da.y1-da.y0)*float64(d.H)
	if long := max(w, h); long > 0 && long < compareLeast { // a tiny picture is drawn larger
		w, h = w*compareLeast/long, h*compareLeast/long
	}
	if w < 2*blockSide || h < 2*blockSide {
		return agreement{query: qa}
	}
	// Position and size of the query's part, in shares of it.
	var at [4]float64
	place := func(at [4]float64) part {
		pw, ph := qa.x1-qa.x0, qa.y1-qa.y0
		cx, cy := (qa.x0+qa.x1)/2+at[0]*pw, (qa.y0+qa.y1)/2+at[1]*ph
		pw, ph = pw*(1+at[2]), ph*(1+at[3])
		return part{cx - pw/2, cy - ph/2, cx + pw/2, cy + ph/2}
	}
	var a, b []float32
	var gw, gh int
	for _, level := range []struct {
		scale float64
		steps []float64 // in pixels of the level
	}{{4, []float64{1, .5, .25}}, {2, []float64{.6, .3}}, {1, []float64{.5, .25}}} {
		gw, gh = int(math.Round(w/level.scale)), int(math.Round(h/level.scale))
		if gw < blockSide || gh < blockSide {
			continue
		}
		ds := d
		if level.scale > 1 {
			ds = d.Reduced(int(float64(max(d.W, d.H)) / level.scale))
		}
		q := c.at(int(math.Round(max(float64(gw)/(qa.x1-qa.x0), float64(gh)/(qa.y1-qa.y0)))))
		a = ds.sample(a, da, gw, gh)
		normalise(a)
		try := func(at [4]float64) float64 {
			b = q.sample(b, place(at), gw, gh)
			normalise(b)
			var sum float32
			for i, v := range a {
				sum += v * b[i]
			}
			return float64(sum)
		}
		best := try(at)
		for _, step := range level.steps {
			for range 2 {
				moved := false
				for k := range at {
					size := float64(gw)
					if k%2 == 1 {
						size = float64(gh)
					}
					for _, sign := range []float64{1, -1} {
						next := at
						next[k] += sign * step / size * float64(1+k/2)
						if v := try(next); v > best {
							best, at, moved = v, next, true
						}
					}
				}
				if !moved {
					break
				}
			}
		}
		if level.scale == 1 {
			b = q.sample(b, place(at), gw, gh)
			a = ds.sample(a, da, gw, gh)
		}
	}
	out := agreement{query: place(at)}
	agree := 0
	for y := 0; y+blockSide <= gh; y += blockSide {
		for x := 0; x+blockSide <= gw; x += blockSide {
			told, same := block(a[y*gw+x:], b[y*gw+x:], gw)
			if told {
				out.told++
				if same {
					agree++
				}
			}
		}
	}
	if out.told > 0 {
		out.share = float64(agree) / float64(out.told)
	}
	return out
}

// sample reads w×h values out of the part p, with linear interpolation; beyond
// the edge the edge is repeated.
func (g Grey) sample(out []float32, p part, w, h int) []float32 {
	out = out[:0]
	type column struct {
		at   int
		next int
		f    float32
	}
	along := func(lo, hi float64, n, size int) []column {
		list := make([]column, n)
		for i := range list {
			v := (lo+(hi-lo)*(float64(i)+.5)/float64(n))*float64(size) - .5
			v = min(max(v, 0), float64(size-1))
			k := int(v)
			list[i] = column{k, min(k+1, size-1), float32(v - float64(k))}
		}
		return list
	}
	xs, ys := along(p.x0, p.x1, w, g.W), along(p.y0, p.y1, h, g.H)
	for _, y := range ys {
		r0, r1 := g.Pix[y.at*g.W:(y.at+1)*g.W], g.Pix[y.next*g.W:(y.next+1)*g.W]
		for _, x := range xs {
			u := r0[x.at] + (r0[x.next]-r0[x.at])*x.f
			v := r1[x.at] + (r1[x.next]-r1[x.at])*x.f
			out = append(out, u+(v-u)*y.f)
		}
	}
	return out
}

// normalise brings v to mean 0 and length 1.
func normalise(v []float32) {
	var sum, squares float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := float32(sum / float64(len(v)))
	for i := range v {
		v[i] -= mean
		squares += float64(v[i]) * float64(v[i])
	}
	if squares > 0 {
		f := float32(1 / math.Sqrt(squares))
		for i := range v {
			v[i] *= f
		}
	}
}

// block compares two squares whose rows are stride apart. What whole rows and
// columns share is taken away first: lines of text stand at the same heights in
// different pages, and their words do not.
func block(a, b []float32, stride int) (told, same bool) {
	var x, y [blockSide * blockSide]float32
	for i := range blockSide {
		copy(x[i*blockSide:], a[i*stride:i*stride+blockSide])
		copy(y[i*blockSide:], b[i*stride:i*stride+blockSide])
	}
	centre(&x)
	centre(&y)
	var xx, yy, xy float64
	for i, v := range x {
		xx += float64(v) * float64(v)
		yy += float64(y[i]) * float64(y[i])
		xy += float64(v) * float64(y[i])
	}
	const least = blockPlain * blockPlain * blockSide * blockSide
	if xx < least && yy < least {
		return false, false
	}
	return true, xy > 0 && xy >= blockAgrees*math.Sqrt(xx*yy)
}

// centre takes the means of rows and columns away.
func centre(x *[blockSide * blockSide]float32) {
	var rows, columns [blockSide]float32
	var all float32
	for i, v := range x {
		rows[i/blockSide] += v / blockSide
		columns[i%blockSide] += v / blockSide
		all += v / (blockSide * blockSide)
	}
	for i := range x {
		x[i] -= rows[i/blockSide] + columns[i%blockSide] - all
	}
}
