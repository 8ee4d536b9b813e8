package demoweb

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"net/http"
)

// A Clip is one film of the made-up web: four shots of scenes that belong to its
// name, and what was done to it on the way.
type Clip struct {
	Scene string // two clips with one scene show the same: the ground truth
	Edit
	Rate float64 // frames a second; shotFrames of them are a shot. 0 is clipRate
	Skip int     // frames left out at the start
}

const (
	clipShots  = 4
	shotFrames = 8
	clipRate   = 4.0
)

// seconds is how long the clip runs.
func (c Clip) seconds() float64 { return float64(clipShots*shotFrames-c.Skip) / c.rate() }

func (c Clip) rate() float64 {
	if c.Rate == 0 {
		return clipRate
	}
	return c.Rate
}

// newClip gives a clip with a scene, passed on in one of several ways.
func (g *generator) newClip(scene string) string {
	c := Clip{Scene: scene, Edit: g.newEdit()}
	c.Quality = 50 + g.rand.IntN(40)
	c.Scale = 1
	switch g.rand.IntN(4) {
	case 0:
		c.How, c.Rate = c.How+", faster", clipRate*1.25
	case 1:
		c.How, c.Skip = c.How+", start cut", shotFrames
	}
	name := g.newPicture(scene, Edit{})
	delete(g.world.Pictures, name)
	name = name[:16] + ".mp4"
	g.world.Clips[name] = c
	return name
}

// clip serves a film by its name.
func (s *Server) clip(w http.ResponseWriter, r *http.Request) {
	c, ok := s.world.Clips[pictureName(r.URL.Path)]
	if !ok {
		http.NotFound(w, r)
		return
	}
	data, err := c.file()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "video/mp4")
	_, _ = w.Write(data) // the client may be gone
}

// file is the clip as a film: JPEG frames in a QuickTime container (ISO
// 14496-12 boxes, the sample entry "jpeg"), which every player can read and
// needs no encoder.
func (c Clip) file() ([]byte, error) {
	var frames [][]byte
	for i := c.Skip; i < clipShots*shotFrames; i++ {
		shot := c.Scene + "/" + string(rune('a'+i/shotFrames))
		img := c.apply(drawScene(shot, float64(i%shotFrames)/shotFrames))
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: c.Quality}); err != nil {
			return nil, err
		}
		frames = append(frames, b.Bytes())
	}
	bounds := c.apply(drawScene(c.Scene, 0)).Bounds()
	return quickTime(frames, bounds.Dx(), bounds.Dy(), c.rate()), nil
}

// quickTime puts JPEG frames into a film. Everything is in units of 1/1000 s.
func quickTime(frames [][]byte, width, height int, rate float64) []byte {
	const scale = 1000
	each := uint32(scale / rate)
	duration := each * uint32(len(frames))
	u32 := func(v ...uint32) []byte {
		var b []byte
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	u16 := func(v ...uint16) []byte {
		var b []byte
		for _, x := range v {
			b = binary.BigEndian.AppendUint16(b, x)
		}
		return b
	}
	matrix := u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

	ftyp := box("ftyp", []byte("qt  "), u32(0x200), []byte("qt  "))
	var data []byte
	sizes := u32(0, 0, uint32(len(frames)))
	for _, f := range frames {
		sizes = append(sizes, u32(uint32(len(f)))...)
		data = append(data, f...)
	}
	mdat := box("mdat", data)

	entry := box("jpeg", make([]byte, 6), u16(1), // data reference
		u16(0, 0), []byte("demo"), u32(0, 512), u16(uint16(width), uint16(height)), u32(0x480000, 0x480000, 0), u16(1), make([]byte, 32), u16(24, 0xffff))
	table := box("stbl",
		box("stsd", u32(0, 1), entry),
		box("stts", u32(0, 1, uint32(len(frames)), each)),
		box("stsc", u32(0, 1, 1, uint32(len(frames)), 1)),
		box("stsz", sizes),
		box("stco", u32(0, 1, uint32(len(ftyp)+8))))
	media := box("mdia",
		box("mdhd", u32(0, 0, 0, scale, duration, 0)),
		box("hdlr", u32(0), []byte("mhlrvide"), u32(0, 0, 0), []byte{0}),
		box("minf",
			box("vmhd", u32(1), u16(0, 0, 0, 0)),
			box("hdlr", u32(0), []byte("dhlrurl "), u32(0, 0, 0), []byte{0}),
			box("dinf", box("dref", u32(0, 1), box("url ", u32(1)))),
			table))
	track := box("trak",
		box("tkhd", u32(7, 0, 0, 1, 0, duration, 0, 0), u16(0, 0, 0, 0), matrix, u32(uint32(width)<<16, uint32(height)<<16)),
		media)
	movie := box("moov",
		box("mvhd", u32(0, 0, 0, scale, duration, 0x10000), u16(0x100, 0), u32(0, 0), matrix, make([]byte, 24), u32(2)),
		track)
	return append(append(ftyp, mdat...), movie...)
}

// box is one box: its size, its type and what is in it.
func box(kind string, parts ...[]byte) []byte {
	size := 8
	for _, p := range parts {
		size += len(p)
	}
	b := binary.BigEndian.AppendUint32(make([]byte, 0, size), uint32(size))
	b = append(b, kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}
