package wacz

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// A Finding is one thing that Verify found.
type Finding struct {
	Entry    string        `json:"entry,omitempty"` // of the ZIP; empty: it concerns the file as a whole
	Offset   int64         `json:"offset,omitempty"`
	RecordID string        `json:"record_id,omitempty"`
	Code     string        `json:"code"`
	Severity warc.Severity `json:"severity"`
	Detail   string        `json:"detail"`  // what was found here
	Meaning  string        `json:"meaning"` // what that means
}

// A Signature is what was found out about signedData.
type Signature struct {
	Form    string `json:"form"` // "anonymous" or "domain"
	Valid   bool   `json:"valid"`
	Signer  string `json:"signer,omitempty"` // sha256 of the public key, or the domain
	Created string `json:"created,omitempty"`
}

// A Report is what Verify says about one WACZ.
type Report struct {
	File      string         `json:"file"`
	Size      int64          `json:"size"` // bytes
	Profile   string         `json:"profile,omitempty"`
	Version   string         `json:"wacz_version,omitempty"`
	Resources int            `json:"resources"` // whose hash was computed and fits
	Pages     int64          `json:"pages"`
	Lines     int64          `json:"lines"` // of the index
	WARCs     []*warc.Report `json:"warcs,omitempty"`
	Signature *Signature     `json:"signature,omitempty"` // nil: it is not signed
	Members   []*Report      `json:"members,omitempty"`   // of a multi-WACZ, those that lie in it
	Verdict   warc.Verdict   `json:"verdict"`
	Findings  []Finding      `json:"findings,omitempty"`
	More      int            `json:"more,omitempty"` // findings beyond those listed
}

// maxFindings is how many findings of a file are listed.
const maxFindings = 1000

// maxUnpack is the most bytes of a deflated WARC that are unpacked to a
// temporary file for its check.
const maxUnpack = 4 << 30

type verifier struct {
	ctx    context.Context
	f      *File
	report *Report
	listed map[string]bool
	depth  int
}

func (v *verifier) add(f Finding) {
	f.Severity = warc.SeverityDamage
	if m, ok := meanings[f.Code]; ok {
		f.Severity, f.Meaning = m.severity, m.text
	}
	v.put(f)
}

func (v *verifier) put(f Finding) {
	switch {
	case f.Severity == warc.SeverityDamage:
		v.report.Verdict = warc.Damaged
	case v.report.Verdict == warc.Sound:
		v.report.Verdict = warc.SoundWithRemarks
	}
	if len(v.report.Findings) >= maxFindings {
		v.report.More++
		return
	}
	v.report.Findings = append(v.report.Findings, f)
}

func (v *verifier) addf(code, entry, format string, args ...any) {
	v.add(Finding{Entry: entry, Code: code, Detail: fmt.Sprintf(format, args...)})
}

// Verify checks all of a WACZ of size bytes: the names in the ZIP, the sha256
// and size of every file that datapackage.json lists and that no other is
// there, the digest of datapackage.json and the signature over it, pages, index
// lines against their records, and every WARC as warc.Verify does. name is put
// into the report. A file that is no WACZ at all is damaged, not an error; the
// error is for a file that cannot be read and for ctx.
func Verify(ctx context.Context, r io.ReaderAt, size int64, name string) (*Report, error) {
	return verify(ctx, r, size, name, 0)
}

func verify(ctx context.Context, r io.ReaderAt, size int64, name string, depth int) (*Report, error) {
	v := &verifier{ctx: ctx, report: &Report{File: name, Size: size, Verdict: warc.Sound}, listed: map[string]bool{}, depth: depth}
	var one [1]byte
	if _, err := r.ReadAt(one[:], 0); err != nil && err != io.EOF {
		return nil, fmt.Errorf("wacz: verify %s: %w", name, err)
	}
	f, err := Open(r, size)
	if err != nil {
		v.addf("not-wacz", "", "%v", err)
		return v.report, nil
	}
	v.f = f
	for _, step := range []func() error{v.names, v.manifest, v.digest, v.pages, v.warcs, v.index, v.members} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("wacz: verify %s: %w", name, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("wacz: verify %s: %w", name, err)
		}
	}
	return v.report, nil
}

