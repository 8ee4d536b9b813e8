package wacz

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// Version is the version of the format that Writer writes.
const Version = "1.1.1"

// WriterOptions says what a WACZ tells about itself. Created and Software are
// required.
type WriterOptions struct {
	Title        string
	Description  string // Markdown
	Created      time.Time
	Software     string // "refrain 1.0"
	MainPageURL  string // shown first; empty: players show the list of pages
	MainPageDate time.Time

	// Key signs the archive as its holder, without a name: ECDSA P-384. Nil: it
	// is not signed.
	Key *ecdsa.PrivateKey

	PlainIndex int64  // bytes of index lines up to which the index is a plain index.cdxj; 0 is 50,000
	BlockLines int    // lines of a block of a compressed index; 0 is 1,024
	TempDir    string // for index lines and pages until they are written; empty is the system's
}

// A Writer writes a WACZ to a file. Everything is streamed: what is in memory
// does not grow with the WARCs or pages, but for one line of 150 bytes per
// block of a compressed index. It is not safe for concurrent use. After an
// error only Abort makes sense.
type Writer struct {
	o         WriterOptions
	name, tmp string
	out       *os.File
	buf       *bufio.Writer
	zip       *zip.Writer
	resources []Resource
	paths     map[string]bool // lower case
	names     map[string]bool // of resources

	lines     *cdx.Sorter
	lineBytes int64
	line      []byte

	cur      *resourceWriter // the WARC that Record writes to
	curWARC  *warc.Writer    // nil: to be made, as what was copied moved the place
	curName  string
	curInfo  string // id of the last warcinfo that Record wrote
	copyBuf  []byte
	pages    [2]*pageList
	finished bool
}

// Create begins a WACZ called name, which must not exist. It is written as
// name + ".open" and has its name only when Close has read it back.
func Create(name string, o WriterOptions) (*Writer, error) {
	if o.Created.IsZero() || o.Software == "" {
		return nil, errors.New("wacz: create: Created and Software are required")
	}
	if o.Key != nil && o.Key.Curve != elliptic.P384() {
		return nil, fmt.Errorf("wacz: create %s: the key is of the curve %s; the format wants P-384", name, o.Key.Params().Name)
	}
	if o.PlainIndex == 0 {
		o.PlainIndex = 50_000
	}
	if o.BlockLines <= 0 {
		o.BlockLines = 1024
	}
	if _, err := os.Lstat(name); err == nil {
		return nil, fmt.Errorf("wacz: create %s: it is there already; choose another name", name)
	}
	tmp := name + ".open"
	out, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("wacz: create %s: the unfinished %s is there: wait for the run that writes it, or remove it if that run was broken off", name, tmp)
	}
	if err != nil {
		return nil, fmt.Errorf("wacz: create %s: %w", name, err)
	}
	w := &Writer{o: o, name: name, tmp: tmp, out: out, buf: bufio.NewWriterSize(out, 256<<10), paths: map[string]bool{}, names: map[string]bool{},
		lines: cdx.NewSorter(cdx.SortOptions{Memory: 2 << 20, Dir: o.TempDir})}
	w.zip = zip.NewWriter(w.buf)
	return w, nil
}

// A resourceWriter hashes what goes into an entry.
type resourceWriter struct {
	w    io.Writer
	h    hash.Hash
	n    int64
	path string
}

func (r *resourceWriter) Write(p []byte) (int, error) {
	n, err := r.w.Write(p)
	r.h.Write(p[:n])
	r.n += int64(n)
	return n, err
}

func (w *Writer) begin(name string, method uint16) (*resourceWriter, error) {
	if w.finished {
		return nil, errors.New("wacz: the writer is closed")
	}
	if why := unsafeName(name); why != "" {
		return nil, fmt.Errorf("wacz: add %q: %s", name, why)
	}
	if w.paths[strings.ToLower(name)] {
		return nil, fmt.Errorf("wacz: add %q: a file of that name is there already", name)
	}
	w.endWARC()
	w.paths[strings.ToLower(name)] = true
	// With Modified, both headers of the entry have an extra field: some players
	// look for the content at a wrong place if only one has.
	e, err := w.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: w.o.Created.UTC()})
	if err != nil {
		return nil, fmt.Errorf("wacz: add %q: %w", name, err)
	}
	return &resourceWriter{w: e, h: sha256.New(), path: name}, nil
}

var notInName = regexp.MustCompile(`[^-a-z0-9._/]+`)

