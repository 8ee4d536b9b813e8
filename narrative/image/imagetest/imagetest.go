// Package imagetest draws pictures of the kinds that posts carry, for tests and
// measurements of what looks alike: scenes that resemble photographs, and the
// kinds of which two different pictures are laid out alike: post cards, pages of
// text, chats, slides, maps and charts. A seed always gives the same picture.
package imagetest

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// A Kind is one sort of picture that can be drawn.
type Kind struct {
	Name string
	Draw func(seed uint64) *image.Gray
}

// Kinds are all sorts of pictures.
var Kinds = []Kind{
	{"scene", Scene},
	{"post card", PostCard},
	{"page of text", Page},
	{"chat", Chat},
	{"slide", Slide},
	{"map", Map},
	{"chart", Chart},
}

// Scene draws a picture as photographs are: light that falls off over the frame,
// shapes of all sizes before each other, and noise whose amplitude is inverse to
// its frequency. One in three has a sky or a wall that is nearly flat.
func Scene(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 7))
	sizes := [][2]int{{256, 160}, {160, 256}, {256, 192}, {256, 256}, {256, 144}}
	size := sizes[r.IntN(len(sizes))]
	g := image.NewGray(image.Rect(0, 0, size[0], size[1]))
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
	for y := range size[1] {
		for x := range size[0] {
			u, v := float64(x)/float64(size[0]), float64(y)/float64(size[1])
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
			g.Pix[y*g.Stride+x] = uint8(min(max(p, 0), 255))
		}
	}
	return g
}

// PostCard draws what a screenshot of a post looks like: a round portrait, a name,
// some lines of text and a row of counts, always in the same places.
func PostCard(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 11))
	dark := r.IntN(3) == 0
	paper, ink, pale := uint8(255), uint8(20), uint8(120)
	if dark {
		paper, ink, pale = 22, 235, 140
	}
	lines := wrap(Text(r, 8+r.IntN(38)), 38)
	g := blank(600, 170+34*len(lines), paper)
	portrait := uint8(40 + r.IntN(180))
	disc(g, 52, 52, 30, portrait)
	disc(g, 52, 44, 12, 255-portrait)
	write(g, bold, 26, 96, 46, ink, Text(r, 2))
	write(g, regular, 22, 96, 76, pale, "@"+strings.ReplaceAll(strings.ToLower(Text(r, 2)), " ", ""))
	for i, l := range lines {
		write(g, regular, 28, 24, 124+34*i, ink, l)
	}
	y := 124 + 34*len(lines)
	fill(g, image.Rect(24, y-8, 576, y-6), pale)
	for i, name := range []string{"Replies", "Reposts", "Likes"} {
		write(g, regular, 20, 24+180*i, y+24, pale, number(r)+" "+name)
	}
	return g
}

// Page draws a page of running text with a headline.
func Page(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 13))
	g := blank(620, 800, 250)
	y := 60
	for _, l := range wrap(Text(r, 4+r.IntN(6)), 34) {
		write(g, bold, 30, 40, y, 15, l)
		y += 38
	}
	for y < 760 {
		for _, l := range wrap(Text(r, 25+r.IntN(60)), 66) {
			if y < 770 {
				write(g, regular, 17, 40, y, 30, l)
			}
			y += 23
		}
		y += 14
	}
	return g
}

// Chat draws a conversation: bubbles of text, left and right.
func Chat(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 17))
	g := blank(420, 760, 228)
	fill(g, image.Rect(0, 0, 420, 56), 90)
	write(g, bold, 24, 60, 38, 250, Text(r, 2))
	for y := 76; y < 720; {
		lines := wrap(Text(r, 2+r.IntN(22)), 26)
		x, level := 16, uint8(255)
		if r.IntN(2) == 0 {
			x, level = 110, 190
		}
		h := 14 + 24*len(lines)
		fill(g, image.Rect(x, y, x+294, y+h), level)
		for i, l := range lines {
			write(g, regular, 20, x+12, y+24+24*i, 25, l)
		}
		y += h + 12
	}
	return g
}

// Slide draws a page of a talk: a title and points beneath each other.
func Slide(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 19))
	g := blank(640, 360, 245)
	fill(g, image.Rect(0, 0, 640, 64), 70)
	write(g, bold, 30, 24, 44, 250, Text(r, 3+r.IntN(3)))
	for i := range 3 + r.IntN(4) {
		y := 108 + 44*i
		disc(g, 36, y-8, 5, 70)
		write(g, regular, 24, 56, y, 30, Text(r, 4+r.IntN(5)))
	}
	return g
}

// Map draws streets, blocks, a river and names.
func Map(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 23))
	g := blank(512, 512, 238)
	for range 4 + r.IntN(6) { // parks and blocks
		x, y := r.IntN(512), r.IntN(512)
		fill(g, image.Rect(x, y, x+40+r.IntN(120), y+40+r.IntN(120)), uint8(205+r.IntN(25)))
	}
	stroke := func(width float64, level uint8) {
		x, y, a := r.Float64()*512, 0.0, r.Float64()*2-1+math.Pi/2
		if r.IntN(2) == 0 {
			x, y, a = 0, r.Float64()*512, r.Float64()*2-1
		}
		for range 900 {
			disc(g, int(x), int(y), width, level)
			x, y = x+math.Cos(a), y+math.Sin(a)
			a += (r.Float64() - .5) * .08
		}
	}
	stroke(12+10*r.Float64(), 180)
	for range 10 + r.IntN(14) {
		stroke(1.5+1.5*r.Float64(), 252)
	}
	for range 3 {
		stroke(4, 160)
	}
	for range 8 + r.IntN(8) {
		write(g, regular, 15, r.IntN(420), 20+r.IntN(480), 60, Text(r, 1))
	}
	return g
}

