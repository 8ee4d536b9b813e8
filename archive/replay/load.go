package replay

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/archive/warc"
)

// An answer is a capture that is open: what was answered, and its payload.
type answer struct {
	capture  Capture
	header   warc.Header // of the record
	status   int         // HTTP status; 200 where there was no HTTP
	reason   string
	fields   warc.Header // HTTP fields of the answer
	original *Capture    // where the payload of a revisit lies

	m      *warc.HTTPMessage // the payload comes from; nil of a resource
	block  *bufio.Reader     // of a resource
	length int64             // bytes of the body as it lies in the record, -1 if not known
	coded  bool              // by a transfer or content coding
	open   []io.Closer
}

func (a *answer) Close() error {
	var err error
	for _, c := range a.open {
		err = errors.Join(err, c.Close())
	}
	a.open = nil
	return err
}

// contentType is the declared type of the payload.
func (a *answer) contentType() string {
	if a.m == nil {
		return a.header.Get("Content-Type")
	}
	if t := a.fields.Get("Content-Type"); t != "" {
		return t
	}
	return a.m.Header.Get("Content-Type")
}

// load opens the record of a capture, and that of its payload.
func (s *Server) load(ctx context.Context, c Capture) (_ *answer, err error) {
	a := &answer{capture: c, status: 200, length: -1}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	rec, err := s.open(ctx, a, c)
	if err != nil {
		return nil, err
	}
	a.header = rec.Header
	if err := s.held(ctx, rec.Header); err != nil {
		return nil, err
	}
	if a.header.Type() != warc.TypeRevisit {
		return a, s.take(ctx, a, c, rec, a.header)
	}
	head, err := warc.ReadHTTP(rec)
	if err != nil && !errors.Is(err, warc.ErrNotHTTP) && err != io.EOF {
		return nil, err
	}
	original, from, err := s.o.Source.Original(ctx, c, a.header)
	if err != nil {
		return nil, err
	}
	a.original = &original
	a.open = append(a.open, from)
	h := from.Header
	if err := s.held(ctx, h); err != nil {
		return nil, err
	}
	if h.Type() == warc.TypeRevisit {
		return nil, fmt.Errorf("%w: it leads to another revisit, %s", ErrNoOriginal, h.RecordID())
	}
	if err := s.take(ctx, a, original, from, h); err != nil {
		return nil, err
	}
	// The answer's own head counts, but a 304 says that the earlier one does.
	if head != nil && head.Status != 0 && head.Status != 304 {
		a.status, a.reason, a.fields = head.Status, head.Reason, head.Header
	}
	return a, nil
}

// deletedField is the header field of a record that stands where one was deleted
// by an act; its value is the act's id (archive.DeletedField, which this package
// does not import).
const deletedField = "Refrain-Deleted"

// held gives an error if an act deleted a record, or holds it.
func (s *Server) held(ctx context.Context, h warc.Header) error {
	if act := h.Get(deletedField); act != "" {
		return &blockedError{act: act}
	}
	if s.o.Held == nil {
		return nil
	}
	act, err := s.o.Held(ctx, h.RecordID())
	if err != nil {
		return fmt.Errorf("look up whether record %s may be shown: %w", h.RecordID(), err)
	}
	if act != "" {
		return &blockedError{act: act}
	}
	return nil
}

func (s *Server) open(ctx context.Context, a *answer, c Capture) (*Record, error) {
	rec, err := s.o.Source.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	a.open = append(a.open, rec)
	return rec, nil
}