func (w *Writer) end(r *resourceWriter) {
	name := notInName.ReplaceAllString(strings.ToLower(path.Base(r.path)), "-")
	if w.names[name] {
		name = notInName.ReplaceAllString(strings.ToLower(r.path), "-")
	}
	w.names[name] = true
	w.resources = append(w.resources, Resource{Name: name, Path: r.path, Hash: "sha256:" + hex.EncodeToString(r.h.Sum(nil)), Bytes: r.n})
}

func (w *Writer) endWARC() {
	if w.cur != nil {
		w.end(w.cur)
		w.cur = nil
	}
}

func checkWARCName(name string) error {
	if strings.ContainsAny(name, "/\\ ") || !strings.HasSuffix(name, ".warc.gz") && !strings.HasSuffix(name, ".warc") {
		return fmt.Errorf("wacz: add %q: the name of a WARC is a base name without blanks that ends in .warc.gz or .warc", name)
	}
	return nil
}

func (w *Writer) addLine(l *cdx.Line) error {
	w.line = l.Append(w.line[:0])
	w.lineBytes += int64(len(w.line)) + 1
	return w.lines.AddBytes(w.line)
}

// AddWARC adds a whole WARC file, byte for byte, and indexes it. name is its base
// name. A WARC that cannot be read to its end is an error: warc.Repair makes a
// sound copy of it.
func (w *Writer) AddWARC(ctx context.Context, name string, r io.Reader) error {
	if err := checkWARCName(name); err != nil {
		return err
	}
	e, err := w.begin("archive/"+name, zip.Store)
	if err != nil {
		return err
	}
	tee := io.TeeReader(r, e)
	o := cdx.IndexOptions{Options: cdx.Options{Key: cdx.WebrecorderKey}}
	if _, err := cdx.Index(ctx, tee, name, o, w.addLine); err != nil {
		return fmt.Errorf("wacz: add %s: %w", name, err)
	}
	if _, err := copyContext(ctx, io.Discard, tee); err != nil {
		return fmt.Errorf("wacz: add %s: %w", name, err)
	}
	w.end(e)
	return nil
}

// NewWARC begins a WARC of single records, to which Record writes until the next
// file is added. name is its base name and ends in .warc.gz.
func (w *Writer) NewWARC(name string) error {
	if err := checkWARCName(name); err != nil {
		return err
	}
	e, err := w.begin("archive/"+name, zip.Store)
	if err != nil {
		return err
	}
	w.cur, w.curName, w.curWARC, w.curInfo = e, name, nil, ""
	return nil
}

// warc gives the writer of the WARC that NewWARC began.
func (w *Writer) warc() *warc.Writer {
	if w.curWARC == nil {
		c := warc.Auto
		if strings.HasSuffix(w.curName, ".warc") {
			c = warc.Plain
		}
		w.curWARC = warc.NewWriter(w.cur, warc.WriterOptions{Compression: c, Offset: w.cur.n, WarcinfoID: w.curInfo})
	}
	return w.curWARC
}

// Record writes a record to the WARC that NewWARC began, and indexes it. The
// first record should be a warcinfo.
func (w *Writer) Record(r *warc.Record) error {
	if w.cur == nil {
		return errors.New("wacz: Record without NewWARC before it")
	}
	pos, err := w.warc().Write(r)
	if err != nil {
		return fmt.Errorf("wacz: %s: %w", w.curName, err)
	}
	if r.Header.Type() == warc.TypeWarcinfo {
		w.curInfo = r.ID()
	}
	l, ok, err := cdx.FromRecord(r, pos, w.curName, cdx.Options{Key: cdx.WebrecorderKey})
	if err != nil {
		return fmt.Errorf("wacz: index %s: %w", w.curName, err)
	}
	if !ok {
		return nil
	}
	return w.addLine(&l)
}

// AddFile adds a further file, such as evidence/log.json: one folder deep, with
// a dot in its name, and not in a folder that has a meaning.
func (w *Writer) AddFile(ctx context.Context, name string, r io.Reader) error {
	dir, base := path.Split(name)
	if strings.Count(name, "/") != 1 || !strings.Contains(base, ".") || dir == "archive/" || dir == "indexes/" || dir == "pages/" {
		return fmt.Errorf("wacz: add %q: a further file lies one folder deep, has a dot in its name, and is not in archive, indexes or pages", name)
	}
	e, err := w.begin(name, zip.Deflate)
	if err != nil {
		return err
	}
	if _, err := copyContext(ctx, e, r); err != nil {
		return fmt.Errorf("wacz: add %s: %w", name, err)
	}
	w.end(e)
	return nil
}