// Chart draws bars or a line over a grid, with a title and labels.
func Chart(seed uint64) *image.Gray {
	r := rand.New(rand.NewPCG(seed, 29))
	g := blank(640, 400, 255)
	write(g, bold, 24, 60, 36, 20, Text(r, 3+r.IntN(4)))
	for i := range 6 {
		fill(g, image.Rect(60, 70+54*i, 620, 71+54*i), 210)
	}
	n := 5 + r.IntN(14)
	level, v := uint8(60+r.IntN(110)), r.Float64()
	for i := range n {
		v = min(max(v+(r.Float64()-.5)*.7, .03), 1)
		x, w := 64+i*556/n, 556/n
		top := 340 - int(268*v)
		if seed%2 == 0 {
			fill(g, image.Rect(x+2, top, x+w-2, 340), level)
		} else {
			disc(g, x+w/2, top, 6, level)
			fill(g, image.Rect(x, top-1, x+w, top+2), level)
		}
		if n < 12 {
			write(g, regular, 14, x+4, 362, 60, Text(r, 1))
		}
	}
	return g
}

func number(r *rand.Rand) string {
	digits := make([]byte, 1+r.IntN(5))
	for i := range digits {
		digits[i] = byte('0' + r.IntN(10))
	}
	return string(digits)
}

var onsets = strings.Fields("b br c ch d dr f fl g gr h j k l m n p pl pr qu r s sh st t tr v w y z")
var vowels = strings.Fields("a e i o u a e i o ai ea ou")
var codas = strings.Fields("- - - n r s t l m nd rt st ck ng")

// Text gives n words of an invented language, common ones more often.
func Text(r *rand.Rand, n int) string {
	words := make([]string, n)
	for i := range words {
		var w strings.Builder
		// A word of a low number is common, as in any language.
		k := rand.New(rand.NewPCG(uint64(math.Exp(r.Float64()*9)), 5))
		for range 1 + k.IntN(3) {
			w.WriteString(onsets[k.IntN(len(onsets))] + vowels[k.IntN(len(vowels))] + strings.Trim(codas[k.IntN(len(codas))], "-"))
		}
		words[i] = w.String()
		if i == 0 || r.IntN(9) == 0 {
			words[i] = strings.ToUpper(words[i][:1]) + words[i][1:]
		}
	}
	return strings.Join(words, " ")
}

func wrap(text string, width int) (lines []string) {
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && len(line)+1+len(w) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + w)
	}
	return append(lines, line)
}

func blank(w, h int, level uint8) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, w, h))
	for i := range g.Pix {
		g.Pix[i] = level
	}
	return g
}

func fill(g *image.Gray, r image.Rectangle, level uint8) {
	r = r.Intersect(g.Bounds())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			g.Pix[y*g.Stride+x] = level
		}
	}
}

func disc(g *image.Gray, x, y int, radius float64, level uint8) {
	n := int(math.Ceil(radius))
	for dy := -n; dy <= n; dy++ {
		for dx := -n; dx <= n; dx++ {
			if float64(dx*dx+dy*dy) <= radius*radius && image.Pt(x+dx, y+dy).In(g.Bounds()) {
				g.Pix[(y+dy)*g.Stride+x+dx] = level
			}
		}
	}
}

var regular, bold = &typeface{data: goregular.TTF}, &typeface{data: gobold.TTF}

type typeface struct {
	data  []byte
	mu    sync.Mutex // a face is not safe for concurrent use
	sizes map[float64]font.Face
}

func write(g *image.Gray, f *typeface, size float64, x, y int, level uint8, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	face := f.sizes[size]
	if face == nil {
		parsed, err := opentype.Parse(f.data)
		if err == nil {
			face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72})
		}
		if err != nil {
			panic("imagetest: the font of golang.org/x/image cannot be read: " + err.Error())
		}
		if f.sizes == nil {
			f.sizes = map[float64]font.Face{}
		}
		f.sizes[size] = face
	}
	d := font.Drawer{Dst: g, Src: image.NewUniform(color.Gray{level}), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(text)
}

// Caption puts a bar with two lines of text above or below a picture, or over its
// upper or lower part. share is the bar's height, as a share of the picture's.
func Caption(m image.Image, share float64, dark, top, over bool) image.Image {
	b := m.Bounds()
	n := max(int(share*float64(b.Dy())), 1)
	h := b.Dy()
	if !over {
		h += n
	}
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), h))
	at := image.Point{}
	if !over && top {
		at.Y = n
	}
	draw.Draw(out, image.Rectangle{at, at.Add(b.Size())}, m, b.Min, draw.Src)
	paper, ink := uint8(255), uint8(0)
	if dark {
		paper, ink = ink, paper
	}
	bar := blank(b.Dx(), n, paper)
	size := float64(max(n*2/5, 4))
	words := rand.New(rand.NewPCG(uint64(n), 31))
	for i := range 2 {
		write(bar, bold, size, b.Dx()/20, int(size)*(1+i)+n/12, ink, Text(words, max(b.Dx()/(6*int(size)/2+1), 1)))
	}
	y := 0
	if !top {
		y = h - n
	}
	draw.Draw(out, image.Rect(0, y, b.Dx(), y+n), bar, image.Point{}, draw.Src)
	return out
}
