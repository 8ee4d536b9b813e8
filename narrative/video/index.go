package video

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	stdimage "image"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/internal/filelog"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/narrative/image"
)

// Options of an index. The zero value is usable.
type Options struct {
	// FS is the file system; nil is the machine's own.
	FS fsys.FS
}

// ErrClosed is the error of a closed Index.
var ErrClosed = filelog.ErrClosed

// A Digest is the SHA-256 of a file.
type Digest = filelog.Digest

const logMagic = "RFVID01\n"

// An Index keeps the frames of videos and finds videos that show the same, in the
// same order. The zero Index is empty, in memory alone, and ready; Open gives one
// that lies in a folder. Its methods are safe for concurrent use.
type Index struct {
	dir string

	mu      sync.RWMutex
	log     *filelog.Log
	set     *image.Set
	entries []entry  // by index in set
	first   []uint32 // clip → its first index in set
	leader  []uint32 // clip → the one that founded its group
}

// An entry is what is kept of a hash.
type entry struct {
	frame uint16
	code  uint8
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
	// Unreadable: new, but no frame of it could be compared: only the same bytes
	// will be found. Result.Reason says why.
	Unreadable Outcome = "unreadable"
)

// A Result is what Add found out about a file.
type Result struct {
	Outcome Outcome
	Clip    uint32 // its number: equal for the same bytes
	// Group is the digest of the first video of the group that this one joined or
	// founded; see package image.
	Group  Digest
	Reason string // of Unreadable
	// Matches are the earlier videos that are at least linked, best first. A
	// Duplicate has one, the same bytes.
	Matches []Match
}