func (v *verifier) names() error {
	for _, b := range v.f.bad {
		v.addf("name", b.name, "the entry %q is not opened: %s", b.name, b.why)
	}
	for _, name := range v.f.names {
		e := v.f.entries[name]
		stored := strings.HasPrefix(name, "archive/") || strings.HasPrefix(name, "indexes/") && strings.HasSuffix(name, ".gz")
		if stored && e.Method != zip.Store {
			v.addf("not-stored", name, "the entry is packed by method %d", e.Method)
		}
		if strings.HasPrefix(name, "archive/") && !isWARC(name) {
			v.addf("not-a-warc", name, "the name does not end in .warc, .warc.gz, .arc or .arc.gz")
		}
		at, err := e.DataOffset()
		if err != nil {
			v.addf("zip", name, "the entry cannot be found: %v", err)
			continue
		}
		if len(e.Extra) == 0 {
			head := make([]byte, 30+len(name))
			if _, err := v.f.r.ReadAt(head, at-int64(len(head))); err != nil || string(head[:4]) != "PK\x03\x04" || string(head[30:]) != name {
				v.addf("local-header", name, "the entry's own header has other fields than the directory of the ZIP")
			}
		}
	}
	return nil
}

func isWARC(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	return strings.HasSuffix(name, ".warc") || strings.HasSuffix(name, ".arc")
}

// manifest checks datapackage.json and the files that it lists.
func (v *verifier) manifest() error {
	p, err := v.f.Package()
	if err != nil {
		v.addf("manifest", manifestName, "%v", err)
		return nil
	}
	v.report.Profile, v.report.Version = p.Profile, p.WACZVersion
	switch p.Profile {
	case ProfileDataPackage, ProfileWACZ, ProfileMulti:
	case "":
		v.addf("profile", manifestName, "no profile")
	default:
		v.addf("profile", manifestName, "the profile %q", p.Profile)
	}
	if !v.f.bare && p.WACZVersion != "1.1.1" {
		v.addf("version", manifestName, "wacz_version is %q", p.WACZVersion)
	}
	if len(p.Resources) == 0 {
		v.addf("manifest", manifestName, "it lists no files")
	}
	for _, r := range p.Resources {
		if v.listed[r.Path] {
			v.addf("listed-twice", r.Path, "datapackage.json lists the file twice")
		}
		v.listed[r.Path] = true
		if v.f.bare || strings.Contains(r.Path, "://") {
			continue // lies elsewhere
		}
		if r.elder {
			v.addf("elder-stats", r.Path, "hash and bytes stand in stats")
		}
		if err := v.resource(r); err != nil {
			return err
		}
	}
	if v.f.bare {
		return nil
	}
	for _, name := range v.f.names {
		if !v.listed[name] && name != manifestName && name != digestName {
			v.addf("unlisted", name, "datapackage.json does not list the file")
		}
	}
	return nil
}

func hashOf(s string) (hash.Hash, []byte, error) {
	label, value, _ := strings.Cut(s, ":")
	sum, err := hex.DecodeString(value)
	if err != nil {
		return nil, nil, err
	}
	var h hash.Hash
	switch strings.ToLower(label) {
	case "sha256":
		h = sha256.New()
	case "sha512":
		h = sha512.New()
	case "sha224":
		h = sha256.New224()
	case "sha1":
		h = sha1.New()
	case "md5":
		h = md5.New()
	default:
		return nil, nil, fmt.Errorf("the algorithm %q is not known", label)
	}
	if h.Size() != len(sum) {
		return nil, nil, fmt.Errorf("%d bytes are no %s", len(sum), label)
	}
	return h, sum, nil
}

