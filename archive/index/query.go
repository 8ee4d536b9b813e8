package index

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
)

// Match says which URLs a Query is about.
type Match string

// The matches. Host and domain take any port.
const (
	Exact  Match = ""       // that URL, as far as its key tells: see cdx.SURT
	Prefix Match = "prefix" // all that begin with it
	Host   Match = "host"   // all of its host
	Domain Match = "domain" // all of its host and the hosts below it
	All    Match = "all"    // everything; URL is not looked at
)

// Sort says in which order a Query gives its entries.
type Sort string

// The orders.
const (
	ByKey   Sort = ""        // by key, then time
	Reverse Sort = "reverse" // the other way round
	Closest Sort = "closest" // by distance from Query.Closest, the earlier first of two; for exact matches only
)

// A Query says what Find looks for. The zero value is an error: give a URL, a
// Digest, or All.
type Query struct {
	URL   string // of any scheme: http, https, urn:
	Match Match

	// Digest is a payload digest, in any spelling that warc.ParseDigest reads.
	// Without URL it is what is looked up; with one it is a condition more.
	Digest string

	From, To time.Time // of the capture, to the second, both included; zero: no bound

	Sort    Sort
	Closest time.Time // for Sort Closest

	Filters []Filter // all of them must hold
	Limit   int      // at most so many entries; 0 or less is all

	// SameKey leaves out entries of an exact match whose URL has another key
	// than URL: cdx.WebrecorderKey for what ReplayWeb.page takes for the same.
	// nil: none.
	SameKey func(url string) string

	skip, take int64 // lines that are passed over, and looked at, before any condition; take 0: all
}

// Kind says what a Source is.
type Kind string

// The kinds of sources.
const (
	KindSegment Kind = "segment" // a segment of the archive
	KindImport  Kind = "import"  // a WARC or WACZ that was imported: an object of the archive
	KindLink    Kind = "link"    // a WARC or WACZ that the archive is linked to, and that lies elsewhere
)

// A Source is the file in which a record lies.
type Source struct {
	Kind   Kind
	Name   string // of a segment its name; of an imported file its key; of a linked file its path
	Member string // of a WACZ: the name of the WARC in it; empty elsewhere
	SHA256 string // of an imported or linked file, lower-case hex
	Open   bool   // a segment that is not finished
}

// An Entry is one capture: its line, and where its record lies.
type Entry struct {
	cdx.Line
	Source Source

	file *file
}

// Revisit reports whether the record stands for an earlier one with the same
// payload: see Resolve.
func (e *Entry) Revisit() bool { return e.MIME == "warc/revisit" }

// Find gives the captures that q asks for. An error is given once and is the
// last. The lines are those of the last Update; Update and Close may be called
// while they are read.
func (x *Index) Find(ctx context.Context, q Query) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s, err := x.search(q)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer s.end()
		given, passed := 0, int64(0)
		for n := 0; ; n++ {
			if n%256 == 255 && ctx.Err() != nil {
				yield(Entry{}, context.Cause(ctx))
				return
			}
			line := s.at()
			if line == nil {
				break
			}
			if q.skip > 0 || q.take > 0 {
				if number, _, ok := fileOf(line); ok && s.view.file(number) != nil {
					if passed++; q.take > 0 && passed > q.skip+q.take {
						return
					}
				}
				if passed <= q.skip {
					s.next()
					continue
				}
			}
			var e Entry
			ok, err := s.entry(line, &e)
			if err != nil {
				yield(Entry{}, x.damaged(err))
				return
			}
			if ok {
				if !yield(e, nil) {
					return
				}
				if given++; given == q.Limit {
					return
				}
			}
			s.next()
		}
		if err := s.failed(); err != nil {
			yield(Entry{}, x.damaged(err))
		}
	}
}

// count gives the number of lines that Find looks at for q, whatever its further
// conditions.
func (x *Index) count(ctx context.Context, q Query) (n int64, err error) {
	s, err := x.search(q)
	if err != nil {
		return 0, err
	}
	defer s.end()
	for i := 0; s.at() != nil; i++ {
		if i%4096 == 4095 && ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		if number, _, ok := fileOf(s.at()); ok && s.view.file(number) != nil {
			n++
		}
		s.next()
	}
	if err := s.failed(); err != nil {
		return n, x.damaged(err)
	}
	return n, nil
}

// A search is a Query under way.
type search struct {
	x        *Index
	q        Query
	view     *view
	prefixes []string // of lines, still to be read
	number   uint64   // of the digest
	digest   string   // in one spelling
	prefix   string   // of lines, being read; also of a digest: empty
	lines    *merged
	before   *merged // of Closest: from there back
	from, to string  // 14 digits; empty: no bound
	key      string  // of SameKey
	long     string  // a prefix of keys that is longer than they are in the index
	back     bool    // of Closest: the next line is that of before
	scratch  []byte
}