// Open opens the index in a folder, and makes it if there is none. It fails with an
// error that is fsys.ErrLocked when another process has it open.
func Open(dir string, opts Options) (*Index, error) {
	ix := &Index{dir: dir, set: image.NewSet()}
	log, err := filelog.Open(opts.FS, dir, "clips.log", logMagic, func(n uint32, payload []byte) error {
		r, err := decodeRecord(payload)
		if err != nil || r.leader > n {
			return filelog.ErrRecord
		}
		ix.insert(&r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("opening the video index %s: %w", dir, err)
	}
	ix.log = log
	return ix, nil
}

func (ix *Index) prepare() {
	if ix.log == nil {
		ix.log, ix.set = &filelog.Log{}, image.NewSet()
	}
}

func (ix *Index) insert(r *record) {
	ix.first = append(ix.first, uint32(ix.set.Len()))
	ix.leader = append(ix.leader, r.leader)
	for i, f := range r.clip.Frames {
		ix.entries = append(ix.entries, entry{uint16(i), codeTrimmed})
		ix.set.Add(f.Hash)
		for _, w := range f.Windows {
			ix.entries = append(ix.entries, entry{uint16(i), w.Code})
			ix.set.Add(w.Hash)
		}
	}
}

// AddKnown adds the use of a video by a key, where a file with the same digest is in
// the index, so that its bytes need not be fetched or read. It gives false if there
// is none.
func (ix *Index) AddKnown(ctx context.Context, key string, sum Digest) (r Result, ok bool, err error) {
	if err := errors.Join(ctx.Err(), filelog.CheckKey(key)); err != nil {
		return r, false, fmt.Errorf("adding the video of %s: %w", key, err)
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	if err := ix.log.Usable(); err != nil {
		return r, false, err
	}
	n, ok := ix.log.Find(sum)
	if !ok {
		return r, false, nil
	}
	r, err = ix.again(n, key)
	return r, err == nil, err
}

func (ix *Index) again(n uint32, key string) (Result, error) {
	r := Result{Outcome: Known, Clip: n}
	var err error
	if r.Group, _, err = ix.log.File(ix.leader[n]); err != nil {
		return r, err
	}
	m := Match{Clip: n, Same: true, Score: 1}
	if err := ix.describe(&m); err != nil {
		return r, err
	}
	added, err := ix.log.Use(n, filelog.Use{Key: key})
	if added {
		r.Outcome, r.Matches = Duplicate, []Match{m}
	}
	return r, err
}

// Add looks for earlier videos that show what a clip shows, and adds it with the key
// of the post that had it and the digest of its file. It is durable after the next
// Sync. refused is the error of Read, where there is one: the file is then kept by
// its digest, and the clip is not looked at.
func (ix *Index) Add(ctx context.Context, key string, sum Digest, c Clip, refused error) (Result, error) {
	if r, ok, err := ix.AddKnown(ctx, key, sum); ok || err != nil {
		return r, err
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if err := ix.log.Usable(); err != nil {
		return Result{}, err
	}
	if n, ok := ix.log.Find(sum); ok { // someone else added it meanwhile
		return ix.again(n, key)
	}
	out := Result{Outcome: New}
	rec := record{clip: c, leader: uint32(ix.log.Len())}
	switch {
	case refused != nil:
		rec.clip = Clip{}
		out.Outcome, out.Reason = Unreadable, refused.Error()
	case len(c.Frames) == 0:
		out.Outcome, out.Reason = Unreadable, "every frame is black, white or nearly so"
	}
	rec.reason = out.Reason
	var err error
	if out.Matches, err = ix.search(c, Linked); err != nil {
		return Result{}, err
	}
	for _, m := range out.Matches {
		if founder := ix.leader[m.Clip]; founder == m.Clip {
			rec.leader = founder
			break
		}
	}
	if out.Clip, err = ix.log.Append(sum, rec.encode()); err != nil {
		return Result{}, fmt.Errorf("adding the video of %s: %w", key, err)
	}
	ix.insert(&rec)
	if out.Group, _, err = ix.log.File(rec.leader); err != nil {
		return Result{}, err
	}
	if _, err := ix.log.Use(out.Clip, filelog.Use{Key: key}); err != nil {
		return Result{}, fmt.Errorf("adding the video of %s: %w", key, err)
	}
	return out, nil
}

// Query gives the videos that show what a clip shows and are at least possible,
// best first. The index does not change. sum is the digest of its file, zero if it
// has none.
func (ix *Index) Query(c Clip, sum Digest) ([]Match, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return nil, nil
	}
	if err := ix.log.Usable(); err != nil {
		return nil, err
	}
	list, err := ix.search(c, Possible)
	if err != nil {
		return nil, err
	}
	if n, ok := ix.log.Find(sum); ok {
		m := Match{Clip: n, Same: true, Score: 1}
		if err := ix.describe(&m); err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(m Match) bool { return m.Clip == n })
		list = slices.Insert(list, 0, m)
	}
	return list, nil
}

// clipOf gives the clip of a hash of the set.
func (ix *Index) clipOf(index int) uint32 {
	return uint32(sort.Search(len(ix.first), func(p int) bool { return int(ix.first[p]) > index }) - 1)
}

// maxCandidates is how many clips are aligned with one query; those with the most
// evidence come first.
const maxCandidates = 64

func (ix *Index) search(c Clip, least Strength) ([]Match, error) {
	type at struct {
		clip     uint32
		q, c     int
		mirrored bool
	}
	near := map[at]pair{}
	look := func(q int, code uint8, hash image.Hash, mirrored bool) {
		for _, hit := range ix.set.Near(hash, frameDistance) {
			e := ix.entries[hit.Index]
			if code > codeWhole && e.code > codeWhole {
				continue // a part of a part says little
			}
			k := at{ix.clipOf(hit.Index), q, int(e.frame), mirrored}
			if p, ok := near[k]; !ok || hit.Distance < p.distance {
				near[k] = pair{q, int(e.frame), hit.Distance, mirrored, code, e.code}
			}
		}
	}
	for i, f := range c.Frames {
		look(i, codeTrimmed, f.Hash, false)
		look(i, codeTrimmed, f.Mirror, true)
		for _, w := range f.Windows {
			look(i, w.Code, w.Hash, false)
			look(i, w.Code, w.Mirror, true)
		}
	}
	pairs := map[uint32][]pair{}
	weight := map[uint32]float64{}
	for k, p := range near {
		pairs[k.clip] = append(pairs[k.clip], p)
		weight[k.clip] += evidence(p.distance)
	}
	order := make([]uint32, 0, len(pairs))
	for n := range pairs {
		order = append(order, n)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b))
	})
	var list []Match
	query := spans(c.Frames)
	for _, n := range order[:min(len(order), maxCandidates)] {
		_, payload, err := ix.log.File(n)
		if err != nil {
			return nil, err
		}
		r, err := decodeRecord(payload)
		if err != nil {
			return nil, fmt.Errorf("clip %d of %s: %w", n, ix.dir, err)
		}
		m := match(c, r.clip, query, pairs[n])
		m.Clip = n
		if m.Strength() < least {
			continue
		}
		if err := ix.describe(&m); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	slices.SortStableFunc(list, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Frames, a.Frames), cmp.Compare(a.Clip, b.Clip))
	})
	return list, nil
}

