package sensitive

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"strings"
	"testing"

	pdq "github.com/refrain-archive/refrain/narrative/image"
)

// scene is a picture with some structure.
func scene(side int, seed float64) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			u, v := float64(x)/float64(side), float64(y)/float64(side)
			l := 128 + 60*math.Sin(seed*7*u+3*v*seed) + 60*math.Cos(11*v*seed-5*u*u)
			m.Set(x, y, color.RGBA{uint8(l), uint8(l / 2), uint8(255 - l), 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func hexOf(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func TestWithhold(t *testing.T) {
	known := jpegOf(t, scene(400, 1.3), 90)
	picture, err := pdq.Decode(bytes.NewReader(known), pdq.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	hash, quality := picture.PDQ()
	if quality < pdq.MinQuality {
		t.Fatalf("the picture has quality %d", quality)
	}
	text := []byte("a leaflet")
	var l Lists
	if err := l.Read(strings.NewReader("\ufeff# name: Hotline 2026\r\n\n# a remark\nSHA256:"+strings.ToUpper(hexOf(text))+" leaflet\n"), "a.txt"); err != nil {
		t.Fatal(err)
	}
	if err := l.Read(strings.NewReader("pdq:"+hash.String()+",series 7\n"), "pictures.txt"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what, kind string
		body       []byte
		want       string
	}{
		{"the same bytes", "text/plain", text, "Hotline 2026"},
		{"other bytes", "text/plain", []byte("a leaflet."), ""},
		{"the picture recoded and smaller", "image/jpeg", jpegOf(t, scene(250, 1.3), 60), "pictures.txt"},
		{"served as something else", "application/octet-stream", jpegOf(t, scene(250, 1.3), 60), "pictures.txt"},
		{"another picture", "image/jpeg", jpegOf(t, scene(400, 2.9), 90), ""},
		{"a cut picture", "image/jpeg", known[:len(known)/2], ""},
	} {
		got, err := l.Withhold(t.Context(), hexOf(test.body), test.kind, test.body)
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.what, got, err, test.want)
		}
	}
	if got, err := (&Lists{}).Withhold(t.Context(), hexOf(text), "", text); got != "" || err != nil {
		t.Errorf("no list: %q, %v", got, err)
	}
}

// A list that cannot be understood whole is refused, with the line.
func TestReadRefuses(t *testing.T) {
	for text, words := range map[string]string{
		"":                                       "no entry",
		"# only remarks\n":                       "no entry",
		"sha256:1234":                            "line 1",
		strings.Repeat("a", 64) + "\nmd5:12":     "line 2",
		"pdq:" + strings.Repeat("a", 64) + ":65": "distance",
		"pdq:" + strings.Repeat("g", 64):         "PDQ",
		strings.Repeat("a", 1<<20):               "line 1",
	} {
		var l Lists
		if err := l.Read(strings.NewReader(text), "x"); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.20q: %v, want %q", text, err, words)
		}
	}
}

// A pixelated picture has no more colours than blocks, whatever goes in.
func TestPixelate(t *testing.T) {
	for _, asPNG := range []bool{true, false} {
		var b bytes.Buffer
		if err := Pixelate(&b, bytes.NewReader(jpegOf(t, scene(500, 1.7), 95)), 8, asPNG); err != nil {
			t.Fatal(err)
		}
		m, form, err := image.Decode(&b)
		if err != nil || (form == "png") != asPNG || m.Bounds().Dx() != sideOut {
			t.Fatalf("%s, %v, %v", form, m.Bounds(), err)
		}
		if !asPNG {
			continue
		}
		colours := map[color.Color]bool{}
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				colours[m.At(x, y)] = true
			}
		}
		if len(colours) > 64 || len(colours) < 8 {
			t.Errorf("%d colours in 64 blocks", len(colours))
		}
	}
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 5000, 1))); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Pixelate(&out, &wide, 0, true); err != nil {
		t.Errorf("a line of one pixel's height: %v", err)
	}
	if err := Pixelate(&out, strings.NewReader("no picture"), 0, true); err == nil {
		t.Error("text is pixelated")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# name: x\nsha256:" + strings.Repeat("0", 64) + "\npdq:" + strings.Repeat("f", 64) + ":12 note")
	f.Add("pdq:zz\n")
	f.Fuzz(func(t *testing.T, text string) {
		var l Lists
		if err := l.Read(strings.NewReader(text), "fuzz"); err == nil && l.Len() == 0 {
			t.Error("a list without entries was taken")
		}
	})
}
