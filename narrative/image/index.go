package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"image"
	"path/filepath"
	"sort"
	"sync"

	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/reclog"
)

// Options of an index. The zero value is usable.
type Options struct {
	// FS is the file system; nil is the machine's own.
	FS fsys.FS
	// Limits bound what one file may cost; zero fields have their defaults.
	Limits Limits
}

// ErrClosed is the error of a closed Index.
var ErrClosed = errors.New("the image index is closed")

// maxKey is the longest key, in bytes.
const maxKey = 1024

// indexTables is the number of hashes from which an index looks them up by tables:
// about 4,000 pictures, where the scans of one query take some 10 ms.
const indexTables = 1 << 17

// An Index keeps pictures under all their views and finds those that a picture
// shows, or shows a part of, also turned or mirrored. The zero Index is empty, in
// memory alone, and ready; Open gives one that lies in a folder. Its methods are
// safe for concurrent use.
type Index struct {
	fs     fsys.FS
	dir    string
	limits Limits
	lock   interface{ Close() error }

	mu     sync.RWMutex
	log    *reclog.Log // nil: in memory
	memory [][]byte    // the records, where there is no log
	failed error       // of the log: nothing more is added after it
	closed bool

	set    Set
	packed []packed          // by index in set
	first  []uint32          // picture → its first index in set
	at     []int64           // picture → its record
	leader []uint32          // picture → the one that founded its group
	last   []uint32          // picture → its last use
	bySum  map[Digest]uint32 // picture

	useAt []int64             // use → its record
	next  []uint32            // use → the next of the same picture; of the last: the first
	known map[uint64]struct{} // hashes of picture, kind and key
	seed  maphash.Seed
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
	ix := &Index{fs: opts.FS, dir: dir, limits: opts.Limits}
	if ix.fs == nil {
		ix.fs = fsys.OS
	}
	if err := ix.open(); err != nil {
		return nil, fmt.Errorf("opening the image index %s: %w", dir, err)
	}
	return ix, nil
}

func (ix *Index) open() (err error) {
	if err := ix.fs.MkdirAll(ix.dir); err != nil {
		return err
	}
	if ix.lock, err = ix.fs.Lock(filepath.Join(ix.dir, "lock"), true); err != nil {
		return err
	}
	if ix.log, err = reclog.Open(ix.fs, ix.dir, filepath.Join(ix.dir, "pictures.log"), logMagic); err != nil {
		ix.lock.Close()
		return err
	}
	ix.prepare()
	// Tables are made once, when all is read.
	ix.set.least = 1 << 62
	err = ix.log.Replay(func(at int64, payload []byte) error {
		if payload[0] == recordUse {
			picture, u, err := decodeUse(payload)
			if err != nil || int(picture) >= len(ix.at) {
				return fmt.Errorf("%s at byte %d: %w", ix.dir, at, errRecord)
			}
			ix.insertUse(at, picture, u)
			return nil
		}
		r, err := decodeRecord(payload)
		if err != nil || int(r.leader) > len(ix.at) {
			return fmt.Errorf("%s at byte %d: %w", ix.dir, at, errRecord)
		}
		ix.insert(at, &r)
		return nil
	})
	if err != nil {
		ix.log.Close()
		ix.lock.Close()
		return err
	}
	ix.set.least = indexTables
	ix.set.build()
	return nil
}

// prepare makes what the zero Index lacks.
func (ix *Index) prepare() {
	if ix.bySum == nil {
		ix.bySum, ix.known, ix.seed = map[Digest]uint32{}, map[uint64]struct{}{}, maphash.MakeSeed()
		ix.set.least = indexTables
	}
}