// A pageList keeps pages in a temporary file until the list is written.
type pageList struct {
	f       *os.File
	buf     *bufio.Writer
	n       int
	hasText bool
}

// AddPage adds a page to pages.jsonl. URL and TS are required; TS is the WARC-Date
// of its record to the second. An empty ID becomes page-1, page-2, ….
func (w *Writer) AddPage(p Page) error { return w.addPage(0, p) }

// AddExtraPage adds a page to extraPages.jsonl: one that was captured on the way
// and is not listed first.
func (w *Writer) AddExtraPage(p Page) error { return w.addPage(1, p) }

func (w *Writer) addPage(list int, p Page) error {
	if w.finished {
		return errors.New("wacz: the writer is closed")
	}
	if _, err := time.Parse(time.RFC3339, p.TS); err != nil || p.URL == "" {
		return fmt.Errorf("wacz: add the page %q: it must have a URL, and a TS in RFC 3339, not %q", p.URL, p.TS)
	}
	l := w.pages[list]
	if l == nil {
		f, err := os.CreateTemp(w.o.TempDir, "refrain-wacz-*")
		if err != nil {
			return fmt.Errorf("wacz: add a page: %w", err)
		}
		l = &pageList{f: f, buf: bufio.NewWriter(f)}
		w.pages[list] = l
	}
	l.n++
	if p.ID == "" {
		p.ID = fmt.Sprintf("page-%d", l.n)
	}
	l.hasText = l.hasText || p.Text != ""
	b, err := marshal(p, "")
	if err == nil && len(b) >= MaxPage {
		err = fmt.Errorf("its line has %d bytes; at most %d can be read", len(b), MaxPage)
	}
	if err == nil {
		_, err = l.buf.Write(b)
	}
	if err != nil {
		return fmt.Errorf("wacz: add the page %q: %w", p.URL, err)
	}
	return nil
}

// marshal is json.Marshal without the escapes for HTML, and with a line end.
func marshal(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}

func (w *Writer) writePages(ctx context.Context, list int, name string, head pagesHeader) error {
	l := w.pages[list]
	if l == nil && list > 0 {
		return nil
	}
	e, err := w.begin(name, zip.Deflate)
	if err != nil {
		return err
	}
	head.Format, head.HasText = "json-pages-1.0", l != nil && l.hasText
	b, err := marshal(head, "")
	if err != nil {
		return err
	}
	if _, err := e.Write(b); err != nil {
		return err
	}
	if l != nil {
		if err := l.buf.Flush(); err != nil {
			return err
		}
		if _, err := l.f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if _, err := copyContext(ctx, e, l.f); err != nil {
			return err
		}
	}
	w.end(e)
	return nil
}

func (w *Writer) writeIndex() error {
	if w.lineBytes < w.o.PlainIndex {
		e, err := w.begin("indexes/index.cdxj", zip.Deflate)
		if err != nil {
			return err
		}
		if _, err := w.lines.WriteTo(e); err != nil {
			return err
		}
		w.end(e)
		return nil
	}
	e, err := w.begin("indexes/index.cdx.gz", zip.Store)
	if err != nil {
		return err
	}
	b := &blockWriter{out: e, lines: w.o.BlockLines}
	b.idx.WriteString("!meta 0 {\"format\": \"cdxj-gzip-1.0\", \"filename\": \"index.cdx.gz\"}\n")
	if _, err := w.lines.WriteTo(b); err != nil {
		return err
	}
	if err := b.flush(); err != nil {
		return err
	}
	w.end(e)
	if e, err = w.begin("indexes/index.idx", zip.Deflate); err != nil {
		return err
	}
	if _, err := e.Write(b.idx.Bytes()); err != nil {
		return err
	}
	w.end(e)
	return nil
}

