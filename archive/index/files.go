package index

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// importPrefix begins the target URI of the record of an imported or linked
// file; the SHA-256 follows.
const importPrefix = "urn:refrain:import:sha256:"

// TypeLink is the type of a Link.
const TypeLink = "import_link"

// A Link is the record, of application/json under urn:refrain:import:sha256:HEX,
// that says that a file which lies elsewhere belongs to the archive.
type Link struct {
	Type        string `json:"type"`   // TypeLink
	Path        string `json:"path"`   // absolute
	SHA256      string `json:"sha256"` // lower-case hex
	Size        int64  `json:"size"`   // bytes
	ContentType string `json:"content_type,omitempty"`
}

// maxNote bounds the record of a link that is read.
const maxNote = 1 << 20

// notes reads the records of imported files in a segment that may be links.
func (u *update) notes(name archive.Name, list []cdx.Line) error {
	for _, l := range list {
		if l.MIME != "application/json" {
			continue
		}
		link, at, err := u.note(name, l)
		if err != nil {
			if u.ctx.Err() != nil {
				return err
			}
			u.changes.Problems = append(u.changes.Problems, Problem{Source{Kind: KindSegment, Name: string(name)}, fmt.Sprintf("the record of %s cannot be read: %v", l.URL, err)})
			continue
		}
		if link != nil {
			u.linked(*link, linkRef{Path: link.Path, Segment: name, At: at})
		}
	}
	return nil
}

func (u *update) note(name archive.Name, l cdx.Line) (_ *Link, at time.Time, err error) {
	rec, err := u.x.opts.Archive.ReadRecord(u.ctx, post.Capture{File: string(name) + archive.WARCEnding, Offset: l.Offset})
	if err != nil {
		return nil, at, err
	}
	data, err := io.ReadAll(io.LimitReader(rec, maxNote))
	if err == nil {
		at, err = warc.ParseDate(rec.Header.Get("WARC-Date"))
	}
	if err = errors.Join(err, rec.Close()); err != nil {
		return nil, at, err
	}
	var link Link
	if json.Unmarshal(data, &link) != nil || link.Type != TypeLink || importPrefix+link.SHA256 != l.URL || link.Path == "" {
		return nil, at, nil // an imported JSON file
	}
	return &link, at, nil
}

// linked notes where a file lies.
func (u *update) linked(link Link, ref linkRef) {
	s := &u.x.state
	at := slices.IndexFunc(s.Sources, func(src source) bool { return src.Kind == KindLink && src.SHA256 == link.SHA256 })
	if at < 0 {
		at = len(s.Sources)
		s.Sources = append(s.Sources, source{Kind: KindLink, SHA256: link.SHA256, Size: link.Size})
	}
	src := &s.Sources[at]
	if slices.Contains(src.Links, ref) {
		return
	}
	src.Links = append(src.Links, ref)
	slices.SortStableFunc(src.Links, func(a, b linkRef) int { return b.At.Compare(a.At) })
	src.Name = src.Links[0].Path
	src.Stamp = stampOf{} // look again
	u.changed = true
}

// links takes in the linked files that are not yet.
func (u *update) links() error {
	for i := range u.x.state.Sources {
		src := &u.x.state.Sources[i]
		if src.Kind != KindLink || src.Taken {
			continue
		}
		u.total++
		if err := u.link(src); err != nil {
			return fmt.Errorf("%s: %w", src.Name, err)
		}
		if src.Note != "" {
			u.changes.Problems = append(u.changes.Problems, Problem{Source{Kind: src.Kind, Name: src.Name, SHA256: src.SHA256}, src.Note})
		}
	}
	return nil
}

