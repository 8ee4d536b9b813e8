package image

import (
	"image"
	"image/color"
)

// maxSide is the longer side, in pixels, of the grey picture that is hashed.
// PDQ samples 64×64 points, and its specification advises to reduce first.
const maxSide = 512

// A Grey is a picture of luma values, 0 to 255, row by row, without padding.
type Grey struct {
	W, H int
	Pix  []float32 // W·H values
}

// NewGrey reduces img to luma with its longer side at most 512 pixels, each
// pixel the mean of the area it covers. Smaller pictures keep their size.
// Transparency is dropped and the colour beneath it taken, as the reference does.
// It holds one row of img and the result, whatever the size of img.
func NewGrey(img image.Image) Grey {
	r := img.Bounds()
	read := lumaReader(img)
	return reduce(r.Dx(), r.Dy(), maxSide, func(row []float32, y int) { read(row, r.Min.Y+y) })
}

// reduce gives the picture of w×h that read gives row by row, with its longer
// side at most side.
func reduce(w, h, side int, read func(row []float32, y int)) Grey {
	if w <= 0 || h <= 0 {
		return Grey{}
	}
	tw, th := w, h
	if long := max(w, h); long > side {
		tw, th = max(1, (w*side+long/2)/long), max(1, (h*side+long/2)/long)
	}
	g := Grey{W: tw, H: th, Pix: make([]float32, tw*th)}
	row := make([]float32, w)
	narrow := row
	if tw != w {
		narrow = make([]float32, tw)
	}
	var across []share
	if tw != w {
		for x := range w {
			across = overlap(across, x, w, tw)
		}
	}
	var down []share
	for y := range h {
		read(row, y)
		if tw != w {
			clear(narrow)
			for _, s := range across {
				narrow[s.to] += s.part * row[s.from]
			}
		}
		down = overlap(down[:0], y, h, th)
		for _, s := range down {
			out := g.Pix[s.to*tw : (s.to+1)*tw]
			for x, v := range narrow {
				out[x] += s.part * v
			}
		}
	}
	return g
}

// A share is the part of a target cell that a source cell covers.
type share struct {
	from, to int
	part     float32
}

// overlap appends the shares of cell i where n source cells lie along m target
// cells, m ≤ n. The shares of a target add up to 1.
func overlap(list []share, i, n, m int) []share {
	lo, hi := i*m, (i+1)*m // in units of which a target cell holds n
	for to := lo / n; to*n < hi; to++ {
		part := min(hi, (to+1)*n) - max(lo, to*n)
		list = append(list, share{i, to, float32(part) / float32(n)})
	}
	return list
}

func luma(r, g, b uint8) float32 {
	return 0.299*float32(r) + 0.587*float32(g) + 0.114*float32(b)
}

// lumaReader gives a function that fills a row of luma. The common kinds of
// picture are read from their memory; the others through At.
func lumaReader(img image.Image) func(row []float32, y int) {
	x0 := img.Bounds().Min.X
	switch m := img.(type) {
	case *image.YCbCr: // JPEG's Y is this luma
		return func(row []float32, y int) {
			o := m.YOffset(x0, y)
			for x, v := range m.Y[o : o+len(row)] {
				row[x] = float32(v)
			}
		}
	case *image.Gray:
		return func(row []float32, y int) {
			o := m.PixOffset(x0, y)
			for x, v := range m.Pix[o : o+len(row)] {
				row[x] = float32(v)
			}
		}
	case *image.NRGBA:
		return func(row []float32, y int) {
			p := m.Pix[m.PixOffset(x0, y):]
			for x := range row {
				row[x] = luma(p[4*x], p[4*x+1], p[4*x+2])
			}
		}
	case *image.Paletted:
		var table [256]float32
		for i, c := range m.Palette {
			if i < len(table) {
				table[i] = colourLuma(c)
			}
		}
		return func(row []float32, y int) {
			o := m.PixOffset(x0, y)
			for x, v := range m.Pix[o : o+len(row)] {
				row[x] = table[v]
			}
		}
	}
	return func(row []float32, y int) {
		for x := range row {
			row[x] = colourLuma(img.At(x0+x, y))
		}
	}
}

func colourLuma(c color.Color) float32 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	return luma(n.R, n.G, n.B)
}
