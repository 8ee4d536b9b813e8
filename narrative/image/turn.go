package image

// A Turn is one of the eight ways in which a picture can be turned by right
// angles and mirrored. The zero Turn leaves it as it is.
type Turn uint8

// A turned picture is first exchanged along its falling diagonal, then mirrored
// left to right, then top to bottom.
const (
	turnX Turn = 1 << iota
	turnY
	turnAxes

	// Mirrored exchanges left and right.
	Mirrored = turnX

	Turns = 8
)

var turnNames = [Turns]string{
	"", "mirrored", "mirrored top to bottom", "turned by 180°",
	"mirrored along the falling diagonal", "turned clockwise", "turned anticlockwise", "mirrored along the rising diagonal",
}

// String says what was done to the picture, "" of one that is as it was.
func (t Turn) String() string { return turnNames[t%Turns] }

// MarshalText gives the form of String.
func (t Turn) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// turned is g turned as t says.
func (g Grey) turned(t Turn) Grey {
	if t == 0 {
		return g
	}
	out := Grey{W: g.W, H: g.H, Pix: make([]float32, len(g.Pix))}
	if t&turnAxes != 0 {
		out.W, out.H = g.H, g.W
	}
	for y := range out.H {
		for x := range out.W {
			sx, sy := x, y
			if t&turnX != 0 {
				sx = out.W - 1 - sx
			}
			if t&turnY != 0 {
				sy = out.H - 1 - sy
			}
			if t&turnAxes != 0 {
				sx, sy = sy, sx
			}
			out.Pix[y*out.W+x] = g.Pix[sy*g.W+sx]
		}
	}
	return out
}
