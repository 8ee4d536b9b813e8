package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"sort"
	"sync"

	"github.com/refrain-archive/refrain/internal/filelog"
	"github.com/refrain-archive/refrain/internal/fsys"
)

// Options of an index. The zero value is usable.
type Options struct {
	// FS is the file system; nil is the machine's own.
	FS fsys.FS
	// Limits bound what one file may cost; zero fields have their defaults.
	Limits Limits
}

// ErrClosed is the error of a closed Index.
var ErrClosed = filelog.ErrClosed

// indexTables is the number of hashes from which an index looks them up by tables:
// about 4,000 pictures, where the scans of one query take some 10 ms.
const indexTables = 1 << 17

// An Index keeps pictures under all their views and finds those that a picture
// shows, or shows a part of, also turned or mirrored. The zero Index is empty, in
// memory alone, and ready; Open gives one that lies in a folder. Its methods are
// safe for concurrent use.
type Index struct {
	dir    string
	limits Limits

	mu     sync.RWMutex
	log    *filelog.Log
	set    Set
	packed []packed // by index in set
	first  []uint32 // picture → its first index in set
	leader []uint32 // picture → the one that founded its group
}

// A Doc is one file to be indexed, as it came from the archive.
type Doc struct {
	Key  string // names the post or account for the caller; 1 to 1024 bytes
	Kind Kind
	Data []byte // the whole file
}

// An Outcome says what Add did with a file.
type Outcome string

const (
	// New: no earlier file has the same bytes.
	New Outcome = "new"
	// Duplicate: an earlier file has the same bytes.
	Duplicate Outcome = "copy"
	// Known: this key was added before with these bytes; nothing was done.
	Known Outcome = "known"
	// Flat: new, but with too little in it to be told from others: only the same
	// bytes will be found.
	Flat Outcome = "flat"
	// Unreadable: new, but no picture that can be read, or over a limit: only the
	// same bytes will be found. Result.Reason says why.
	Unreadable Outcome = "unreadable"
)

// A Result is what Add found out about a file.
type Result struct {
	Outcome Outcome
	Picture uint32 // its number: equal for the same bytes
	// Group is the digest of the first picture of the group that this one joined
	// or founded. Pictures of one group each match that first one, so a group
	// does not drift from picture to picture. It never changes.
	Group  Digest
	Reason string // of Unreadable
	// Matches are the earlier pictures that score at least LinkThreshold, best
	// first. Those of a Duplicate were given when its bytes were New; it has one
	// Match, the same bytes.
	Matches []Match
}

