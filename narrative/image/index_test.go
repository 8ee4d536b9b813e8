package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/filelog"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
	"github.com/refrain-archive/refrain/narrative/image/imagetest"
)

func jpegFile(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngFile(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func add(t testing.TB, ix *Index, d Doc) Result {
	t.Helper()
	r, err := ix.Add(context.Background(), d)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// An index in memory and one on disk, opened again, say the same: which bytes are
// known, what shows the same, who used it.
func TestIndexKeeps(t *testing.T) {
	photo := imagetest.Scene(1)
	first, again := jpegFile(t, photo, 90), jpegFile(t, photo, 40)
	crop := pngFile(t, photo.SubImage(image.Rect(10, 8, 250, 150)))
	svg := []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")
	flat := pngFile(t, image.NewGray(image.Rect(0, 0, 40, 40)))

	steps := []struct {
		name    string
		doc     Doc
		want    Outcome
		group   int      // the step that founded the group
		matches []string // keys
	}{
		{"a photograph", Doc{Key: "x:1", Data: first}, New, 0, nil},
		{"another picture", Doc{Key: "x:2", Data: jpegFile(t, imagetest.Scene(2), 90)}, New, 1, nil},
		{"the photograph by another hand", Doc{Key: "y:1", Data: first}, Duplicate, 0, []string{"x:1"}},
		{"the same again", Doc{Key: "y:1", Data: first}, Known, 0, nil},
		{"as an avatar of that key", Doc{Key: "y:1", Kind: Avatar, Data: first}, Duplicate, 0, []string{"x:1"}},
		{"encoded again", Doc{Key: "y:2", Data: again}, New, 0, []string{"x:1"}},
		{"cropped", Doc{Key: "y:3", Kind: Thumbnail, Data: crop}, New, 0, []string{"x:1", "y:2"}},
		{"no picture", Doc{Key: "z:1", Data: svg}, Unreadable, 7, nil},
		{"no picture, by another hand", Doc{Key: "z:2", Data: svg}, Duplicate, 7, []string{"z:1"}},
		{"a flat one", Doc{Key: "z:3", Data: flat}, Flat, 9, nil},
		{"the flat one again", Doc{Key: "z:4", Data: flat}, Duplicate, 9, []string{"z:3"}},
		{"half a picture", Doc{Key: "z:5", Data: first[:len(first)/2]}, Unreadable, 11, nil},
		{"30,000×30,000", Doc{Key: "z:6", Data: hugePNG(30_000, 30_000)}, Unreadable, 12, nil},
	}
	disk := fsystest.New(1)
	kept, err := Open("/pictures", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	for name, ix := range map[string]*Index{"in memory": {}, "kept": kept} {
		var results []Result
		for _, s := range steps {
			r := add(t, ix, s.doc)
			results = append(results, r)
			var keys []string
			for _, m := range r.Matches {
				keys = append(keys, m.Key)
				if m.Score < LinkThreshold || m.Same != (r.Outcome == Duplicate) || m.Why() == "" {
					t.Errorf("%s, %s: match %+v", name, s.name, m)
				}
			}
			slices.Sort(keys)
			f, err := ix.Facts(r.Picture)
			if err != nil || f.Group != r.Group {
				t.Errorf("%s, %s: %+v, %v", name, s.name, f, err)
			}
			if r.Outcome != s.want || r.Group != results[s.group].Group || !slices.Equal(keys, s.matches) || (r.Outcome == Unreadable) != (r.Reason != "") {
				t.Errorf("%s, %s: %s (%s), group %s, matches %v", name, s.name, r.Outcome, r.Reason, r.Group, keys)
			}
			if u, err := ix.Uses(r.Picture); err != nil || !slices.Contains(u, Use{s.doc.Key, s.doc.Kind}) {
				t.Errorf("%s, %s: its uses are %v, %v", name, s.name, u, err)
			}
		}
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Query(first); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed index answers: %v", err)
	}
	ix, err := Open("/pictures", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	for _, s := range steps {
		if r := add(t, ix, s.doc); r.Outcome != Known {
			t.Errorf("%s, opened again: %s", s.name, r.Outcome)
		}
	}
	if uses, pictures, hashes := ix.Size(); uses != 12 || pictures != 8 || hashes < 4*24 {
		t.Errorf("%d uses, %d pictures, %d hashes", uses, pictures, hashes)
	}
	got, err := ix.Query(crop)
	if err != nil || len(got) != 3 || !got[0].Same || got[0].Key != "y:3" || got[0].Kind != Thumbnail {
		t.Fatalf("the crop finds %+v, %v", got, err)
	}
	for _, m := range got[1:] {
		if m.QueryShare < .95 || math.Abs(m.IndexedShare-240*142./(256*192)) > .02 || !strings.HasPrefix(m.Why(), "a crop of it (69 %") {
			t.Errorf("%s: %+v", m.Why(), m)
		}
	}
	if _, err := ix.Query([]byte("no picture")); !errors.Is(err, ErrFormat) {
		t.Errorf("asking with no picture: %v", err)
	}
	for _, key := range []string{"", strings.Repeat("k", filelog.MaxKey+1)} {
		if _, err := ix.Add(context.Background(), Doc{Key: key, Data: first}); err == nil {
			t.Errorf("a key of %d bytes is taken", len(key))
		}
	}
	if _, err := Open("/pictures", Options{FS: disk}); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
}

// Whenever the power is cut: what was synced is there, and the rest is whole or not
// there at all.
func TestPowerCut(t *testing.T) {
	var files [][]byte
	for i := range uint64(12) {
		files = append(files, jpegFile(t, imagetest.Map(i).SubImage(image.Rect(0, 0, 90, 90)), 60))
	}
	for cut := 4; cut < 40; cut += 4 {
		disk := fsystest.New(uint64(cut))
		disk.CutAfter(cut)
		synced, n := 0, 0
		for !disk.IsCut() && n < len(files) {
			ix, err := Open("/p", Options{FS: disk})
			if err != nil {
				break
			}
			for range 4 {
				if _, err := ix.Add(context.Background(), Doc{Key: fmt.Sprint(n), Data: files[n]}); err != nil {
					break
				}
				n++
				if n%2 == 0 && ix.Sync() == nil {
					synced = n
				}
			}
			if ix.Close() == nil {
				synced = n
			}
		}
		ix, err := Open("/p", Options{FS: disk.Restart()})
		if err != nil {
			t.Fatalf("cut after %d operations: %v", cut, err)
		}
		if uses, _, _ := ix.Size(); uses < synced || uses > n+1 {
			t.Errorf("cut after %d operations: %d uses, %d were synced, %d added", cut, uses, synced, n)
		}
		for i := range synced {
			if m, err := ix.Query(files[i]); err != nil || len(m) == 0 || m[0].Key != fmt.Sprint(i) || !m[0].Same {
				t.Errorf("cut after %d operations: picture %d: %v, %v", cut, i, m, err)
			}
		}
		ix.Close()
	}
}

func FuzzRecord(f *testing.F) {
	r := record{format: "png", width: 9, height: 9, w: 9, h: 9, views: []packed{{1, 90}}, hashes: []Hash{{1, 2, 3, 4}}, detail: []byte{1, 2}}
	f.Add(r.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := decodeRecord(b); err == nil && !bytes.Equal(r.encode(), b) {
			again, err := decodeRecord(r.encode())
			if err != nil || !bytes.Equal(again.encode(), r.encode()) {
				t.Fatalf("%+v does not come back: %v", r, err)
			}
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	var ix Index
	files := make([][]byte, 64)
	for i := range files {
		files[i] = jpegFile(b, imagetest.Page(uint64(i)), 85)
	}
	i := 0
	for b.Loop() {
		// The digest is another each time, the picture is not.
		add(b, &ix, Doc{Key: fmt.Sprint(i), Data: append(files[i%len(files)][:len(files[i%len(files)]):len(files[i%len(files)])], byte(i), byte(i>>8), byte(i>>16))})
		i++
	}
}

// The search among 4 million hashes, as of 85,000 to 170,000 pictures.
func BenchmarkSearchFourMillion(b *testing.B) {
	s, _ := benchmarkSet(4_000_000)
	s.least = indexTables
	s.build()
	q := newQuery(scene(1))
	for b.Loop() {
		for _, v := range q.views {
			s.Near(v.hash, SearchDistance)
		}
	}
}
