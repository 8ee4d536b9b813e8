package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	stdimage "image"
	"image/draw"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/image/imagetest"
)

// images measures PDQ against the hashes of reference implementations, how many
// edits of pictures are found, and how often different pictures are linked: the
// photographs of the data, and drawn pictures of the kinds that are laid out alike.
func images(dir string, o options) ([]Table, error) {
	dir = filepath.Join(dir, "images")
	data, err := os.ReadFile(filepath.Join(dir, "expected_pdq.json"))
	if err != nil {
		return nil, err
	}
	var want struct {
		Python map[string]string `json:"pdq"`
		Java   map[string]string `json:"java_reference"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		return nil, fmt.Errorf("expected_pdq.json: %w", err)
	}
	reference, err := referenceTable(dir, want.Python, want.Java)
	if err != nil {
		return nil, err
	}
	photos, err := photographs(dir)
	if err != nil {
		return nil, err
	}
	found, unrelated, err := editTables(photos, o)
	return []Table{reference, found, unrelated}, err
}

func referenceTable(dir string, python, java map[string]string) (Table, error) {
	t := Table{Part: "images", Title: "PDQ, bits from the hashes that reference implementations give", Columns: []string{"picture", "quality", "Python", "Java"}}
	var names []string
	for name := range python {
		names = append(names, name)
	}
	slices.Sort(names)
	judged, within := 0, 0
	for _, name := range names {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return t, err
		}
		p, err := image.Decode(f, image.Limits{})
		f.Close()
		if err != nil {
			return t, fmt.Errorf("%s: %w", name, err)
		}
		h, quality := p.PDQ()
		row := []string{name, fmt.Sprint(quality)}
		best := 256
		for _, text := range []string{python[name], java[name]} {
			ref, err := image.ParseHash(text)
			if err != nil {
				row = append(row, "")
				continue
			}
			row = append(row, fmt.Sprint(h.Distance(ref)))
			best = min(best, h.Distance(ref))
		}
		if quality >= 80 {
			judged++
			if best <= 10 {
				within++
			}
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = []string{fmt.Sprintf("%d of %d pictures of quality 80 and more are within 10 bits of a reference", within, judged)}
	return t, nil
}

// A picture is one of a kind of which no two show the same.
type picture struct {
	kind string
	img  stdimage.Image
}

// photographs gives the pictures of the data that are no edits of one another.
func photographs(dir string) (list []picture, err error) {
	names, _ := filepath.Glob(filepath.Join(dir, "reg-test-input/labelme-subset/*.jpg"))
	names = append(names, filepath.Join(dir, "bridge-mods/aaa-orig.jpg"), filepath.Join(dir, "misc-images/c.png"), filepath.Join(dir, "misc-images/small.jpg"), filepath.Join(dir, "misc-images/wee.jpg"))
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		img, _, err := stdimage.Decode(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, quality := image.NewGrey(img).PDQ(); quality >= 80 {
			list = append(list, picture{"photograph", img})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("photographs in %s: %w", dir, fs.ErrNotExist)
	}
	return list, nil
}

// A pictureEdit is one thing that is done to pictures when they are posted again.
type pictureEdit struct {
	name string
	do   []func(stdimage.Image) stdimage.Image // variants of it
}

func pictureEdits() (list []pictureEdit) {
	same := func(m stdimage.Image) stdimage.Image { return m }
	list = append(list, pictureEdit{"encoded again, quality 40", []func(stdimage.Image) stdimage.Image{same}})
	for _, p := range []float64{2, 5, 10, 15, 20} {
		e := pictureEdit{name: fmt.Sprintf("cropped %.0f %%", p)}
		for _, at := range [][2]float64{{.5, .5}, {0, 0}, {1, 1}, {0, 1}, {.5, 0}, {1, .5}} {
			e.do = append(e.do, func(m stdimage.Image) stdimage.Image { return crop(m, p/100, at[0], at[1]) })
		}
		list = append(list, e)
	}
	for _, p := range []float64{5, 10, 20} {
		for _, over := range []bool{false, true} {
			e := pictureEdit{name: fmt.Sprintf("caption beside it, %.0f %%", p)}
			if over {
				e.name = fmt.Sprintf("caption over it, %.0f %%", p)
			}
			for k := range 4 {
				e.do = append(e.do, func(m stdimage.Image) stdimage.Image { return imagetest.Caption(m, p/100, k&1 == 1, k&2 == 2, over) })
			}
			list = append(list, e)
		}
	}
	list = append(list, pictureEdit{"mirrored", []func(stdimage.Image) stdimage.Image{func(m stdimage.Image) stdimage.Image { return remapped(m, false) }}})
	return append(list, pictureEdit{"turned by 90°", []func(stdimage.Image) stdimage.Image{func(m stdimage.Image) stdimage.Image { return remapped(m, true) }}})
}

func crop(m stdimage.Image, part, ax, ay float64) stdimage.Image {
	b := m.Bounds()
	cw, ch := int(part*float64(b.Dx())), int(part*float64(b.Dy()))
	x, y := b.Min.X+int(ax*float64(cw)), b.Min.Y+int(ay*float64(ch))
	out := stdimage.NewRGBA(stdimage.Rect(0, 0, b.Dx()-cw, b.Dy()-ch))
	draw.Draw(out, out.Rect, m, stdimage.Pt(x, y), draw.Src)
	return out
}

// remapped mirrors a picture left to right, or turns it clockwise.
func remapped(m stdimage.Image, turn bool) stdimage.Image {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	if turn {
		w, h = h, w
	}
	out := stdimage.NewRGBA(stdimage.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			if turn {
				out.Set(x, y, m.At(b.Min.X+y, b.Max.Y-1-x))
			} else {
				out.Set(x, y, m.At(b.Max.X-1-x, b.Min.Y+y))
			}
		}
	}
	return out
}

// drawnEach is how many pictures of each drawn kind are in the index.
const drawnEach = 48

func editTables(photos []picture, o options) (found, unrelated Table, err error) {
	ctx := context.Background()
	pictures := photos
	kinds := []string{"photograph"}
	for _, k := range imagetest.Kinds {
		kinds = append(kinds, k.Name)
		for seed := range uint64(max(drawnEach/o.each, 4)) {
			pictures = append(pictures, picture{k.Name, k.Draw(seed)})
		}
	}
	var ix image.Index
	count, linked, possible := map[string]int{}, map[string]int{}, map[string]int{}
	across := 0 // links between kinds
	for i, p := range pictures {
		count[p.kind]++
		file, err := encodeJPEG(p.img, 85)
		if err != nil {
			return found, unrelated, err
		}
		// What the earlier ones have that this one shows: each pair once.
		matches, err := ix.Query(file)
		if err != nil {
			return found, unrelated, err
		}
		for _, m := range matches {
			var k int
			fmt.Sscan(m.Key, &k)
			if pictures[k].kind != p.kind {
				across++
			}
			if m.Score >= image.LinkThreshold {
				linked[p.kind]++
			} else {
				possible[p.kind]++
			}
		}
		if _, err := ix.Add(ctx, image.Doc{Key: fmt.Sprint(i), Data: file}); err != nil {
			return found, unrelated, err
		}
	}
	unrelated = Table{Part: "images", Title: "different pictures, each against all before it", Columns: []string{"kind", "pictures", "pairs of the kind", "linked", "per 10,000", "possible"}}
	pairs, links := 0, 0
	for _, k := range kinds {
		n := count[k] * (count[k] - 1) / 2
		pairs, links = pairs+n, links+linked[k]
		unrelated.Rows = append(unrelated.Rows, []string{k, fmt.Sprint(count[k]), fmt.Sprint(n), fmt.Sprint(linked[k]), fmt.Sprintf("%.1f", 1e4*float64(linked[k])/float64(max(n, 1))), fmt.Sprint(possible[k])})
	}
	all := len(pictures) * (len(pictures) - 1) / 2
	unrelated.Notes = []string{
		fmt.Sprintf("of one kind: %d links in %d pairs; of all kinds: %d pairs, of which %d between kinds are linked or possible", links, pairs, all, across),
		"photographs are those of the data; the other kinds are drawn by narrative/image/imagetest, with the words, numbers and shapes of each at random in one layout",
	}

	found = Table{Part: "images", Title: "edits that are found, and links to other pictures", Columns: []string{"edit", "photographs", "drawn", "to others"}}
	for e, edit := range pictureEdits() {
		var tried, hit [2]int
		wrong := 0
		for i, p := range pictures {
			group, variants := 1, []int{(i + e) % len(edit.do)}
			if p.kind == "photograph" {
				group, variants = 0, nil
				for v := range edit.do {
					variants = append(variants, v)
				}
			} else if (i+e)%(6*o.each) != 0 {
				continue
			}
			for _, v := range variants {
				file, err := encodeJPEG(edit.do[v](p.img), 40)
				if err != nil {
					return found, unrelated, err
				}
				matches, err := ix.Query(file)
				if err != nil {
					return found, unrelated, err
				}
				tried[group]++
				for _, m := range matches {
					switch {
					case m.Score < image.LinkThreshold:
					case m.Key == fmt.Sprint(i):
						hit[group]++
					default:
						wrong++
					}
				}
			}
		}
		share := func(g int) string { return fmt.Sprintf("%d of %d", hit[g], tried[g]) }
		found.Rows = append(found.Rows, []string{edit.name, share(0), share(1), fmt.Sprint(wrong)})
	}
	found.Notes = []string{"each edit is encoded as JPEG of quality 40; a percentage is of each side, of the height for captions"}
	return found, unrelated, nil
}

func encodeJPEG(m stdimage.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}