func (v *verifier) resource(r Resource) error {
	rc, err := v.f.Open(r.Path)
	if errors.Is(err, fs.ErrNotExist) {
		v.addf("missing", r.Path, "datapackage.json lists the file, the ZIP does not have it")
		return nil
	}
	if err != nil {
		v.addf("zip", r.Path, "%v", err)
		return nil
	}
	defer rc.Close() //nolint:errcheck // only read
	h, sum, err := hashOf(r.Hash)
	if err != nil {
		v.addf("no-hash", r.Path, "the hash %.100q cannot be checked: %v", r.Hash, err)
		h = sha256.New()
	} else if !strings.HasPrefix(r.Hash, "sha256:") {
		v.addf("weak-hash", r.Path, "the hash is %.20q", r.Hash)
	}
	n, err := copyContext(v.ctx, h, rc)
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	if err != nil {
		v.addf("zip", r.Path, "the entry cannot be read after %d bytes: %v", n, err)
		return nil
	}
	if r.Bytes < 0 {
		v.addf("no-bytes", r.Path, "datapackage.json does not say how many bytes the file has")
	} else if r.Bytes != n {
		v.addf("bytes", r.Path, "the file has %d bytes, datapackage.json says %d", n, r.Bytes)
	}
	if sum == nil {
		return nil
	}
	if have := h.Sum(nil); !bytes.Equal(have, sum) {
		v.addf("hash", r.Path, "the file hashes to %x, datapackage.json says %s", have, r.Hash)
		return nil
	}
	v.report.Resources++
	return nil
}

// copyPiece is how much is copied at a time.
const copyPiece = 256 << 10

func copyContext(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	return copyBuffer(ctx, w, r, make([]byte, copyPiece))
}

func copyBuffer(ctx context.Context, w io.Writer, r io.Reader, buf []byte) (int64, error) {
	var n int64
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		m, err := r.Read(buf)
		if _, werr := w.Write(buf[:m]); werr != nil {
			return n, werr
		}
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// digest checks datapackage-digest.json.
func (v *verifier) digest() error {
	if v.f.bare {
		return nil
	}
	b, err := v.f.ReadFile(digestName, MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		v.addf("no-package-digest", digestName, "there is none")
		return nil
	}
	var d struct {
		Path       string
		Hash       string
		SignedData json.RawMessage
	}
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		v.addf("digest", digestName, "it cannot be understood: %v", err)
		return nil
	}
	manifest, err := v.f.ReadFile(manifestName, MaxManifest)
	if err != nil {
		v.addf("digest", digestName, "what it is of cannot be read: %v", err)
		return nil
	}
	if d.Path != manifestName {
		v.addf("digest", digestName, "it is of %q, not of %s", d.Path, manifestName)
	}
	have := warc.SHA256(manifest)
	if d.Hash != have {
		v.addf("digest", digestName, "datapackage.json hashes to %s, the digest says %.100q", have, d.Hash)
	}
	if len(d.SignedData) > 0 && string(d.SignedData) != "null" {
		v.signature(d.SignedData, have)
	}
	return nil
}

func (v *verifier) pages() error {
	if v.f.bare || len(v.f.Members()) > 0 {
		return nil
	}
	for _, name := range []string{PagesName, ExtraPagesName} {
		rc, err := v.f.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			if name == PagesName {
				v.addf("no-pages", name, "there is no list of pages")
			}
			continue
		}
		if err != nil {
			v.addf("zip", name, "%v", err)
			continue
		}
		ids := map[string]bool{}
		head, _ := scanPages(rc, name, func(p Page, err error) bool {
			if err != nil {
				v.addf("page", name, "%v", err)
				return v.ctx.Err() == nil
			}
			v.report.Pages++
			if _, err := time.Parse(time.RFC3339, p.TS); err != nil {
				v.addf("page-time", name, "the page %.200q has the ts %.60q, which is not RFC 3339", p.URL, p.TS)
			}
			if p.ID != "" && len(ids) < 1<<20 {
				if ids[p.ID] {
					v.addf("page-id", name, "two pages have the id %.100q", p.ID)
				}
				ids[p.ID] = true
			}
			return v.ctx.Err() == nil
		})
		rc.Close() //nolint:errcheck // only read
		if head.Format == "" || head.ID == "" {
			v.addf("pages-header", name, "the first line is no header with format and id")
		}
	}
	return nil
}

