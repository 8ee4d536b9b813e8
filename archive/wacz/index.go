package wacz

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"

	"github.com/refrain-archive/refrain/archive/cdx"
)

// A Block is a line of index.idx: where some hundred lines of index.cdx.gz lie.
type Block struct {
	Key      string // of its first line: "KEY TIMESTAMP"
	Offset   int64  // of the gzip member in Filename
	Length   int64  // bytes
	Digest   string // "sha256:" and hex of the member; may be empty
	Filename string // in indexes/; may be empty: index.cdx.gz
}

// parseIdx reads an index.idx. It gives the lines it can read and an error for
// each other.
func parseIdx(b []byte) (list []Block, format string, errs []error) {
	for n := 1; len(b) > 0; n++ {
		var line []byte
		line, b, _ = bytes.Cut(b, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			continue
		}
		i := bytes.IndexByte(line, '{')
		if i < 0 {
			errs = append(errs, fmt.Errorf("line %d has no JSON object", n))
			continue
		}
		var v struct {
			Format, Digest, Filename string
			Offset, Length           int64
		}
		if err := json.Unmarshal(line[i:], &v); err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", n, err))
			continue
		}
		if line[0] == '!' {
			format = v.Format
			continue
		}
		list = append(list, Block{strings.TrimSpace(string(line[:i])), v.Offset, v.Length, v.Digest, v.Filename})
	}
	return list, format, errs
}

// Indexes are the names of the index files, sorted.
func (f *File) Indexes() []string { return f.below("indexes/") }

// openIndex gives the lines of an index file, unpacked.
func (f *File) openIndex(name string) (io.ReadCloser, error) {
	rc, err := f.Open(name)
	if err != nil || !strings.HasSuffix(name, ".gz") {
		return rc, err
	}
	z, err := gzip.NewReader(rc)
	if err != nil {
		rc.Close() //nolint:errcheck // only read
		return nil, fmt.Errorf("wacz: unpack %q: %w", name, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{z, rc}, nil
}

func isLines(name string) bool {
	return strings.HasSuffix(name, ".cdxj") || strings.HasSuffix(name, ".cdx") || strings.HasSuffix(name, ".cdx.gz") || strings.HasSuffix(name, ".cdxj.gz")
}

// Lines gives the lines of all indexes, in their order. An error ends the index
// that it is about.
func (f *File) Lines() iter.Seq2[cdx.Line, error] {
	return func(yield func(cdx.Line, error) bool) {
		for _, name := range f.Indexes() {
			if !isLines(name) {
				continue
			}
			rc, err := f.openIndex(name)
			if err != nil {
				if !yield(cdx.Line{}, err) {
					return
				}
				continue
			}
			ok := scanLines(rc, name, yield)
			rc.Close() //nolint:errcheck // only read
			if !ok {
				return
			}
		}
	}
}

func scanLines(r io.Reader, name string, yield func(cdx.Line, error) bool) bool {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 32<<10), cdx.MaxLine+2)
	for n := 1; sc.Scan(); n++ {
		b := sc.Bytes()
		if len(b) == 0 || b[0] == '!' || bytes.HasPrefix(b, []byte(" CDX")) {
			continue
		}
		l, err := cdx.ParseLine(b)
		if err != nil {
			return yield(l, fmt.Errorf("wacz: %s line %d: %w", name, n, err))
		}
		if !yield(l, nil) {
			return false
		}
	}
	if err := sc.Err(); err != nil {
		return yield(cdx.Line{}, fmt.Errorf("wacz: read %s: %w", name, err))
	}
	return true
}

// Find gives the lines of a URL: those whose key is the URL's in the form of
// ReplayWeb.page or of the Internet Archive, or that have that very URL. In a
// compressed index that comes with an index.idx only the blocks that can hold
// them are read, any other index is read whole.
func (f *File) Find(url string) iter.Seq2[cdx.Line, error] {
	keys := []string{cdx.WebrecorderKey(url), cdx.SURT(url)}
	if keys[0] == keys[1] {
		keys = keys[:1]
	}
	match := func(yield func(cdx.Line, error) bool) func(cdx.Line, error) bool {
		return func(l cdx.Line, err error) bool {
			if err != nil || l.URL == url || l.Key == keys[0] || l.Key == keys[len(keys)-1] {
				return yield(l, err)
			}
			return true
		}
	}
	return func(yield func(cdx.Line, error) bool) {
		want := match(yield)
		for _, name := range f.Indexes() {
			if !isLines(name) {
				continue
			}
			if done, ok := f.findBlocks(name, keys, want); !ok {
				return
			} else if done {
				continue
			}
			rc, err := f.openIndex(name)
			if err != nil {
				if !yield(cdx.Line{}, err) {
					return
				}
				continue
			}
			ok := scanLines(rc, name, want)
			rc.Close() //nolint:errcheck // only read
			if !ok {
				return
			}
		}
	}
}

// idxOf gives the index.idx of a compressed index.
func (f *File) idxOf(name string) string {
	base, ok := strings.CutSuffix(name, ".gz")
	if !ok {
		return ""
	}
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".cdxj"), ".cdx")
	if f.entries[base+".idx"] == nil {
		return ""
	}
	return base + ".idx"
}

// findBlocks looks the keys up by an index.idx. done is false where there is
// none that can be used; ok is false when the caller wants no more.
func (f *File) findBlocks(name string, keys []string, yield func(cdx.Line, error) bool) (done, ok bool) {
	idx := f.idxOf(name)
	if idx == "" {
		return false, true
	}
	b, err := f.ReadFile(idx, MaxIdx)
	if err != nil {
		return true, yield(cdx.Line{}, err)
	}
	blocks, _, errs := parseIdx(b)
	gz, err := f.Section(name)
	if err != nil || len(errs) > 0 || !sort.SliceIsSorted(blocks, func(i, j int) bool { return blocks[i].Key < blocks[j].Key }) {
		return false, true // read it whole
	}
	read := map[int]bool{}
	for _, key := range keys {
		// The block before the first one whose line comes after may begin with
		// an earlier key and go on with this one.
		from := sort.Search(len(blocks), func(i int) bool { return blocks[i].Key >= key+" " }) - 1
		for i := max(from, 0); i < len(blocks) && (i <= from || blocks[i].Key < key+"!"); i++ {
			if read[i] {
				continue
			}
			read[i] = true
			r, err := blockReader(gz, blocks[i])
			if err != nil {
				if !yield(cdx.Line{}, fmt.Errorf("wacz: %s: block %q: %w", name, blocks[i].Key, err)) {
					return true, false
				}
				continue
			}
			if !scanLines(r, name, yield) {
				return true, false
			}
		}
	}
	return true, true
}

func blockReader(gz *io.SectionReader, b Block) (io.Reader, error) {
	if b.Offset < 0 || b.Length <= 0 || b.Offset > gz.Size() || b.Length > gz.Size()-b.Offset {
		return nil, errors.New("it lies outside the index")
	}
	return gzip.NewReader(io.NewSectionReader(gz, b.Offset, b.Length))
}
