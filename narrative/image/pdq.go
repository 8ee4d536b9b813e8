package image

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// A Hash is a 256-bit PDQ hash. Word 0 holds the first 16 hexadecimal digits,
// bits 255 to 192. The zero Hash is a value like any other, not a mark for "none".
type Hash [4]uint64

// Distance is the number of differing bits, 0 to 256.
func (h Hash) Distance(o Hash) int {
	return bits.OnesCount64(h[0]^o[0]) + bits.OnesCount64(h[1]^o[1]) +
		bits.OnesCount64(h[2]^o[2]) + bits.OnesCount64(h[3]^o[3])
}

// String gives 64 lower-case hexadecimal digits.
func (h Hash) String() string {
	var b [32]byte
	for i, w := range h {
		binary.BigEndian.PutUint64(b[8*i:], w)
	}
	return hex.EncodeToString(b[:])
}

// MarshalText gives the form of String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads the form of String.
func (h *Hash) UnmarshalText(text []byte) error {
	v, err := ParseHash(string(text))
	if err == nil {
		*h = v
	}
	return err
}

// ParseHash reads 64 hexadecimal digits, in either case.
func ParseHash(s string) (Hash, error) {
	var b [32]byte
	if len(s) != 64 {
		return Hash{}, fmt.Errorf("image: PDQ hash has %d characters: it needs 64 hexadecimal digits", len(s))
	}
	if _, err := hex.Decode(b[:], []byte(s)); err != nil {
		return Hash{}, fmt.Errorf("image: PDQ hash %q: %w", s, err)
	}
	var h Hash
	for i := range h {
		h[i] = binary.BigEndian.Uint64(b[8*i:])
	}
	return h, nil
}

func (h *Hash) set(bit int) { h[3-bit>>6] |= 1 << (bit & 63) }

// slot gives the 16 bits 16·i to 16·i+15.
func (h Hash) slot(i int) uint16 { return uint16(h[3-i>>2] >> (16 * (i & 3))) }

const (
	gridSide = 64 // the filtered picture is sampled at 64×64 points
	dctSide  = 16 // and 16×16 of its low frequencies are kept
)

// dct holds the rows 1 to 16 of the 64-point DCT-II: the constant row is left
// out, so brightness does not matter.
var dct = func() (m [dctSide][gridSide]float32) {
	for i := range m {
		for j := range m[i] {
			m[i][j] = float32(math.Sqrt(2.0/gridSide) * math.Cos(math.Pi/(2*gridSide)*float64((i+1)*(2*j+1))))
		}
	}
	return m
}()

// PDQ gives the hash of g and its quality, 0 (flat) to 100: the sum of the
// gradients of the 64×64 picture. The hash of a picture of low quality is noise
// that collides with others: see MinQuality. An empty g has quality 0.
func (g Grey) PDQ() (h Hash, quality int) {
	c, quality := g.transform()
	return c.hash(), quality
}

// PDQTurns gives the hashes of g turned in all ways, by Turn, and its quality.
func (g Grey) PDQTurns() (h [Turns]Hash, quality int) {
	c, quality := g.transform()
	for t := range h {
		b := c.turned(Turn(t))
		h[t] = b.hash()
	}
	return h, quality
}

// coefficients are the low frequencies of the 64×64 picture, row by row.
type coefficients [dctSide * dctSide]float32

func (g Grey) transform() (b coefficients, quality int) {
	if g.W <= 0 || g.H <= 0 {
		return b, 0
	}
	a := g.grid()
	quality = gridQuality(&a)

	var t [dctSide][gridSide]float32 // D·A
	for i := range dctSide {
		for k := range gridSide {
			d, row := dct[i][k], &a[k]
			for j := range row {
				t[i][j] += d * row[j]
			}
		}
	}
	for i := range dctSide { // D·A·Dᵀ
		for j := range dctSide {
			var sum float32
			for k := range gridSide {
				sum += t[i][k] * dct[j][k]
			}
			b[i*dctSide+j] = sum
		}
	}
	return b, quality
}

