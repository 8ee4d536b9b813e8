package sensitive

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	_ "image/gif" // formats are read through the image package's registry

	_ "golang.org/x/image/webp"
)

// Limits of pictures that are pixelated.
const (
	maxPixelated = 40_000_000 // pixels, as the header gives them
	maxFile      = 64 << 20   // bytes
	sideOut      = 320        // pixels of the longer side of what is made
)

// DefaultBlocks is how many blocks the longer side of a pixelated picture has:
// few enough that neither faces nor text can be made out, enough to tell a map
// from a portrait.
const DefaultBlocks = 12

// Pixelate reads a picture (JPEG, PNG, GIF, WebP) and writes it without its
// detail: as at most blocks × blocks squares of one colour each, 320 pixels on
// its longer side, as PNG or else as JPEG. 0 blocks is DefaultBlocks. The squares
// are the mean of all pixels below them: the detail is not in what is written.
func Pixelate(w io.Writer, r io.Reader, blocks int, asPNG bool) (err error) {
	if blocks <= 0 {
		blocks = DefaultBlocks
	}
	defer func() {
		if v := recover(); v != nil { // the decoders meet hostile bytes
			err = fmt.Errorf("pixelate a picture: the decoder failed: %v", v)
		}
	}()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return fmt.Errorf("pixelate a picture: %w", err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("pixelate a picture: it has more than %d bytes", maxFile)
	}
	c, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("pixelate a picture: %w", err)
	}
	if c.Width <= 0 || c.Height <= 0 || int64(c.Width) > maxPixelated/int64(c.Height) {
		return fmt.Errorf("pixelate a picture: it has %d×%d pixels, more than %d or none", c.Width, c.Height, maxPixelated)
	}
	in, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("pixelate a picture: %w", err)
	}
	b := in.Bounds()
	if b.Dx() <= 0 || b.Dy() <= 0 {
		return errors.New("pixelate a picture: it has no pixels")
	}
	longer := max(b.Dx(), b.Dy())
	columns, rows := max(1, blocks*b.Dx()/longer), max(1, blocks*b.Dy()/longer)
	means := make([]color.RGBA, columns*rows)
	for y := range rows {
		for x := range columns {
			means[y*columns+x] = mean(in, b.Min.X+x*b.Dx()/columns, b.Min.X+(x+1)*b.Dx()/columns, b.Min.Y+y*b.Dy()/rows, b.Min.Y+(y+1)*b.Dy()/rows)
		}
	}
	width, height := max(columns, sideOut*b.Dx()/longer), max(rows, sideOut*b.Dy()/longer)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			out.SetRGBA(x, y, means[y*rows/height*columns+x*columns/width])
		}
	}
	if asPNG {
		err = png.Encode(w, out)
	} else {
		err = jpeg.Encode(w, out, &jpeg.Options{Quality: 80})
	}
	if err != nil {
		return fmt.Errorf("write a pixelated picture: %w", err)
	}
	return nil
}

// mean is the mean colour of a part of a picture, on white where it is
// transparent.
func mean(in image.Image, x0, x1, y0, y1 int) color.RGBA {
	x1, y1 = max(x1, x0+1), max(y1, y0+1)
	var r, g, b, n uint64
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			cr, cg, cb, ca := in.At(x, y).RGBA()
			white := 0xffff - ca
			r, g, b, n = r+uint64(cr+white), g+uint64(cg+white), b+uint64(cb+white), n+1
		}
	}
	return color.RGBA{uint8(r / n >> 8), uint8(g / n >> 8), uint8(b / n >> 8), 0xff}
}
