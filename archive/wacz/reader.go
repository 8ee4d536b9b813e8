package wacz

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"sort"
	"strings"
	"sync/atomic"

	"github.com/refrain-archive/refrain/archive/warc"
)

// Limits of what is read into memory.
const (
	MaxDirectory = 64 << 20 // bytes of the ZIP's directory
	MaxManifest  = 32 << 20 // bytes of datapackage.json, and of datapackage-digest.json
	MaxIdx       = 64 << 20 // bytes of index.idx
	MaxPage      = 16 << 20 // bytes of a line of pages.jsonl
)

const (
	manifestName = "datapackage.json"
	digestName   = "datapackage-digest.json"
)

// ErrNotWACZ says that a file is neither a ZIP nor a datapackage.json.
var ErrNotWACZ = errors.New("wacz: the file is not a ZIP, and not a datapackage.json")

// A File is a WACZ that is open for reading. It is safe for concurrent use if
// its io.ReaderAt is.
type File struct {
	r       io.ReaderAt
	size    int64
	entries map[string]*zip.File
	names   []string // that can be opened, in the order of the directory
	bad     []badName
	pkg     *Package
	pkgErr  error
	bare    bool // a datapackage.json without a ZIP around it
}

// A badName is an entry that is never opened.
type badName struct {
	name, why string
}

// limited is an io.ReaderAt that gives up after a number of bytes, until it is
// told that there is no limit any more.
type limited struct {
	io.ReaderAt
	left atomic.Int64
	off  atomic.Bool
}

func (l *limited) ReadAt(p []byte, at int64) (int, error) {
	if !l.off.Load() && l.left.Add(-int64(len(p))) < 0 {
		return 0, fmt.Errorf("the directory has more than %d bytes", MaxDirectory)
	}
	return l.ReaderAt.ReadAt(p, at)
}

// Open opens a WACZ of size bytes. It reads the directory of the ZIP and
// datapackage.json; a datapackage.json that is missing or cannot be understood
// is no error here (see File.Package). The error is ErrNotWACZ or that of the
// file or its directory.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size, entries: map[string]*zip.File{}}
	var head [1]byte
	if n, err := r.ReadAt(head[:], 0); n < 1 {
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("wacz: %w", err)
		}
		return nil, ErrNotWACZ
	}
	if strings.IndexByte("{ \t\r\n", head[0]) >= 0 {
		if size > MaxManifest {
			return nil, fmt.Errorf("wacz: a datapackage.json of %d bytes; at most %d are read", size, MaxManifest)
		}
		b, err := io.ReadAll(io.NewSectionReader(r, 0, size))
		if err != nil {
			return nil, fmt.Errorf("wacz: %w", err)
		}
		if f.pkg, err = parsePackage(b); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotWACZ, err)
		}
		f.bare = true
		return f, nil
	}
	l := &limited{ReaderAt: r}
	l.left.Store(MaxDirectory + 1<<20)
	z, err := zip.NewReader(l, size)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("%w: %w", ErrNotWACZ, err)
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("wacz: read the directory of the ZIP: %w", err)
	}
	l.off.Store(true)
	f.index(z)
	f.readPackage()
	return f, nil
}

// index takes the entries whose names can be relied on.
func (f *File) index(z *zip.Reader) {
	folded := map[string]string{}
	for _, e := range z.File {
		name := e.Name
		if why := unsafeName(name); why != "" {
			f.bad = append(f.bad, badName{name: name, why: why})
			continue
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if first, ok := folded[strings.ToLower(name)]; ok {
			why := "an entry of that name is there already"
			if first != name {
				why = fmt.Sprintf("it differs from the entry %q by capitals only", first)
			}
			f.bad = append(f.bad, badName{name: name, why: why})
			if first == name {
				delete(f.entries, name) // nobody can tell which one is meant
			}
			continue
		}
		folded[strings.ToLower(name)] = name
		f.entries[name] = e
		f.names = append(f.names, name)
	}
	kept := f.names[:0]
	for _, name := range f.names {
		if f.entries[name] != nil {
			kept = append(kept, name)
		}
	}
	f.names = kept
}

// unsafeName says why a name must not be used as a path, or "".
func unsafeName(name string) string {
	switch p := strings.TrimSuffix(name, "/"); {
	case len(name) > 4096:
		return "the name has more than 4096 bytes"
	case strings.ContainsAny(name, "\\\x00"):
		return "the name has a backslash or a zero byte"
	case p == "." || !fs.ValidPath(p):
		return "the name leads out of the archive, or is not a plain path"
	case len(p) > 1 && p[1] == ':':
		return "the name begins with a drive letter"
	}
	return ""
}

func (f *File) readPackage() {
	b, err := f.ReadFile(manifestName, MaxManifest)
	if err == nil {
		f.pkg, err = parsePackage(b)
	}
	f.pkgErr = err
}

// Package gives what datapackage.json says. The error matches fs.ErrNotExist if
// there is none.
func (f *File) Package() (*Package, error) {
	if f.pkgErr != nil {
		return nil, f.pkgErr
	}
	return f.pkg, nil
}

// Names are the names of all entries that can be opened, in the order of the
// ZIP's directory.
func (f *File) Names() []string { return f.names }

// below gives the names in a folder, sorted.
func (f *File) below(dir string) []string {
	var list []string
	for _, name := range f.names {
		if strings.HasPrefix(name, dir) {
			list = append(list, name)
		}
	}
	sort.Strings(list)
	return list
}

// WARCs are the names of the WARC files, sorted.
func (f *File) WARCs() []string { return f.below("archive/") }

func (f *File) entry(name string) (*zip.File, error) {
	if e := f.entries[name]; e != nil {
		return e, nil
	}
	for _, b := range f.bad {
		if b.name == name {
			return nil, fmt.Errorf("wacz: open %q: %s", name, b.why)
		}
	}
	return nil, fmt.Errorf("wacz: open %q: %w", name, fs.ErrNotExist)
}

// Open gives the content of an entry as a stream. At its end the checksum of
// the ZIP is compared.
func (f *File) Open(name string) (io.ReadCloser, error) {
	e, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	rc, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("wacz: open %q: %w", name, err)
	}
	return rc, nil
}