func (x *Index) search(q Query) (*search, error) {
	q.Closest = q.Closest.Truncate(time.Second) // as the lines are
	s := &search{x: x, q: q}
	if !q.From.IsZero() {
		s.from = cdx.Timestamp(q.From)
	}
	if !q.To.IsZero() {
		s.to = cdx.Timestamp(q.To)
	}
	if q.Digest != "" {
		s.number, s.digest = digestNumber(q.Digest)
	}
	var err error
	switch {
	case q.Match == All:
		s.prefixes = []string{""}
	case q.URL != "":
		s.prefixes, s.long, err = prefixes(q.URL, q.Match)
	case q.Digest == "":
		err = fmt.Errorf("find captures: neither a URL nor a digest is given")
	}
	if err != nil {
		return nil, err
	}
	if q.Sort == Closest {
		if q.Match != Exact || q.URL == "" || q.Closest.IsZero() {
			return nil, fmt.Errorf("find captures: the order %q is for one URL and needs a time", Closest)
		}
	} else if q.Sort != ByKey && q.Sort != Reverse {
		return nil, fmt.Errorf("find captures: there is no order %q", q.Sort)
	}
	if q.SameKey != nil && q.Match == Exact && q.URL != "" {
		s.key = q.SameKey(q.URL)
	}
	if s.view = x.acquire(); s.view == nil {
		return nil, errClosed
	}
	s.begin()
	return s, nil
}

// prefixes gives what the lines of a match begin with, in order.
func prefixes(url string, match Match) (list []string, long string, err error) {
	key := cdx.SURT(url)
	switch match {
	case Exact:
		return []string{cutKey(key) + " "}, "", nil
	case Prefix:
		before := key
		for _, end := range []string{"/", "?"} {
			if strings.HasSuffix(url, end) && !strings.HasSuffix(key, end) {
				key += end
			}
		}
		if len(key) > maxKey {
			return []string{key[:maxKey]}, key, nil
		}
		if strings.HasSuffix(key, "/") && key != before {
			return []string{before + " ", key}, "", nil // the folder itself, whose key has no slash
		}
		return []string{key}, "", nil
	case Host, Domain:
		host, _, ok := strings.Cut(key, ")")
		if !ok {
			return nil, "", fmt.Errorf("find captures: %s has no host", url)
		}
		if name, _, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 {
			host = name
		}
		if host = host[:min(len(host), maxKey)]; match == Domain {
			return []string{host + ")", host + ",", host + ":"}, "", nil
		}
		return []string{host + ")", host + ":"}, "", nil
	}
	return nil, "", fmt.Errorf("find captures: there is no match %q", match)
}

// begin places the cursors.
func (s *search) begin() {
	if s.q.Match != All && s.q.URL == "" {
		m := &merged{reverse: s.q.Sort == Reverse}
		for _, r := range s.view.runs {
			m.list = append(m.list, newDigestCursor(r, s.number, m.reverse))
		}
		m.pick()
		s.lines = m
		return
	}
	s.nextPrefix()
}

// nextPrefix goes to the lines of the next prefix that has some.
func (s *search) nextPrefix() {
	for s.before == nil && len(s.prefixes) > 0 && (s.lines == nil || s.lines.failed() == nil) {
		if s.lines != nil {
			s.lines.free()
			s.lines = nil
		}
		n := len(s.prefixes)
		if s.q.Sort == Reverse {
			s.prefix, s.prefixes = s.prefixes[n-1], s.prefixes[:n-1]
		} else {
			s.prefix, s.prefixes = s.prefixes[0], s.prefixes[1:]
		}
		exact := s.q.Match == Exact
		switch {
		case s.q.Sort == Closest:
			target := s.prefix + cdx.Timestamp(s.q.Closest)
			s.lines, s.before = s.seek(target, false), s.seek(target, true)
			s.back = s.backIsNearer()
			return
		case s.q.Sort == Reverse && exact && s.to != "":
			s.lines = s.seek(s.prefix+s.to+"~", true)
		case s.q.Sort == Reverse:
			s.lines = s.seek(after(s.prefix), true)
		case exact && s.from != "":
			s.lines = s.seek(s.prefix+s.from, false)
		default:
			s.lines = s.seek(s.prefix, false)
		}
		if s.lines.at() != nil && s.within(s.lines.at()) {
			return
		}
	}
}

// after gives the first text that comes after all that begin with prefix; empty:
// there is none.
func after(prefix string) string {
	b := []byte(prefix)
	for len(b) > 0 && b[len(b)-1] == 0xff {
		b = b[:len(b)-1]
	}
	if len(b) > 0 {
		b[len(b)-1]++
	}
	return string(b)
}

