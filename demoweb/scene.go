package demoweb

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"

	xdraw "golang.org/x/image/draw"
)

// A Picture is one picture file of the made-up web: a scene, and what was done to
// it on the way. The zero Edit leaves it as it was drawn.
type Picture struct {
	Scene string // two pictures with one scene show the same: the ground truth
	Edit
}

// An Edit is what happens to a picture that is passed on.
type Edit struct {
	How                      string  // in words: "crop", "caption"…; the ground truth
	Left, Top, Right, Bottom float64 // cut off, shares of width and height
	Bar                      float64 // height of a bar with letters, share of the height
	BarOnTop                 bool
	Scale                    float64 // 0 is 1
	Light                    float64 // added to each channel, -1 to 1
	Quality                  int     // of JPEG; 0 is a PNG
}

const sceneWidth, sceneHeight = 240, 180

func hashOf(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return h.Sum64()
}

// drawScene draws what a name stands for: a sky, a ground, and some dozens of
// shapes in many colours and sizes, so that no two scenes look alike. phase moves
// the shapes a little, for films.
func drawScene(name string, phase float64) *image.RGBA {
	random := rand.New(rand.NewPCG(hashOf(name), 0x5ce9e))
	img := image.NewRGBA(image.Rect(0, 0, sceneWidth, sceneHeight))
	colour := func() color.RGBA {
		return color.RGBA{uint8(random.IntN(256)), uint8(random.IntN(256)), uint8(random.IntN(256)), 255}
	}
	high, low := colour(), colour()
	var sky [256]color.RGBA
	for i := range sky {
		t := float64(i) / 255
		sky[i] = color.RGBA{mix(high.R, low.R, t), mix(high.G, low.G, t), mix(high.B, low.B, t), 255}
	}
	slope := random.Float64()*2 - 1
	for y := range sceneHeight {
		t := float64(y)/sceneHeight - slope/2
		for x := range sceneWidth {
			set(img, x, y, sky[int(255*min(1, max(0, t)))])
			t += slope / sceneWidth
		}
	}
	for range 28 + random.IntN(20) {
		c := colour()
		cx, cy := random.Float64()*sceneWidth, random.Float64()*sceneHeight
		rx, ry := 5+random.Float64()*40, 5+random.Float64()*34
		angle := random.Float64() * math.Pi
		kind := random.IntN(3)
		cx += phase * (random.Float64() - 0.5) * 46
		cy += phase * (random.Float64() - 0.5) * 30
		sin, cos := math.Sincos(angle)
		reachX, reachY := math.Hypot(rx*cos, ry*sin), math.Hypot(rx*sin, ry*cos)
		for y := max(0, int(cy-reachY)); y < min(sceneHeight, int(cy+reachY)+1); y++ {
			left := max(0, int(cx-reachX))
			u, v := ((float64(left)-cx)*cos+(float64(y)-cy)*sin)/rx, ((float64(y)-cy)*cos-(float64(left)-cx)*sin)/ry
			for x := left; x < min(sceneWidth, int(cx+reachX)+1); x++ {
				in := false
				switch kind {
				case 0:
					in = u*u+v*v < 1
				case 1:
					in = math.Abs(u) < 0.7 && math.Abs(v) < 0.5
				case 2:
					in = v > -0.6 && v < 0.7 && math.Abs(u) < (0.8-v)/1.8
				}
				if in { // lighter towards one side
					shade := 230 + int(25*u)
					set(img, x, y, color.RGBA{uint8(int(c.R) * shade >> 8), uint8(int(c.G) * shade >> 8), uint8(int(c.B) * shade >> 8), 255})
				}
				u += cos / rx
				v -= sin / ry
			}
		}
	}
	return img
}

func set(img *image.RGBA, x, y int, c color.RGBA) {
	p := img.Pix[y*img.Stride+x*4:]
	p[0], p[1], p[2], p[3] = c.R, c.G, c.B, 255
}

func mix(a, b uint8, t float64) uint8 { return uint8(float64(a)*(1-t) + float64(b)*t) }