// Open opens the index in a folder, and makes it if there is none. It fails with
// an error that is fsys.ErrLocked when another process has it open. The hashes are
// read into memory, at some 50,000 pictures a second.
func Open(dir string, opts Options) (*Index, error) {
	ix := &Index{dir: dir, limits: opts.Limits}
	ix.set.least = 1 << 62 // tables are made once, when all is read
	log, err := filelog.Open(opts.FS, dir, "pictures.log", logMagic, func(n uint32, payload []byte) error {
		r, err := decodeRecord(payload)
		if err == nil && r.leader > n {
			err = filelog.ErrRecord
		}
		if err == nil {
			ix.insert(&r)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the image index %s: %w", dir, err)
	}
	ix.log = log
	ix.set.least = indexTables
	ix.set.build()
	return ix, nil
}

// prepare makes what the zero Index lacks.
func (ix *Index) prepare() {
	if ix.log == nil {
		ix.log = &filelog.Log{}
		ix.set.least = indexTables
	}
}

// Add looks for earlier pictures that show what a file shows, and adds it. It is
// durable after the next Sync. A file that is no picture, or too large a one, is
// no error: it is kept by its bytes. Reading and hashing run side by side when
// Add is called so.
func (ix *Index) Add(ctx context.Context, d Doc) (Result, error) {
	sum := Digest(sha256.Sum256(d.Data))
	if r, ok, err := ix.AddKnown(ctx, Use{d.Key, d.Kind}, sum); ok || err != nil {
		return r, err
	}
	p, err := decodeWithin(d.Data, ix.limits)
	return ix.addPicture(ctx, Use{d.Key, d.Kind}, sum, p, err)
}

// AddKnown is Add of a file whose bytes need not be fetched, because a file with
// the same digest is in the index. It gives false if there is none.
func (ix *Index) AddKnown(ctx context.Context, u Use, sum Digest) (r Result, ok bool, err error) {
	if err := errors.Join(ctx.Err(), filelog.CheckKey(u.Key)); err != nil {
		return r, false, fmt.Errorf("adding a picture: %w", err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	if err := ix.log.Usable(); err != nil {
		return r, false, err
	}
	p, ok := ix.log.Find(sum)
	if !ok {
		return r, false, nil
	}
	r, err = ix.again(p, u)
	return r, err == nil, err
}

// again adds a use of a picture that is there.
func (ix *Index) again(p uint32, u Use) (Result, error) {
	r := Result{Outcome: Known, Picture: p}
	var err error
	if r.Group, _, err = ix.log.File(ix.leader[p]); err != nil {
		return r, err
	}
	m := Match{Picture: p, Same: true, Score: 1}
	if err := ix.describe(&m); err != nil {
		return r, err
	}
	added, err := ix.log.Use(p, filelog.Use{Key: u.Key, Kind: uint8(u.Kind)})
	if err != nil {
		return r, fmt.Errorf("adding the picture of %s: %w", u.Key, err)
	}
	if added {
		r.Outcome, r.Matches = Duplicate, []Match{m}
	}
	return r, nil
}

// addPicture adds a file that was read, or not: refused then says why.
func (ix *Index) addPicture(ctx context.Context, u Use, sum Digest, p Picture, refused error) (Result, error) {
	rec := record{format: p.Format, width: p.Width, height: p.Height}
	out := Result{Outcome: New}
	var q query
	if refused != nil {
		out.Outcome, out.Reason = Unreadable, refused.Error()
		rec.refused = out.Reason
	} else {
		rec.w, rec.h = p.W, p.H
		b := p.bases()
		rec.trimmed = b[baseTrimmed]
		p.views(b, indexWindows, func(v packed, c *coefficients) {
			rec.views, rec.hashes = append(rec.views, v), append(rec.hashes, c.hash())
		})
		if len(rec.views) == 0 {
			out.Outcome = Flat
		} else {
			var err error
			if rec.detail, err = p.detail().jpeg(); err != nil {
				return Result{}, fmt.Errorf("adding the picture of %s: its small copy: %w", u.Key, err)
			}
			q = newQuery(p.Grey)
		}
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	if err := ix.log.Usable(); err != nil {
		return Result{}, err
	}
	if p, ok := ix.log.Find(sum); ok { // someone else added it meanwhile
		return ix.again(p, u)
	}
	var err error
	if out.Matches, err = ix.search(&q, LinkThreshold); err != nil {
		return Result{}, err
	}
	rec.leader = uint32(ix.log.Len())
	for _, m := range out.Matches {
		if founder := ix.leader[m.Picture]; founder == m.Picture {
			rec.leader = founder
			break
		}
	}
	if out.Picture, err = ix.log.Append(sum, rec.encode()); err != nil {
		return Result{}, fmt.Errorf("adding the picture of %s: %w", u.Key, err)
	}
	ix.insert(&rec)
	if out.Group, _, err = ix.log.File(rec.leader); err != nil {
		return Result{}, err
	}
	if _, err := ix.log.Use(out.Picture, filelog.Use{Key: u.Key, Kind: uint8(u.Kind)}); err != nil {
		return Result{}, fmt.Errorf("adding the picture of %s: %w", u.Key, err)
	}
	return out, nil
}

func (ix *Index) recordOf(p uint32) (Digest, record, error) {
	sum, b, err := ix.log.File(p)
	if err != nil {
		return sum, record{}, err
	}
	r, err := decodeRecord(b)
	return sum, r, err
}

func (ix *Index) insert(r *record) {
	ix.first = append(ix.first, uint32(ix.set.Len()))
	ix.leader = append(ix.leader, r.leader)
	for i, h := range r.hashes {
		ix.packed = append(ix.packed, r.views[i])
		ix.set.Add(h)
	}
}

// pictureOf gives the picture of a hash of the set.
func (ix *Index) pictureOf(index int) uint32 {
	return uint32(sort.Search(len(ix.first), func(p int) bool { return int(ix.first[p]) > index }) - 1)
}

// reading must hold before any call that reads the log.
func (ix *Index) reading() error {
	if ix.log == nil {
		return nil // nothing was added
	}
	return ix.log.Usable()
}

// Uses gives the places where a picture was shown, in the order of Add. An unknown
// number has none.
func (ix *Index) Uses(picture uint32) (list []Use, err error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if err := ix.reading(); err != nil || ix.log == nil {
		return nil, err
	}
	uses, err := ix.log.Uses(picture)
	for _, u := range uses {
		list = append(list, Use{u.Key, Kind(u.Kind)})
	}
	return list, err
}

// Facts is what the index knows of one picture.
type Facts struct {
	SHA256        Digest
	Group         Digest          // see Result
	Format        string          // "jpeg", "png", "gif", "webp", "bmp", "tiff"; "" if it could not be read
	Width, Height int             // of the file, in pixels
	Views         int             // 0: only the same bytes are found
	Trimmed       image.Rectangle // of the reduced picture (Grey); empty: no borders
	Reason        string          // why it could not be read
}

// Facts gives what is known of a picture.
func (ix *Index) Facts(picture uint32) (Facts, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return Facts{}, errors.New("the image index is empty")
	}
	if err := ix.log.Usable(); err != nil {
		return Facts{}, err
	}
	sum, r, err := ix.recordOf(picture)
	if err != nil {
		return Facts{}, err
	}
	group, _, err := ix.log.File(ix.leader[picture])
	return Facts{sum, group, r.format, r.width, r.height, len(r.views), r.trimmed, r.refused}, err
}

// Size gives the number of uses, of distinct files and of hashes.
func (ix *Index) Size() (uses, pictures, hashes int) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return 0, 0, 0
	}
	return ix.log.UseCount(), ix.log.Len(), ix.set.Len()
}

// Sync returns when all that was added so far survives the end of the process and
// a power cut. What is added and not synced may be lost then, and nothing else.
func (ix *Index) Sync() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	return ix.log.Sync()
}

// Close syncs and frees what the index holds. Later calls fail with ErrClosed.
// After a failure of the disk it gives that failure: what was not synced before it
// is lost.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	ix.set, ix.packed = Set{}, nil
	if err := ix.log.Close(); err != nil {
		return fmt.Errorf("closing the image index %s: %w", ix.dir, err)
	}
	return nil
}