func (u *update) link(src *source) error {
	u.progress(src.Name)
	if src.Note != "" && src.Stamp != (stampOf{}) {
		if info, err := os.Stat(src.Stamp.Path); err == nil && src.Stamp == (stampOf{src.Stamp.Path, info.Size(), info.ModTime().UTC()}) {
			return nil // it is the same wrong file as before
		}
	}
	f, stamp, err := openLinked(u.ctx, src, nil)
	var moved *LinkError
	if errors.As(err, &moved) {
		u.changed = u.changed || src.Note != err.Error() || src.Stamp != stamp
		src.Note, src.Stamp = err.Error(), stamp
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	src.Note = ""
	if err := u.file(f, src.Size, src, true); err != nil {
		return err
	}
	if after, err := stampFile(f, stamp.Path); err != nil || after != stamp {
		u.kill(src)
		src.Note = fmt.Sprintf("%s was changed while it was read: wait until it is written, then link it again", stamp.Path)
		return nil
	}
	src.Taken, src.Stamp = true, stamp
	u.changed = true
	u.changes.Sources++
	u.changes.Lines += src.Lines
	u.done++
	return nil
}

// kill gives up the lines of a source that was not taken in whole.
func (u *update) kill(src *source) {
	for i := range max(1, len(src.Members)) {
		u.dead[src.File+uint32(i)] = true
	}
	src.File, src.Members, src.Lines = 0, nil, 0
}

// imports lists the WARC and WACZ files in the archive that are not taken in
// yet, and the keys of all.
func (u *update) imports(known map[string]int) (fresh []blob.Info, objects map[string]bool, err error) {
	objects = map[string]bool{}
	for info, err := range u.x.opts.Archive.Store().List(u.ctx, "imports/", "") {
		if err != nil {
			return nil, nil, err
		}
		name := info.Key[strings.LastIndexByte(info.Key, '/')+1:]
		if !strings.Contains(name, ".warc") && !strings.HasSuffix(name, ".wacz") {
			continue
		}
		objects[info.Key] = true
		if _, ok := known[string(KindImport)+" "+info.Key]; !ok {
			fresh = append(fresh, info)
		}
	}
	return fresh, objects, nil
}

func (u *update) imported(info blob.Info) error {
	u.progress(info.Key)
	name := info.Key[strings.LastIndexByte(info.Key, '/')+1:]
	sum, _, _ := strings.Cut(name, ".")
	src := source{Kind: KindImport, Name: info.Key, Size: info.Size, SHA256: sum}
	if err := u.file(blob.Window(u.ctx, u.x.opts.Archive.Store(), info.Key, info.Size), info.Size, &src, false); err != nil {
		return err
	}
	u.took(src)
	return nil
}

// file takes in the records of a WARC or WACZ. digests makes the digest of each
// record as it lies in the file, by which a later change is told.
func (u *update) file(r io.ReaderAt, size int64, src *source, digests bool) error {
	damage := &damages{}
	defer func() { src.Note = damage.String() }()
	one := func(stream io.Reader, at io.ReaderAt, number uint32) error {
		o := cdx.IndexOptions{Damaged: damage.add}
		if digests {
			o.RecordDigest = at
		}
		_, err := cdx.Index(u.ctx, bufio.NewReaderSize(stream, 1<<20), "", o, func(l *cdx.Line) error {
			src.Lines++
			return u.add(l, number)
		})
		return err
	}
	if !isZIP(r) {
		src.File = u.numbers(1)
		return one(io.NewSectionReader(r, 0, size), r, src.File)
	}
	z, err := wacz.Open(r, size)
	if err != nil {
		src.File = u.numbers(1)
		damage.other(err)
		return nil
	}
	src.Members = members(z, "", 0)
	src.File = u.numbers(max(1, len(src.Members)))
	for i, name := range src.Members {
		stream, at, err := openMember(z, name)
		if err == nil {
			err = one(stream, at, src.File+uint32(i))
			if closer, ok := stream.(io.Closer); ok {
				closer.Close() //nolint:errcheck // only read
			}
		}
		if u.ctx.Err() != nil {
			return context.Cause(u.ctx)
		}
		if err != nil {
			damage.other(fmt.Errorf("%s: %w", name, err))
		}
	}
	return nil
}

func isZIP(r io.ReaderAt) bool {
	var head [4]byte
	n, _ := r.ReadAt(head[:], 0) // what cannot be read is said by who reads on
	return n == 4 && string(head[:2]) == "PK"
}

// inner stands between the name of a WACZ in a WACZ and the name of the WARC in
// that.
const inner = "!/"

// members gives the names of the WARC files in a WACZ, and in those that are in
// it.
func members(z *wacz.File, before string, depth int) (list []string) {
	for _, name := range z.Names() {
		lower := strings.ToLower(name)
		switch {
		case strings.Contains(lower, ".warc"), strings.HasSuffix(lower, ".arc.gz"), strings.HasSuffix(lower, ".arc"):
			list = append(list, before+name)
		case strings.HasSuffix(lower, ".wacz") && depth < 2:
			if in, err := z.Member(name); err == nil {
				list = append(list, members(in, before+name+inner, depth+1)...)
			}
		}
	}
	return list
}

// openMember opens a WARC in a WACZ: as a stream and, where it is not deflated,
// at random too.
func openMember(z *wacz.File, name string) (io.Reader, io.ReaderAt, error) {
	for {
		outer, rest, ok := strings.Cut(name, inner)
		if !ok {
			break
		}
		var err error
		if z, err = z.Member(outer); err != nil {
			return nil, nil, err
		}
		name = rest
	}
	s, err := z.Section(name)
	if err == nil {
		return s, s, nil
	}
	if !errors.Is(err, wacz.ErrDeflated) {
		return nil, nil, err
	}
	r, err := z.Open(name)
	return r, nil, err
}

// A LinkError says that a linked file is not what it was when it was linked.
type LinkError struct {
	Path   string // where it was last
	SHA256 string // that it had
	Why    string
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%s: %s: put the file with the SHA-256 %s back, or link it where it is now: refrain import --link FILE", e.Path, e.Why, e.SHA256)
}

// Links are the linked files, by their path, as of the last Update.
func (x *Index) Links() (list []Link) {
	x.updating.Lock()
	defer x.updating.Unlock()
	for _, s := range x.state.Sources {
		if s.Kind == KindLink {
			list = append(list, Link{Type: TypeLink, Path: s.Name, SHA256: s.SHA256, Size: s.Size})
		}
	}
	slices.SortFunc(list, func(a, b Link) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// CheckLink reads all of a linked file. It gives nil if the file lies where it was
// linked and has its SHA-256, a *LinkError if not, or the error of ctx.
func (x *Index) CheckLink(ctx context.Context, sha256 string) error {
	x.updating.Lock()
	var src source
	for _, s := range x.state.Sources {
		if s.Kind == KindLink && s.SHA256 == sha256 {
			src = s
			src.Links = slices.Clone(s.Links)
		}
	}
	x.updating.Unlock()
	if src.SHA256 == "" {
		return fmt.Errorf("no file with the SHA-256 %s is linked", sha256)
	}
	f, _, err := openLinked(ctx, &src, nil)
	if err != nil {
		return err
	}
	return f.Close()
}

// openLinked opens a linked file where it was said to lie, and makes sure that it
// has its digest: known reports whether it had it with that size and time (nil:
// never); else all of it is read.
func openLinked(ctx context.Context, src *source, known func(stampOf) bool) (*os.File, stampOf, error) {
	why, tried := "", map[string]bool{}
	var wrong stampOf // of the file that is in the place of the one that was noted last
	for _, ref := range src.Links {
		if tried[ref.Path] {
			continue
		}
		tried[ref.Path] = true
		f, stamp, reason, err := openAt(ctx, ref.Path, src, known)
		if err != nil {
			return nil, stampOf{}, err
		}
		if f != nil {
			return f, stamp, nil
		}
		if why == "" {
			why, wrong = reason, stamp
		}
	}
	return nil, wrong, &LinkError{Path: src.Name, SHA256: src.SHA256, Why: why}
}

func openAt(ctx context.Context, path string, src *source, known func(stampOf) bool) (_ *os.File, stamp stampOf, why string, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, stamp, "the linked file is not there any more", nil
	}
	if err != nil {
		return nil, stamp, "the linked file cannot be opened: " + err.Error(), nil
	}
	keep := false
	defer func() {
		if !keep {
			f.Close() //nolint:errcheck // only read
		}
	}()
	if stamp, err = stampFile(f, path); err != nil {
		return nil, stamp, "the linked file cannot be read: " + err.Error(), nil
	}
	if stamp.Size != src.Size {
		return nil, stamp, fmt.Sprintf("the linked file was changed: it had %d bytes and now has %d", src.Size, stamp.Size), nil
	}
	if known == nil || !known(stamp) {
		sum, err := digestFile(ctx, f)
		if err != nil {
			if ctx.Err() != nil {
				return nil, stamp, "", context.Cause(ctx)
			}
			return nil, stamp, "the linked file cannot be read: " + err.Error(), nil
		}
		if sum != src.SHA256 {
			return nil, stamp, "the linked file was changed: it has the same size, but its SHA-256 is now " + sum, nil
		}
	}
	keep = true
	return f, stamp, "", nil
}

func stampFile(f *os.File, path string) (stampOf, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		return stampOf{}, err
	}
	return stampOf{Path: path, Size: info.Size(), Modified: info.ModTime().UTC()}, nil
}

func digestFile(ctx context.Context, r io.ReaderAt) (string, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := r.ReadAt(buf, at)
		h.Write(buf[:n])
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