// seek places cursors at the first lines that are not before target, or, in
// reverse, at the last that are; of an empty target, at the very last.
func (s *search) seek(target string, reverse bool) *merged {
	m := &merged{reverse: reverse, list: make([]lines, 0, len(s.view.runs))}
	s.scratch = append(s.scratch[:0], target...)
	hash, exact := uint64(0), s.q.Match == Exact && len(s.view.runs) > 1
	if exact {
		hash = keyHash(s.prefix[:len(s.prefix)-1])
	}
	for _, r := range s.view.runs {
		if exact && !r.keys.has(hash) {
			continue
		}
		c := newCursor(r)
		switch {
		case reverse && target == "":
			c.last()
		case reverse:
			c.seekBefore(s.scratch)
		default:
			c.seek(s.scratch)
		}
		m.list = append(m.list, c)
	}
	m.pick()
	return m
}

// within reports whether a line is of the prefix at hand.
func (s *search) within(line []byte) bool {
	return len(line) >= len(s.prefix) && string(line[:len(s.prefix)]) == s.prefix
}

// current is the cursor whose line comes next.
func (s *search) current() *merged {
	if s.back {
		return s.before
	}
	return s.lines
}

// at gives the line at hand; nil: there are no more.
func (s *search) at() []byte {
	if s.lines == nil {
		return nil
	}
	line := s.current().at()
	if line == nil || !s.within(line) || s.past(line) {
		return nil
	}
	return line
}

// past reports whether no line from this one on is of the wanted time.
func (s *search) past(line []byte) bool {
	if s.q.Match != Exact || s.q.URL == "" || s.before != nil {
		return false
	}
	t := stamp(line)
	t = t[:min(len(t), 14)]
	if s.q.Sort == Reverse {
		return s.from != "" && string(t) < s.from
	}
	return s.to != "" && string(t) > s.to
}

func (s *search) next() {
	s.current().next()
	if s.before != nil {
		s.back = s.backIsNearer()
		return
	}
	if s.at() == nil {
		s.nextPrefix()
	}
}

// backIsNearer reports whether the line before the wanted time is nearer to it
// than the one after.
func (s *search) backIsNearer() bool {
	back, ahead := s.before.at(), s.lines.at()
	if back == nil || !s.within(back) {
		return false
	}
	if ahead == nil || !s.within(ahead) {
		return true
	}
	return s.q.Closest.Sub(s.moment(back)) <= s.moment(ahead).Sub(s.q.Closest)
}

// moment is the time of a line of the prefix at hand.
func (s *search) moment(line []byte) time.Time {
	l := cdx.Line{Timestamp: string(stamp(line))}
	return l.Time()
}

// stamp gives the timestamp of a line.
func stamp(line []byte) []byte {
	head := bytes.IndexByte(line, 0)
	if head < 0 {
		return nil
	}
	return line[bytes.LastIndexByte(line[:head], ' ')+1 : head]
}

// entry reads a line. It reports false for one that is not wanted.
func (s *search) entry(line []byte, e *Entry) (bool, error) {
	number, _, ok := fileOf(line)
	if !ok {
		return false, errCorrupt
	}
	if e.file = s.view.file(number); e.file == nil {
		return false, nil // of a file that is no more
	}
	if s.from != "" || s.to != "" {
		t := string(stamp(line))
		if t = t[:min(len(t), 14)]; s.from != "" && t < s.from || s.to != "" && t > s.to {
			return false, nil
		}
	}
	if _, err := parseLine(line, &e.Line); err != nil {
		return false, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	e.Filename, e.Source = e.file.base, e.file.source
	switch {
	case s.q.Match == Prefix && strings.HasSuffix(s.prefix, " ") && !isFolder(e.URL),
		s.digest != "" && !sameDigest(s.digest, e.Digest),
		s.key != "" && s.q.SameKey(e.URL) != s.key,
		s.long != "" && !strings.HasPrefix(cdx.SURT(e.URL), s.long):
		return false, nil
	}
	for i := range s.q.Filters {
		if !s.q.Filters[i].holds(&e.Line) {
			return false, nil
		}
	}
	return true, nil
}

// isFolder reports whether the path of a URL ends in a slash.
func isFolder(url string) bool {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	return strings.HasSuffix(url, "/")
}

func (s *search) failed() error {
	if s.before != nil {
		if err := s.before.failed(); err != nil {
			return err
		}
	}
	if s.lines == nil {
		return nil
	}
	return s.lines.failed()
}

func (s *search) end() {
	for _, m := range []*merged{s.lines, s.before} {
		if m != nil {
			m.free()
		}
	}
	s.view.release()
}