// apply gives the picture after the edit.
func (e Edit) apply(img *image.RGBA) *image.RGBA {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	cut := image.Rect(int(w*e.Left), int(h*e.Top), int(w*(1-e.Right)), int(h*(1-e.Bottom))).Add(b.Min)
	scale := e.Scale
	if scale == 0 {
		scale = 1
	}
	width, height := int(float64(cut.Dx())*scale), int(float64(cut.Dy())*scale)
	bar := int(float64(height) * e.Bar)
	out := image.NewRGBA(image.Rect(0, 0, width, height+bar))
	to := image.Rect(0, 0, width, height)
	if e.BarOnTop {
		to = to.Add(image.Pt(0, bar))
	}
	xdraw.ApproxBiLinear.Scale(out, to, img, cut, draw.Src, nil)
	if e.Light != 0 {
		for i, v := range out.Pix {
			if i%4 != 3 {
				out.Pix[i] = uint8(math.Min(255, math.Max(0, float64(v)+e.Light*255)))
			}
		}
	}
	if bar > 0 {
		strip := image.Rect(0, height, width, height+bar)
		if e.BarOnTop {
			strip = image.Rect(0, 0, width, bar)
		}
		draw.Draw(out, strip, image.NewUniform(color.RGBA{250, 250, 245, 255}), image.Point{}, draw.Src)
		// Blocks that look like a line of letters from afar.
		random := rand.New(rand.NewPCG(uint64(width), uint64(bar)))
		for x := 8; x < width-12; x += 5 + random.IntN(5) {
			letter := image.Rect(x, strip.Min.Y+bar/3, x+3+random.IntN(3), strip.Max.Y-bar/3)
			draw.Draw(out, letter, image.NewUniform(color.RGBA{20, 20, 20, 255}), image.Point{}, draw.Src)
		}
	}
	return out
}

// newEdit makes one of the changes that pictures go through.
func (g *generator) newEdit() Edit {
	e := Edit{How: "as it was", Quality: 45 + g.rand.IntN(35)}
	few := func(most float64) float64 { return g.rand.Float64() * most }
	switch g.rand.IntN(6) {
	case 0:
		e.How, e.Left, e.Top, e.Right, e.Bottom = "crop", few(0.09), few(0.09), few(0.09), few(0.09)
	case 1:
		e.How, e.Bar, e.BarOnTop = "caption", 0.08+few(0.1), g.rand.IntN(2) == 0
	case 2:
		e.How, e.Scale, e.Quality = "small", 0.5+few(0.3), 35+g.rand.IntN(20)
	case 3:
		e.How, e.Light = "light", few(0.16)-0.08
	case 4:
		e.How, e.Scale, e.Quality = "larger PNG", 1.1+few(0.4), 0
	}
	return e
}

// newPicture gives a file with a scene, edited or not, and its name: a number of
// its own, as platforms give to uploads.
func (g *generator) newPicture(scene string, e Edit) string {
	ending := ".jpg"
	if e.Quality == 0 {
		ending = ".png"
	}
	name := fmt.Sprintf("%016x", g.rand.Uint64()) + ending
	g.world.Pictures[name] = Picture{Scene: scene, Edit: e}
	return name
}

// pictureName is the name in an address of a picture.
func pictureName(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.TrimPrefix(name, "1*") // as Medium has it
}

// picture serves a picture file by its name, whatever the host and size in the
// address. A name that no upload has (a still, an avatar) is a scene of its own.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	name := pictureName(r.URL.Path)
	p, ok := s.world.Pictures[name]
	if !ok {
		if p, ok = s.world.pinned(name); !ok {
			p = Picture{Scene: name}
		}
	}
	kind, data, err := p.file()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write(data) // the client may be gone
}

// file is the picture as a file.
func (p Picture) file() (kind string, data []byte, err error) {
	img := p.apply(drawScene(p.Scene, 0))
	var b bytes.Buffer
	if p.Quality > 0 {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: p.Quality})
		return "image/jpeg", b.Bytes(), err
	}
	err = png.Encode(&b, img)
	return "image/png", b.Bytes(), err
}

// pinned finds the picture that Pinterest serves under its signature.
func (w *World) pinned(name string) (Picture, bool) {
	signature, _, _ := strings.Cut(name, ".")
	for _, p := range w.Posts {
		if p.Account.Platform == Pinterest && p.signature() == signature {
			have, ok := w.Pictures[p.picture()]
			if !ok {
				have = Picture{Scene: p.picture()}
			}
			return have, true
		}
	}
	return Picture{}, false
}