// take makes rec the record that the payload is read from.
func (s *Server) take(ctx context.Context, a *answer, c Capture, rec *Record, h warc.Header) error {
	size, err := strconv.ParseInt(strings.TrimSpace(h.Get("Content-Length")), 10, 64)
	if err != nil {
		size = -1
	}
	isHTTP := strings.HasPrefix(strings.ToLower(strings.TrimSpace(h.Get("Content-Type"))), "application/http")
	if isHTTP || h.Type() == warc.TypeResponse && h.Get("Content-Type") == "" {
		m, err := warc.ReadHTTP(rec)
		if err == nil {
			a.m, a.status, a.reason, a.fields = m, m.Status, m.Reason, m.Header
			a.coded = m.Chunked() || len(m.ContentCodings()) > 0
			if size >= 0 {
				a.length = size - m.Size
			}
			if a.status == 0 {
				a.status = 200
			}
			return nil
		}
		if !errors.Is(err, warc.ErrNotHTTP) {
			return err
		}
		// No HTTP after all: its bytes are shown as they are.
		if rec, err = s.open(ctx, a, c); err != nil {
			return err
		}
	}
	a.block, a.length = bufio.NewReaderSize(rec, 4<<10), size
	return nil
}

// payload gives the payload without transfer coding, as its digest is over.
func (a *answer) payload() io.Reader {
	if a.m == nil {
		return a.block
	}
	return a.m.Payload()
}

// decoded gives the payload unpacked, at most limit bytes of it; 0 is no limit.
func (a *answer) decoded(limit int64) (io.ReadCloser, error) {
	if a.m != nil {
		return a.m.Decoded(limit)
	}
	if limit > 0 {
		return io.NopCloser(&limited{a.block, limit}), nil
	}
	return io.NopCloser(a.block), nil
}

// limited gives warc.ErrTooLarge after its limit.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, warc.ErrTooLarge
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return n - 1, warc.ErrTooLarge
	}
	return n, err
}

// size is the number of bytes of the payload unpacked, if that is known without
// reading it.
func (a *answer) size() (int64, bool) {
	if a.coded || a.length < 0 {
		return 0, false
	}
	return a.length, true
}

// maxJudged is the largest image that a blocklist is shown.
const maxJudged = 64 << 20

// maxVerdicts bounds the captures whose verdict is remembered; all are forgotten
// when there are so many.
const maxVerdicts = 10_000

// place is where a payload lies.
type place struct {
	file   string
	offset int64
}

// blocked asks the blocklist about the payload of a capture. The whole payload
// is read for it, once.
func (s *Server) blocked(ctx context.Context, c Capture) (list string, blocked bool, err error) {
	if s.o.Blocklist == nil {
		return "", false, nil
	}
	at := place{c.File + "\x00" + c.Filename, c.Offset}
	s.mu.Lock()
	list, known := s.verdicts[at]
	s.mu.Unlock()
	if known {
		return list, list != "", nil
	}
	if list, err = s.judge(ctx, c); err != nil {
		return "", false, err
	}
	s.mu.Lock()
	if s.verdicts == nil || len(s.verdicts) >= maxVerdicts {
		s.verdicts = map[place]string{}
	}
	s.verdicts[at] = list
	s.mu.Unlock()
	return list, list != "", nil
}

// judge reads the payload of a capture and asks the blocklist about it.
func (s *Server) judge(ctx context.Context, c Capture) (string, error) {
	a, err := s.load(ctx, c)
	if err != nil {
		return "", err
	}
	defer a.Close()
	r, err := a.decoded(0)
	if err != nil {
		return "", err
	}
	defer r.Close()
	sum := sha256.New()
	kind, _, _ := strings.Cut(a.contentType(), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	var body []byte
	if strings.HasPrefix(kind, "image/") {
		if body, err = appendAll(nil, io.TeeReader(io.LimitReader(r, maxJudged+1), sum)); len(body) > maxJudged {
			body = nil
		}
	}
	if err == nil {
		_, err = io.Copy(sum, r)
	}
	// A body that ends early is judged as far as it goes: no more of it is shown.
	if isDamage(err) {
		return "", err
	}
	return s.o.Blocklist.Withhold(ctx, hex.EncodeToString(sum.Sum(nil)), kind, body)
}