func (ix *Index) usable() error {
	if ix.closed {
		return ErrClosed
	}
	if ix.failed != nil {
		return fmt.Errorf("the image index %s stopped after a failure; open it again: %w", ix.dir, ix.failed)
	}
	return nil
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
	if err := ctx.Err(); err != nil {
		return r, false, err
	}
	if u.Key == "" || len(u.Key) > maxKey {
		return r, false, fmt.Errorf("adding a picture: its key has %d bytes, and must have 1 to %d", len(u.Key), maxKey)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil {
		return r, false, err
	}
	p, ok := ix.bySum[sum]
	if !ok {
		return r, false, nil
	}
	r, err = ix.again(p, u)
	return r, err == nil, err
}

// again adds a use of a picture that is there.
func (ix *Index) again(p uint32, u Use) (Result, error) {
	r := Result{Outcome: Duplicate, Picture: p}
	var err error
	if r.Group, err = ix.group(p); err != nil {
		return r, err
	}
	if _, ok := ix.known[ix.useHash(p, u)]; ok {
		r.Outcome = Known
		return r, nil
	}
	m := Match{Picture: p, Same: true, Score: 1}
	if err := ix.describe(&m); err != nil {
		return r, err
	}
	r.Matches = []Match{m}
	return r, ix.use(p, u)
}

func (ix *Index) use(p uint32, u Use) error {
	at, err := ix.keep(encodeUse(p, u))
	if err != nil {
		return fmt.Errorf("adding the picture of %s: %w", u.Key, err)
	}
	ix.insertUse(at, p, u)
	return nil
}

// addPicture adds a file that was read, or not: refused then says why.
func (ix *Index) addPicture(ctx context.Context, u Use, sum Digest, p Picture, refused error) (Result, error) {
	rec := record{sum: sum, format: p.Format, width: p.Width, height: p.Height}
	out := Result{Outcome: New}
	var q query
	if refused != nil {
		out.Outcome, out.Reason = Unreadable, refused.Error()
		rec.refused = out.Reason
	} else {
		rec.w, rec.h = p.W, p.H
		b := p.indexBases()
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
	if err := ix.usable(); err != nil {
		return Result{}, err
	}
	ix.prepare()
	if p, ok := ix.bySum[sum]; ok { // someone else added it meanwhile
		return ix.again(p, u)
	}
	var err error
	if out.Matches, err = ix.search(&q, LinkThreshold); err != nil {
		return Result{}, err
	}
	rec.leader = uint32(len(ix.at))
	for _, m := range out.Matches {
		if founder := ix.leader[m.Picture]; founder == m.Picture {
			rec.leader = founder
			break
		}
	}
	at, err := ix.keep(rec.encode())
	if err != nil {
		return Result{}, fmt.Errorf("adding the picture of %s: %w", u.Key, err)
	}
	out.Picture = ix.insert(at, &rec)
	if out.Group, err = ix.group(out.Picture); err != nil {
		return Result{}, err
	}
	return out, ix.use(out.Picture, u)
}

// keep appends a record and gives its place.
func (ix *Index) keep(payload []byte) (int64, error) {
	if ix.log == nil {
		ix.memory = append(ix.memory, payload)
		return int64(len(ix.memory) - 1), nil
	}
	at, err := ix.log.Append(payload)
	if err != nil {
		ix.failed = err
	}
	return at, err
}

func (ix *Index) fetch(at int64) ([]byte, error) {
	if ix.log == nil {
		return ix.memory[at], nil
	}
	return ix.log.Read(at)
}

func (ix *Index) recordOf(p uint32) (record, error) {
	b, err := ix.fetch(ix.at[p])
	if err != nil {
		return record{}, err
	}
	return decodeRecord(b)
}

func (ix *Index) group(p uint32) (Digest, error) {
	r, err := ix.recordOf(ix.leader[p])
	return r.sum, err
}

const none = 1<<32 - 1

func (ix *Index) insert(at int64, r *record) uint32 {
	p := uint32(len(ix.at))
	ix.at = append(ix.at, at)
	ix.first = append(ix.first, uint32(ix.set.Len()))
	ix.leader = append(ix.leader, r.leader)
	ix.last = append(ix.last, none)
	ix.bySum[r.sum] = p
	for i, h := range r.hashes {
		ix.packed = append(ix.packed, r.views[i])
		ix.set.Add(h)
	}
	return p
}

func (ix *Index) useHash(p uint32, u Use) uint64 {
	var h maphash.Hash
	h.SetSeed(ix.seed)
	h.Write([]byte{byte(p), byte(p >> 8), byte(p >> 16), byte(p >> 24), byte(u.Kind)})
	h.WriteString(u.Key)
	return h.Sum64()
}

func (ix *Index) insertUse(at int64, p uint32, u Use) {
	n := uint32(len(ix.useAt))
	ix.useAt = append(ix.useAt, at)
	ix.known[ix.useHash(p, u)] = struct{}{}
	if last := ix.last[p]; last == none {
		ix.next = append(ix.next, n)
	} else {
		ix.next = append(ix.next, ix.next[last])
		ix.next[last] = n
	}
	ix.last[p] = n
}

// pictureOf gives the picture of a hash of the set.
func (ix *Index) pictureOf(index int) uint32 {
	return uint32(sort.Search(len(ix.first), func(p int) bool { return int(ix.first[p]) > index }) - 1)
}

// Uses gives the places where a picture was shown, in the order of Add. An unknown
// number has none.
func (ix *Index) Uses(picture uint32) ([]Use, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if err := ix.usable(); err != nil {
		return nil, err
	}
	if int(picture) >= len(ix.last) || ix.last[picture] == none {
		return nil, nil
	}
	var list []Use
	last := ix.last[picture]
	for n := ix.next[last]; ; n = ix.next[n] {
		u, err := ix.useOf(n)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
		if n == last {
			return list, nil
		}
	}
}

func (ix *Index) useOf(n uint32) (Use, error) {
	b, err := ix.fetch(ix.useAt[n])
	if err != nil {
		return Use{}, err
	}
	_, u, err := decodeUse(b)
	return u, err
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
	if err := ix.usable(); err != nil {
		return Facts{}, err
	}
	if int(picture) >= len(ix.at) {
		return Facts{}, fmt.Errorf("the image index has no picture %d", picture)
	}
	r, err := ix.recordOf(picture)
	if err != nil {
		return Facts{}, err
	}
	g, err := ix.group(picture)
	return Facts{r.sum, g, r.format, r.width, r.height, len(r.views), r.trimmed, r.refused}, err
}

// Size gives the number of uses, of distinct files and of hashes.
func (ix *Index) Size() (uses, pictures, hashes int) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return len(ix.useAt), len(ix.at), ix.set.Len()
}

// Sync returns when all that was added so far survives the end of the process and
// a power cut. What is added and not synced may be lost then, and nothing else.
func (ix *Index) Sync() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.usable(); err != nil || ix.log == nil {
		return err
	}
	if err := ix.log.Sync(); err != nil {
		ix.failed = err
		return err
	}
	return nil
}

// Close syncs and frees what the index holds. Later calls fail with ErrClosed.
// After a failure of the disk it gives that failure: what was not synced before it
// is lost.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if ix.closed {
		return ErrClosed
	}
	ix.closed = true
	ix.set, ix.packed, ix.bySum, ix.known, ix.memory = Set{}, nil, nil, nil, nil
	if ix.log == nil {
		return nil
	}
	err := ix.failed
	if err == nil {
		err = ix.log.Sync()
	}
	if err = errors.Join(err, ix.log.Close(), ix.lock.Close()); err != nil {
		return fmt.Errorf("closing the image index %s: %w", ix.dir, err)
	}
	return nil
}