// ReadFile reads an entry of at most limit bytes.
func (f *File) ReadFile(name string, limit int64) ([]byte, error) {
	rc, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer rc.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(rc, limit+1))
	if err != nil {
		return nil, fmt.Errorf("wacz: read %q: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("wacz: read %q: it has more than %d bytes", name, limit)
	}
	return b, nil
}

// ErrDeflated says that an entry cannot be read at random because it is packed.
var ErrDeflated = errors.New("the entry is deflated and cannot be read at random; WACZ wants it stored")

// Section gives the content of a stored entry for reading at random. The error
// matches ErrDeflated if the entry is packed.
func (f *File) Section(name string) (*io.SectionReader, error) {
	e, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	if e.Method != zip.Store || e.Flags&1 != 0 {
		return nil, fmt.Errorf("wacz: open %q: %w", name, ErrDeflated)
	}
	at, err := e.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("wacz: open %q: %w", name, err)
	}
	n := int64(e.UncompressedSize64)
	if n < 0 || at < 0 || n > f.size-at || e.CompressedSize64 != e.UncompressedSize64 {
		return nil, fmt.Errorf("wacz: open %q: the entry reaches beyond the end of the file", name)
	}
	return io.NewSectionReader(f.r, at, n), nil
}

// Record gives the record at offset of the WARC called filename, with or
// without the folder: as a line of the index names it.
func (f *File) Record(filename string, offset int64) (*warc.ReadRecord, error) {
	if !strings.Contains(filename, "/") {
		filename = "archive/" + filename
	}
	s, err := f.Section(filename)
	if err != nil {
		return nil, err
	}
	return warc.ReadAt(s, s.Size(), offset)
}

// Members are the WACZ files that a multi-WACZ is of: the paths of its
// resources, which are names of entries or, outside the file, URLs or paths
// beside it. A plain WACZ has none.
func (f *File) Members() []string {
	if f.pkg == nil {
		return nil
	}
	var list []string
	for _, r := range f.pkg.Resources {
		p, _, _ := strings.Cut(r.Path, "?")
		if strings.EqualFold(path.Ext(p), ".wacz") || f.pkg.Profile == ProfileMulti {
			list = append(list, r.Path)
		}
	}
	return list
}

// Member opens a WACZ that lies, stored, in this one.
func (f *File) Member(name string) (*File, error) {
	s, err := f.Section(name)
	if err != nil {
		return nil, err
	}
	return Open(s, s.Size())
}

// The profiles of datapackage.json. None at all is common too.
const (
	ProfileDataPackage = "data-package"
	ProfileWACZ        = "wacz-package"
	ProfileMulti       = "multi-wacz-package"
)

// A Package is what datapackage.json says.
type Package struct {
	Profile      string     `json:"profile,omitempty"`
	Resources    []Resource `json:"resources"`
	WACZVersion  string     `json:"wacz_version,omitempty"` // "1.1.1"
	Title        string     `json:"title,omitempty"`
	Description  string     `json:"description,omitempty"` // Markdown
	Created      string     `json:"created,omitempty"`     // RFC 3339
	Modified     string     `json:"modified,omitempty"`
	Software     string     `json:"software,omitempty"`
	MainPageURL  string     `json:"mainPageUrl,omitempty"`
	MainPageDate string     `json:"mainPageDate,omitempty"` // RFC 3339
}

// A Resource is a file that datapackage.json lists.
type Resource struct {
	Name  string `json:"name"`
	Path  string `json:"path"`
	Hash  string `json:"hash"`  // "sha256:" and hex, of the unpacked content
	Bytes int64  `json:"bytes"` // of the unpacked content; -1: not said

	// Version 1.0 of the format, and Frictionless, put them here.
	elder bool
}

func parsePackage(b []byte) (*Package, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	var raw struct {
		Package
		Resources []struct {
			Name    string
			Path    string
			Hash    string
			Bytes   *int64
			Hashing string
			Stats   *struct {
				Hash  string
				Bytes *int64
			}
		} `json:"resources"`
		Metadata struct{ Title, Desc string } `json:"metadata"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("wacz: %s cannot be understood: %w", manifestName, err)
	}
	p := raw.Package
	p.Resources = make([]Resource, 0, len(raw.Resources))
	for _, r := range raw.Resources {
		out := Resource{Name: r.Name, Path: r.Path, Hash: r.Hash, Bytes: -1}
		size := r.Bytes
		if r.Stats != nil {
			out.elder = true
			if out.Hash == "" {
				out.Hash = r.Stats.Hash
			}
			if size == nil {
				size = r.Stats.Bytes
			}
		}
		if out.Hash != "" && !strings.Contains(out.Hash, ":") {
			label := r.Hashing
			if label == "" {
				label = "md5" // the default of Frictionless data packages
			}
			out.Hash = label + ":" + out.Hash
		}
		if size != nil {
			out.Bytes = *size
		}
		p.Resources = append(p.Resources, out)
	}
	if p.Title == "" {
		p.Title = raw.Metadata.Title
	}
	if p.Description == "" {
		p.Description = raw.Metadata.Desc
	}
	return &p, nil
}
