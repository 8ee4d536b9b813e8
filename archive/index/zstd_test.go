package index

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// packZstd makes a .warc.zst of a plain WARC: each record is a frame, or two, and
// a dictionary may stand before them in a skippable frame.
func packZstd(t *testing.T, plain []byte, dict []byte, two bool) []byte {
	t.Helper()
	options := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true)}
	var file []byte
	if dict != nil {
		options = append(options, zstd.WithEncoderDictRaw(0, dict))
		file = binary.LittleEndian.AppendUint32(file, 0x184D2A5D)
		file = binary.LittleEndian.AppendUint32(file, uint32(len(dict)))
		file = append(file, dict...)
	}
	z, err := zstd.NewWriter(nil, options...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := warc.NewReader(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	var at []int64
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, rec.Offset)
	}
	at = append(at, int64(len(plain)))
	for i, start := range at[:len(at)-1] {
		record := plain[start:at[i+1]]
		if two {
			file = z.EncodeAll(record[:len(record)/2], file)
			record = record[len(record)/2:]
		}
		file = z.EncodeAll(record, file)
	}
	return file
}

// TestLinkedZstd links WARCs of warcio that were packed with Zstandard: each
// record of the plain file is found and read, with the same bytes, and a changed
// file is an error.
func TestLinkedZstd(t *testing.T) {
	for _, name := range []string{"example.warc", "example-iana.org-chunked.warc"} {
		plain := sharedtest.Read(t, "conformance/warc/warcio/"+name)
		dict := plain[:min(len(plain), 4<<10)]
		for _, c := range []struct {
			what string
			file []byte
		}{
			{"one frame to a record", packZstd(t, plain, nil, false)},
			{"two frames to a record", packZstd(t, plain, nil, true)},
			{"with a dictionary", packZstd(t, plain, dict, false)},
		} {
			t.Run(name+" "+c.what, func(t *testing.T) {
				dir := t.TempDir()
				packed := filepath.Join(dir, "crawl.warc.zst")
				if err := os.WriteFile(packed, c.file, 0o666); err != nil {
					t.Fatal(err)
				}
				past := time.Now().Add(-time.Hour).Truncate(time.Second)
				if err := os.Chtimes(packed, past, past); err != nil {
					t.Fatal(err)
				}
				a := folder(t, archive.Options{})
				link(t, a, packed)
				link(t, a, sharedtest.Path(t, "conformance/warc/warcio/"+name))
				rotate(t, a)
				x, err := Open(t.Context(), Options{Dir: t.TempDir(), Archive: a})
				if err != nil {
					t.Fatal(err)
				}
				defer x.Close()
				if p := refresh(t, x).Problems; len(p) > 0 {
					t.Errorf("problems: %+v", p)
				}
				var got, want []string
				var some []Entry
				for e, err := range x.Find(t.Context(), Query{Match: All}) {
					if err != nil {
						t.Fatal(err)
					}
					if e.Source.Kind != KindLink {
						continue
					}
					r, err := x.Record(t.Context(), e)
					if err != nil {
						t.Fatal(err)
					}
					block, err := io.ReadAll(r)
					if err != nil {
						t.Fatal(err)
					}
					text := fmt.Sprint(e.URL, e.Timestamp, e.MIME, e.Status, e.Digest, r.ID(), warc.SHA256(block))
					c := r.Capture()
					r.Close()
					if e.Source.Name != packed {
						want = append(want, text)
						continue
					}
					got = append(got, text)
					some = append(some, e)
					if r, err := x.Capture(t.Context(), c); err != nil {
						t.Error(err)
					} else {
						r.Close()
					}
				}
				slices.Sort(got)
				slices.Sort(want)
				if len(got) == 0 || !slices.Equal(got, want) {
					t.Errorf("found %q\nwant %q", got, want)
				}
				changed := bytes.Clone(c.file)
				changed[some[0].Offset+some[0].Length/2] ^= 1
				if err := os.WriteFile(packed, changed, 0o666); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(packed, past, past); err != nil {
					t.Fatal(err)
				}
				if r, err := x.Record(t.Context(), some[0]); err == nil {
					r.Close()
					t.Error("a changed record is read")
				}
			})
		}
	}
}