func (ix *Index) describe(m *Match) error {
	sum, _, err := ix.log.File(m.Clip)
	if err != nil {
		return err
	}
	u, err := ix.log.First(m.Clip)
	m.SHA256, m.Key = sum, u.Key
	return err
}

// A Still is a frame of an indexed video that shows what a picture shows.
type Still struct {
	Clip     uint32        `json:"clip"`
	Key      string        `json:"key"` // of the clip's first use
	At       time.Duration `json:"at"`
	Distance int           `json:"distance"` // of the hashes, 0 to image.MatchDistance
}

// Stills gives the videos in which a picture stands, each with its nearest frame,
// nearest first. It compares hashes alone, of whole frames and of those without
// bars: what it finds is possible, and not more.
func (ix *Index) Stills(g image.Grey) ([]Still, error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return nil, nil
	}
	if err := ix.log.Usable(); err != nil {
		return nil, err
	}
	parts := []image.Grey{g}
	if r, less := g.Content(); less {
		parts = append(parts, g.Part(r))
	}
	best := map[uint32]image.Hit{}
	for _, p := range parts {
		h, quality := p.PDQ()
		if quality < image.MinQuality {
			continue
		}
		for _, hit := range ix.set.Near(h, image.MatchDistance) {
			n := ix.clipOf(hit.Index)
			if b, ok := best[n]; !ok || hit.Distance < b.Distance {
				best[n] = hit
			}
		}
	}
	var list []Still
	for n, hit := range best {
		_, payload, err := ix.log.File(n)
		if err != nil {
			return nil, err
		}
		r, err := decodeRecord(payload)
		if err != nil {
			return nil, err
		}
		u, err := ix.log.First(n)
		if err != nil {
			return nil, err
		}
		list = append(list, Still{n, u.Key, r.clip.Frames[ix.entries[hit.Index].frame].From, hit.Distance})
	}
	slices.SortFunc(list, func(a, b Still) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Clip, b.Clip))
	})
	return list, nil
}

// Uses gives the keys of the posts that have a video, in the order of Add.
func (ix *Index) Uses(clip uint32) (keys []string, err error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return nil, nil
	}
	if err := ix.log.Usable(); err != nil {
		return nil, err
	}
	list, err := ix.log.Uses(clip)
	for _, u := range list {
		keys = append(keys, u.Key)
	}
	return keys, err
}

// Clip gives what is kept of a video, its digest, and why it could not be read.
// Mirrored hashes are not kept.
func (ix *Index) Clip(n uint32) (c Clip, sum Digest, reason string, err error) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return c, sum, "", fmt.Errorf("the video index is empty")
	}
	if err := ix.log.Usable(); err != nil {
		return c, sum, "", err
	}
	sum, payload, err := ix.log.File(n)
	if err != nil {
		return c, sum, "", err
	}
	r, err := decodeRecord(payload)
	return r.clip, sum, r.reason, err
}

// Size gives the number of uses, of distinct files and of hashes.
func (ix *Index) Size() (uses, clips, hashes int) {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	if ix.log == nil {
		return 0, 0, 0
	}
	return ix.log.UseCount(), ix.log.Len(), ix.set.Len()
}