// warcs checks each WARC, and the index against it.
func (v *verifier) warcs() error {
	names := v.f.WARCs()
	if len(names) == 0 && !v.f.bare && len(v.f.Members()) == 0 {
		v.addf("no-warc", "", "nothing lies in archive/")
	}
	for _, name := range names {
		if !isWARC(name) {
			continue
		}
		r, size, done, err := v.random(name)
		if err != nil {
			v.addf("zip", name, "%v", err)
			continue
		}
		err = v.warc(name, r, size)
		done()
		if err != nil {
			return err
		}
	}
	return nil
}

// random gives an entry for reading at random, unpacked to a temporary file if
// it must be.
func (v *verifier) random(name string) (io.ReaderAt, int64, func(), error) {
	s, err := v.f.Section(name)
	if err == nil {
		return s, s.Size(), func() {}, nil
	}
	if !errors.Is(err, ErrDeflated) {
		return nil, 0, nil, err
	}
	rc, err := v.f.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	defer rc.Close() //nolint:errcheck // only read
	tmp, err := os.CreateTemp("", "refrain-wacz-*")
	if err != nil {
		return nil, 0, nil, err
	}
	done := func() {
		tmp.Close()           //nolint:errcheck // temporary
		os.Remove(tmp.Name()) //nolint:errcheck // temporary
	}
	n, err := copyContext(v.ctx, tmp, io.LimitReader(rc, maxUnpack+1))
	if err == nil && n > maxUnpack {
		err = fmt.Errorf("it unpacks to more than %d bytes", int64(maxUnpack))
	}
	if err != nil {
		done()
		return nil, 0, nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	return tmp, n, done, nil
}

func (v *verifier) warc(name string, r io.ReaderAt, size int64) error {
	report, err := warc.Verify(v.ctx, r, size, name, warc.VerifyOptions{
		// A capture may be spread over the WARCs of a WACZ.
		Elsewhere: func(string) bool { return len(v.f.WARCs()) > 1 },
	})
	if err != nil {
		return err
	}
	v.report.WARCs = append(v.report.WARCs, report)
	for _, f := range report.Findings {
		v.put(Finding{Entry: name, Offset: f.Offset, RecordID: f.RecordID, Code: string(f.Code), Severity: f.Severity, Detail: f.Detail, Meaning: f.Meaning})
	}
	switch report.Verdict { // also where the findings are too many to be listed
	case warc.Damaged:
		v.report.Verdict = warc.Damaged
	case warc.SoundWithRemarks:
		if v.report.Verdict == warc.Sound {
			v.report.Verdict = warc.SoundWithRemarks
		}
	}
	for _, index := range v.f.Indexes() {
		if !isLines(index) {
			continue
		}
		rc, err := v.f.openIndex(index)
		if err != nil {
			continue // index reports it
		}
		err = v.lines(index, rc, name, r, size)
		rc.Close() //nolint:errcheck // only read
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) lines(index string, lines io.Reader, name string, r io.ReaderAt, size int64) error {
	report, err := cdx.VerifyCDXJ(v.ctx, lines, r, size, path.Base(name))
	if v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	if err != nil {
		v.addf("index-cut", index, "%v", err)
		return nil
	}
	v.report.Lines += report.Lines
	for _, p := range report.Problems {
		code := "index-line"
		switch {
		case p.Line == 0:
			code = "index-lacks" // what is broken in the WARC itself, warc.Verify says
		case p.Remark:
			code = "index-odd"
		}
		v.add(Finding{Entry: index, Offset: p.Offset, Code: code, Detail: p.String()})
	}
	if report.Dropped > 0 {
		v.report.More += report.Dropped
		if !report.Sound {
			v.addf("index-line", index, "%d further problems are not listed", report.Dropped)
		}
	}
	return nil
}

// index checks that lines name WARCs that are there, and each index.idx.
func (v *verifier) index() error {
	if v.f.bare || len(v.f.Members()) > 0 {
		return nil
	}
	some := false
	for _, name := range v.f.Indexes() {
		switch {
		case isLines(name):
			some = true
			v.lineFiles(name)
			if strings.HasSuffix(name, ".gz") {
				if idx := v.f.idxOf(name); idx == "" {
					v.addf("no-idx", name, "there is no index.idx beside it")
				} else {
					v.idx(idx, name)
				}
			}
		case !strings.HasSuffix(name, ".idx"):
			v.addf("not-an-index", name, "the name does not end in .cdxj, .cdx, .cdx.gz or .idx")
		}
	}
	if !some {
		v.addf("no-index", "", "nothing in indexes/ is an index")
	}
	return nil
}

func (v *verifier) lineFiles(name string) {
	rc, err := v.f.openIndex(name)
	if err != nil {
		v.addf("index-cut", name, "%v", err)
		return
	}
	defer rc.Close() //nolint:errcheck // only read
	have := map[string]bool{}
	for _, w := range v.f.WARCs() {
		have[path.Base(w)] = true
	}
	scanLines(rc, name, func(l cdx.Line, err error) bool {
		if err != nil {
			v.addf("index-cut", name, "%v", err)
			return false
		}
		if !have[path.Base(l.Filename)] {
			v.addf("index-line", name, "the line of %.200q names the file %.200q, which is not in archive/", l.URL, l.Filename)
		}
		return v.ctx.Err() == nil
	})
}

func (v *verifier) idx(name, of string) {
	b, err := v.f.ReadFile(name, MaxIdx)
	if err != nil {
		v.addf("idx", name, "%v", err)
		return
	}
	blocks, format, errs := parseIdx(b)
	for _, err := range errs {
		v.addf("idx", name, "%v", err)
	}
	if format != "cdxj-gzip-1.0" {
		v.addf("idx-header", name, "the first line says the format %.60q", format)
	}
	gz, err := v.f.Section(of)
	if err != nil {
		return // not-stored is reported
	}
	at, last := int64(0), ""
	for _, b := range blocks {
		if b.Key < last {
			v.addf("idx", name, "the block %.200q is not in its place in the order of keys", b.Key)
		}
		last = b.Key
		if b.Offset != at {
			v.addf("idx", name, "the block %.200q begins at %d, the one before ends at %d", b.Key, b.Offset, at)
		}
		r, err := blockReader(gz, b)
		if err != nil {
			v.addf("idx", name, "the block %.200q: %v", b.Key, err)
			continue
		}
		at = b.Offset + b.Length
		first := ""
		scanLines(r, of, func(l cdx.Line, err error) bool {
			if err == nil {
				first = l.Key + " " + l.Timestamp
			}
			return false
		})
		if first != b.Key {
			v.addf("idx-key", name, "the block %.200q begins with the line %.200q", b.Key, first)
		}
		if b.Digest == "" {
			continue
		}
		h := sha256.New()
		_, err = copyContext(v.ctx, h, io.NewSectionReader(gz, b.Offset, b.Length))
		if have := "sha256:" + hex.EncodeToString(h.Sum(nil)); err == nil && have != b.Digest {
			v.addf("idx", name, "the block %.200q hashes to %s, the line says %.100q", b.Key, have, b.Digest)
		}
	}
	if at != gz.Size() {
		v.addf("idx", name, "the blocks end at %d, %s has %d bytes", at, of, gz.Size())
	}
}

// members checks the WACZ files of a multi-WACZ that lie in it.
func (v *verifier) members() error {
	for _, name := range v.f.Members() {
		if v.f.bare || strings.Contains(name, "://") || v.f.entries[name] == nil {
			v.addf("member-elsewhere", name, "the WACZ lies outside the file")
			continue
		}
		if v.depth >= 2 {
			v.addf("member", name, "a multi-WACZ in a multi-WACZ in a multi-WACZ is not checked")
			continue
		}
		s, err := v.f.Section(name)
		if err != nil {
			v.addf("member", name, "%v", err)
			continue
		}
		r, err := verify(v.ctx, s, s.Size(), name, v.depth+1)
		if err != nil {
			return err
		}
		v.report.Members = append(v.report.Members, r)
		switch r.Verdict {
		case warc.Damaged:
			v.addf("member", name, "the WACZ is damaged")
		case warc.SoundWithRemarks:
			v.addf("member-remarks", name, "the WACZ has remarks")
		}
	}
	return nil
}