func (w *Writer) writeManifest() error {
	p := Package{Profile: ProfileDataPackage, Resources: w.resources, WACZVersion: Version, Title: w.o.Title, Description: w.o.Description,
		Created: w.o.Created.UTC().Format(time.RFC3339), Software: w.o.Software, MainPageURL: w.o.MainPageURL}
	if !w.o.MainPageDate.IsZero() {
		p.MainPageDate = w.o.MainPageDate.UTC().Format(time.RFC3339)
	}
	manifest, err := marshal(p, "  ")
	if err != nil {
		return err
	}
	e, err := w.begin(manifestName, zip.Deflate)
	if err != nil {
		return err
	}
	if _, err := e.Write(manifest); err != nil {
		return err
	}
	d := struct {
		Path       string      `json:"path"`
		Hash       string      `json:"hash"`
		SignedData *signedData `json:"signedData,omitempty"`
	}{Path: manifestName, Hash: warc.SHA256(manifest)}
	if w.o.Key != nil {
		if d.SignedData, err = sign(w.o.Key, d.Hash); err != nil {
			return err
		}
		d.SignedData.Created, d.SignedData.Software = p.Created, p.Software
	}
	b, err := marshal(d, "  ")
	if err != nil {
		return err
	}
	if e, err = w.begin(digestName, zip.Deflate); err != nil {
		return err
	}
	_, err = e.Write(b)
	return err
}

func sign(key *ecdsa.PrivateKey, hash string) (*signedData, error) {
	sum := sha256.Sum256([]byte(hash))
	der, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	raw := make([]byte, 96)
	pair.R.FillBytes(raw[:48])
	pair.S.FillBytes(raw[48:])
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	return &signedData{Hash: hash, Signature: base64.StdEncoding.EncodeToString(raw), PublicKey: base64.StdEncoding.EncodeToString(pub)}, nil
}

// Close writes the index, the lists of pages, datapackage.json and its digest,
// brings all to disk, reads the whole file back and compares it with what was
// hashed on the way, and gives the file its name. After an error there is no file
// of that name and the unfinished one is removed.
func (w *Writer) Close(ctx context.Context) (err error) {
	if w.finished {
		return errors.New("wacz: the writer is closed")
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("wacz: finish %s: %w", w.name, err)
		}
		w.Abort() //nolint:errcheck // err says more; after the rename nothing is left to remove
	}()
	for _, step := range []func() error{
		w.writeIndex,
		func() error {
			return w.writePages(ctx, 0, PagesName, pagesHeader{ID: "pages", Title: "All Pages"})
		},
		func() error {
			return w.writePages(ctx, 1, ExtraPagesName, pagesHeader{ID: "extra", Title: "Extra Pages"})
		},
		w.writeManifest,
		w.zip.Close,
		w.buf.Flush,
		w.out.Sync,
		func() error { return w.readBack(ctx) },
		w.out.Close,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := fsys.OS.Rename(w.tmp, w.name); err != nil {
		return err
	}
	if err := fsys.OS.SyncDir(filepath.Dir(w.name)); err != nil {
		return err
	}
	return nil
}

// readBack checks the file as it is on disk: every hash, the digest, pages and
// index blocks. The records were digested when they were captured.
func (w *Writer) readBack(ctx context.Context) error {
	info, err := w.out.Stat()
	if err != nil {
		return err
	}
	f, err := Open(w.out, info.Size())
	if err != nil {
		return err
	}
	if len(f.Names()) != len(w.resources)+2 {
		return fmt.Errorf("read back: %d files, written were %d", len(f.Names()), len(w.resources)+2)
	}
	v := &verifier{ctx: ctx, f: f, report: &Report{Verdict: warc.Sound}, listed: map[string]bool{}}
	for _, step := range []func() error{v.names, v.manifest, v.digest, v.pages, v.index} {
		if err := step(); err != nil {
			return fmt.Errorf("read back: %w", err)
		}
	}
	for _, f := range v.report.Findings {
		if f.Severity == warc.SeverityDamage {
			return fmt.Errorf("read back: %s: %s", f.Entry, f.Detail)
		}
	}
	if p, err := f.Package(); err != nil || len(p.Resources) != len(w.resources) {
		return fmt.Errorf("read back: datapackage.json does not list what was written (%v)", err)
	}
	return ctx.Err()
}

// Abort removes the unfinished file and temporary ones. After Close it does
// nothing.
func (w *Writer) Abort() error {
	if w.finished {
		return nil
	}
	w.finished = true
	for _, l := range w.pages {
		if l != nil {
			l.f.Close()           //nolint:errcheck // temporary
			os.Remove(l.f.Name()) //nolint:errcheck // temporary
		}
	}
	err := w.lines.Close()
	w.out.Close() //nolint:errcheck // Close has reported it
	if rerr := os.Remove(w.tmp); rerr != nil && !errors.Is(rerr, os.ErrNotExist) && err == nil {
		err = rerr
	}
	return err
}
