package wacz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
)

// zeros gives n zero bytes, packed into a deflated entry they are a bomb.
type zeros int64

func (z *zeros) Read(p []byte) (int, error) {
	if *z <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), int64(*z)))
	clear(p[:n])
	*z -= zeros(n)
	return n, nil
}

// bomb is a WACZ with one more deflated entry of n zero bytes.
func bomb(t *testing.T, name string, n int64) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range []struct {
		name, content string
	}{{manifestName, `{"profile":"data-package","wacz_version":"1.1.1","resources":[]}`}} {
		if e.name == name {
			continue
		}
		w, err := z.Create(e.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	all := zeros(n)
	if _, err := io.Copy(w, &all); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checked gives the verdict on hostile bytes, and fails the test if it took more
// memory than a sound file could.
func checked(t *testing.T, what string, data []byte) *Report {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := verdict(t, data)
	runtime.ReadMemStats(&after)
	// All that was asked for, garbage included: twice what the largest limit allows.
	if took := after.TotalAlloc - before.TotalAlloc; took > 4*MaxManifest+uint64(8*len(data)) {
		t.Errorf("%s: %d MiB were asked for", what, took>>20)
	}
	return r
}

// What unpacks to very much is damaged or passed over, in bounded memory.
func TestBombs(t *testing.T) {
	const large = 65 << 20 // more than any limit
	for _, name := range []string{manifestName, digestName, PagesName, "indexes/index.cdxj", "indexes/index.idx", "logs/a.log"} {
		data := bomb(t, name, large)
		if r := checked(t, name, data); r.Verdict != warc.Damaged {
			t.Errorf("a bomb as %s: %s, %v", name, r.Verdict, r.Findings)
		}
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			continue
		}
		for _, err := range f.Pages() {
			if err != nil {
				break
			}
		}
		for range f.Find("http://example.com/") {
		}
	}
}

// Names that lead elsewhere, and names that are there twice, are never opened.
func TestHostileNames(t *testing.T) {
	sound, err := os.ReadFile(write(t, WriterOptions{}, 3))
	if err != nil {
		t.Fatal(err)
	}
	all := func(*entry) bool { return true }
	for _, name := range []string{"../evil.warc", "archive/../../evil.warc", "/etc/passwd", `archive\evil.warc`, "C:/evil.warc", "archive/\x00.warc", "archive//a.warc", "archive/./a.warc",
		"pages/pages.jsonl", "PAGES/pages.jsonl", "archive/" + strings.Repeat("a", 5000) + ".warc"} {
		data := rezip(t, sound, all, entry{name: name, content: "WARC/1.1\r\n"})
		r := checked(t, name, data)
		if r.Verdict != warc.Damaged || !r.has("name") {
			t.Errorf("%.40q: %s, %v", name, r.Verdict, r.Findings)
		}
		f, err := Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if name != "PAGES/pages.jsonl" { // that differs by capitals: the first one is meant
			if _, err := f.Open(name); err == nil {
				t.Errorf("%.40q is opened", name)
			}
		}
	}
}

// Contents of two entries exchanged, and contents of a sound file under another
// name, are damaged.
func TestSwapped(t *testing.T) {
	sound, err := os.ReadFile(write(t, WriterOptions{}, 3))
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(sound), int64(len(sound)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range z.File {
		for j := range i {
			a, b := z.File[i].Name, z.File[j].Name
			data := rezip(t, sound, func(e *entry) bool {
				switch e.name {
				case a:
					e.name = b
				case b:
					e.name = a
				}
				return true
			})
			if r := checked(t, a+" and "+b, data); r.Verdict != warc.Damaged {
				t.Errorf("%s and %s exchanged: %s", a, b, r.Verdict)
			}
		}
	}
}

// Sizes and offsets of the directory that lie, in the plain form and in that of
// zip64, give a verdict.
func TestLyingDirectory(t *testing.T) {
	sound, err := os.ReadFile(write(t, WriterOptions{}, 3))
	if err != nil {
		t.Fatal(err)
	}
	for at := bytes.Index(sound, []byte("PK\x01\x02")); at >= 0; {
		for _, field := range []int{8, 10, 16, 20, 24, 28, 30, 42} { // flags, method, checksum, sizes, lengths, offset
			for _, value := range []uint32{0, 1, 0x7fffffff, 0xffffffff} {
				data := bytes.Clone(sound)
				if field == 28 || field == 30 || field < 16 {
					binary.LittleEndian.PutUint16(data[at+field:], uint16(value))
				} else {
					binary.LittleEndian.PutUint32(data[at+field:], value)
				}
				if !bytes.Equal(data, sound) {
					checked(t, "directory", data)
				}
			}
		}
		next := bytes.Index(sound[at+4:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += 4 + next
	}
	// An end record that says there are very many entries, very far away.
	end := bytes.LastIndex(sound, []byte("PK\x05\x06"))
	for _, field := range []int{8, 10, 12, 16} {
		data := bytes.Clone(sound)
		binary.LittleEndian.PutUint32(data[end+field:], 0xffffffff)
		if r := checked(t, "end of the directory", data); r.Verdict != warc.Damaged && field != 8 {
			t.Errorf("the end record changed at %d: %s", field, r.Verdict)
		}
	}
	// Entries in the form of zip64 are read as others are.
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	content := []byte(`{"profile":"data-package","wacz_version":"1.1.1","resources":[]}`)
	extra := make([]byte, 20)
	binary.LittleEndian.PutUint16(extra, 1)
	binary.LittleEndian.PutUint16(extra[2:], 16)
	binary.LittleEndian.PutUint64(extra[4:], uint64(len(content)))
	binary.LittleEndian.PutUint64(extra[12:], uint64(len(content)))
	w, err := z.CreateRaw(&zip.FileHeader{Name: manifestName, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content)), Extra: extra})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := f.Package(); err != nil || p.WACZVersion != "1.1.1" {
		t.Errorf("%v, %v", p, err)
	}
}

// Whatever is changed, there is a verdict; what is changed within an entry's
// content is damage.
func TestMutations(t *testing.T) {
	sound, err := os.ReadFile(write(t, WriterOptions{PlainIndex: 1, BlockLines: 4}, 12))
	if err != nil {
		t.Fatal(err)
	}
	n := 150
	if os.Getenv("REFRAIN_LONG") != "" {
		n = 20000
	}
	r := rand.New(rand.NewPCG(7, 11))
	for range n {
		data := bytes.Clone(sound)
		for range 1 + r.IntN(6) {
			at := r.IntN(len(data))
			switch r.IntN(5) {
			case 0:
				data[at] ^= 1 << r.IntN(8)
			case 1:
				data[at] = byte(r.IntN(256))
			case 2:
				data = append(data[:at:at], data[min(len(data), at+r.IntN(64)):]...) // a piece is missing
			case 3:
				piece := bytes.Clone(data[at:min(len(data), at+r.IntN(256))])
				data = append(data[:at:at], append(piece, data[at:]...)...) // a piece is there twice
			default:
				data = data[:max(1, at)]
			}
			if len(data) < 2 {
				break
			}
		}
		if _, err := Verify(t.Context(), bytes.NewReader(data), int64(len(data)), "mutated"); err != nil {
			t.Fatalf("no verdict: %v", err)
		}
	}
}