// Sync returns when all that was added so far survives the end of the process and a
// power cut. What is added and not synced may be lost then, and nothing else.
func (ix *Index) Sync() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	return ix.log.Sync()
}

// Close syncs and frees what the index holds. Later calls fail with ErrClosed.
func (ix *Index) Close() error {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.prepare()
	ix.set, ix.entries = image.NewSet(), nil
	if err := ix.log.Close(); err != nil {
		if errors.Is(err, ErrClosed) {
			return err
		}
		return fmt.Errorf("closing the video index %s: %w", ix.dir, err)
	}
	return nil
}

// A record is what is kept of one file.
type record struct {
	leader uint32
	clip   Clip
	reason string
}

// maxKeptFrames bounds a record: 65,535 is what an entry can name.
const maxKeptFrames = 1<<16 - 1

func (r *record) encode() []byte {
	c := &r.clip
	number := func(b []byte, list ...int) []byte {
		for _, n := range list {
			b = binary.AppendUvarint(b, uint64(max(n, 0)))
		}
		return b
	}
	text := func(b []byte, s string) []byte { return append(number(b, len(s)), s...) }
	flag := 0
	if c.Thinned {
		flag = 1
	}
	b := number(nil, int(r.leader), int(c.Seconds*1000), c.Width, c.Height, flag, c.Trimmed.Min.X, c.Trimmed.Min.Y, c.Trimmed.Max.X, c.Trimmed.Max.Y)
	b = text(text(b, r.reason), c.Damage)
	b = number(b, len(c.Frames))
	for _, f := range c.Frames {
		b = number(b, int(f.From.Milliseconds()), int((f.To - f.From).Milliseconds()), f.Quality)
		b = appendHash(b, f.Hash)
		b = number(b, len(f.Windows))
		for _, w := range f.Windows {
			b = appendHash(append(b, w.Code), w.Hash)
		}
	}
	return b
}

func appendHash(b []byte, h image.Hash) []byte {
	for _, w := range h {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b
}

func decodeRecord(b []byte) (r record, err error) {
	bad := false
	number := func() int {
		n, k := binary.Uvarint(b)
		if k <= 0 || n > 1<<40 {
			bad = true
			return 0
		}
		b = b[k:]
		return int(n)
	}
	text := func() string {
		n := number()
		if n > len(b) {
			bad = true
			return ""
		}
		s := strings.Clone(string(b[:n]))
		b = b[n:]
		return s
	}
	hash := func() (h image.Hash) {
		if len(b) < 32 {
			bad = true
			return h
		}
		for i := range h {
			h[i] = binary.BigEndian.Uint64(b[8*i:])
		}
		b = b[32:]
		return h
	}
	c := &r.clip
	leader := number()
	c.Seconds = float64(number()) / 1000
	c.Width, c.Height = number(), number()
	c.Thinned = number() == 1
	c.Trimmed = stdimage.Rect(number(), number(), number(), number())
	r.reason, c.Damage = text(), text()
	n := number()
	if bad || leader > 1<<32-1 || n > maxKeptFrames || n > len(b)/36 {
		return record{}, filelog.ErrRecord
	}
	r.leader = uint32(leader)
	for range n {
		var f Frame
		f.From = time.Duration(number()) * time.Millisecond
		f.To = f.From + time.Duration(number())*time.Millisecond
		f.Quality = number()
		f.Hash = hash()
		windows := number()
		if bad || windows > len(frameWindows) {
			return record{}, filelog.ErrRecord
		}
		for range windows {
			if len(b) == 0 || int(b[0]) >= len(frameWindows) {
				return record{}, filelog.ErrRecord
			}
			w := Window{Code: b[0]}
			b = b[1:]
			w.Hash = hash()
			f.Windows = append(f.Windows, w)
		}
		c.Frames = append(c.Frames, f)
	}
	if bad || len(b) > 0 {
		return record{}, filelog.ErrRecord
	}
	return r, nil
}
