package replay

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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

// blocked asks the blocklist about everything that a payload is known by.
func (s *Server) blocked(ctx context.Context, c Capture) (string, bool, error) {
	if s.o.Blocklist == nil {
		return "", false, nil
	}
	if reason, yes := s.ask(c.Digest); yes {
		return reason, true, nil
	}
	a, err := s.load(ctx, c)
	if err != nil {
		return "", false, err
	}
	defer a.Close()
	if a.original != nil {
		if reason, yes := s.ask(a.original.Digest); yes {
			return reason, true, nil
		}
	}
	stored, plain := sha256.New(), sha256.New()
	if a.m == nil || len(a.m.ContentCodings()) == 0 {
		if _, err := io.Copy(stored, a.payload()); err != nil {
			return "", false, err
		}
		reason, yes := s.ask(label(stored))
		return reason, yes, nil
	}
	if _, err := io.Copy(stored, a.payload()); err != nil {
		return "", false, err
	}
	if reason, yes := s.ask(label(stored)); yes {
		return reason, true, nil
	}
	b, err := s.load(ctx, c)
	if err != nil {
		return "", false, err
	}
	defer b.Close()
	r, err := b.decoded(0)
	if err != nil {
		return "", false, nil
	}
	defer r.Close()
	// A body that ends early has a digest of its own, which is asked about too.
	if _, err := io.Copy(plain, r); err != nil && isDamage(err) {
		return "", false, err
	}
	reason, yes := s.ask(label(plain))
	return reason, yes, nil
}

func (s *Server) ask(digest string) (string, bool) {
	if digest == "" {
		return "", false
	}
	return s.o.Blocklist.Blocked(digest)
}

func label(h hash.Hash) string { return "sha256:" + hex.EncodeToString(h.Sum(nil)) }