// hash sets the bits of the coefficients above the median.
func (b *coefficients) hash() (h Hash) {
	sorted := *b
	slices.Sort(sorted[:])
	median := sorted[len(sorted)/2-1] // the lower of the middle two, as in the reference
	for i, v := range b {
		if v > median {
			h.set(i)
		}
	}
	return h
}

// turned gives the coefficients of the picture turned as t says. Mirroring
// changes the sign of every second frequency, and exchanging the axes exchanges
// them here too, so nothing has to be transformed again.
func (b *coefficients) turned(t Turn) (out coefficients) {
	for i := range dctSide {
		for j := range dctSide {
			v := b[i*dctSide+j]
			if t&turnAxes != 0 {
				v = b[j*dctSide+i]
			}
			if t&turnX != 0 && j%2 == 0 { // frequency j+1 is odd
				v = -v
			}
			if t&turnY != 0 && i%2 == 0 {
				v = -v
			}
			out[i*dctSide+j] = v
		}
	}
	return out
}

// grid blurs g with two passes of a box filter in each direction, which is near
// a tent, and samples it at 64×64 points.
func (g Grey) grid() (out [gridSide][gridSide]float32) {
	alongRow, alongColumn := boxWidth(g.W), boxWidth(g.H)
	a, b := slices.Clone(g.Pix), make([]float32, len(g.Pix))
	for range 2 {
		for y := range g.H {
			box(b[y*g.W:], a[y*g.W:], g.W, alongRow)
		}
		boxDown(a, b, g.W, g.H, alongColumn)
	}
	for i := range out {
		y := (2*i + 1) * g.H / (2 * gridSide)
		for j := range out[i] {
			x := (2*j + 1) * g.W / (2 * gridSide)
			out[i][j] = a[y*g.W+x]
		}
	}
	return out
}

// boxWidth is the width of the box filter for a side of n pixels.
func boxWidth(n int) int { return (n + 2*gridSide - 1) / (2 * gridSide) }

// box writes the running mean of n values. At the ends the mean is over the part
// of the window that lies inside.
func box(out, in []float32, n, width int) {
	ahead := (width+2)/2 - 1 // values after the current one
	var sum float32
	count := 0
	for i := range min(ahead, n) {
		sum += in[i]
		count++
	}
	for i := range n {
		if k := i + ahead; k < n {
			sum += in[k]
			count++
		}
		if k := i + ahead - width; k >= 0 {
			sum -= in[k]
			count--
		}
		out[i] = sum / float32(count)
	}
}

// boxDown does for all columns of w×h values what box does for a row. It goes row
// by row, which reads memory in order.
func boxDown(out, in []float32, w, h, width int) {
	ahead := (width+2)/2 - 1
	sums := make([]float32, w)
	count := 0
	enter := func(y int) {
		for x, v := range in[y*w : (y+1)*w] {
			sums[x] += v
		}
		count++
	}
	for y := range min(ahead, h) {
		enter(y)
	}
	for y := range h {
		if k := y + ahead; k < h {
			enter(k)
		}
		if k := y + ahead - width; k >= 0 {
			for x, v := range in[k*w : (k+1)*w] {
				sums[x] -= v
			}
			count--
		}
		for x, sum := range sums {
			out[y*w+x] = sum / float32(count)
		}
	}
}

func gridQuality(a *[gridSide][gridSide]float32) int {
	step := func(u, v float32) int {
		d := int((u - v) * 100 / 255)
		return max(d, -d)
	}
	sum := 0
	for i := range gridSide {
		for j := range gridSide {
			if i+1 < gridSide {
				sum += step(a[i][j], a[i+1][j])
			}
			if j+1 < gridSide {
				sum += step(a[i][j], a[i][j+1])
			}
		}
	}
	return min(sum/90, 100)
}
