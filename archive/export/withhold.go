package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/refrain-archive/refrain/archive/warc"
)

// A looked is what is gathered of a block while it is read.
type looked struct {
	decoded bool // the decoded body is digested
	head    *warc.HTTPHead
	pipe    *io.PipeWriter
	done    chan error
	digest  hash.Hash
	body    *bytes.Buffer // nil: not kept
	over    bool          // the body is larger than what is kept
}

// maxGuarded is how many bytes of a decoded body a Guard gets to see, beside
// their digest.
const maxGuarded = 64 << 20

// look decides what is gathered: the digest of a decoded body where a guard
// asks, or where what was computed from a medium is filed under it.
func (e *exporter) look(rec *warc.ReadRecord, head *warc.HTTPHead, it item) (*looked, error) {
	l := &looked{head: head}
	kind := rec.Header.Type()
	body := kind == warc.TypeResponse || kind == warc.TypeResource
	coded := it.media && head != nil && len(head.ContentCodings()) > 0
	if !body || e.o.Guard == nil && !coded {
		return l, nil
	}
	l.decoded, l.digest = true, sha256.New()
	if e.o.Guard != nil {
		l.body = &bytes.Buffer{}
	}
	r, w := io.Pipe()
	l.pipe, l.done = w, make(chan error, 1)
	go func() {
		err := l.read(r, kind == warc.TypeResponse && head != nil)
		_, cerr := io.Copy(io.Discard, r) // what is left, so that the writer is not held up
		if err == nil {
			err = cerr
		}
		l.done <- err
	}()
	return l, nil
}

func (l *looked) read(r io.Reader, isHTTP bool) error {
	body := r
	if isHTTP {
		m, err := warc.ReadHTTP(r)
		if err != nil {
			return nil // no HTTP message after all
		}
		d, err := m.Decoded(maxDecoded)
		if err != nil {
			return nil
		}
		defer d.Close() //nolint:errcheck // only read
		body = d
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		l.digest.Write(buf[:n])
		if l.body != nil && !l.over {
			if l.body.Len()+n > maxGuarded {
				l.over, l.body = true, nil
			} else {
				l.body.Write(buf[:n])
			}
		}
		if err != nil {
			return nil // the end, or a coding that is broken: what is there was read
		}
	}
}

// maxDecoded bounds what a body unpacks to.
const maxDecoded = 8 << 30

func (l *looked) sink() io.Writer {
	if l.pipe == nil {
		return nil
	}
	return l.pipe
}

func (l *looked) end() error {
	if l.pipe == nil {
		return nil
	}
	if err := l.pipe.Close(); err != nil {
		return err
	}
	return <-l.done
}

func (l *looked) sum() string { return hex.EncodeToString(l.digest.Sum(nil)) }

// withhold asks the guard.
func (e *exporter) withhold(ctx context.Context, rec *warc.ReadRecord, l *looked) (string, error) {
	if e.o.Guard == nil || !l.decoded {
		return "", nil
	}
	var body []byte
	if l.body != nil {
		body = l.body.Bytes()
	}
	kind := ""
	if l.head != nil {
		kind = l.head.MediaType()
	} else {
		kind, _, _ = strings.Cut(rec.Header.Get("Content-Type"), ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
	}
	list, err := e.o.Guard.Withhold(ctx, l.sum(), kind, body)
	if err != nil {
		return "", fmt.Errorf("compare record %s with the lists of what must not be handed on: %w", rec.ID(), err)
	}
	return list, nil
}

// tombstone writes in place of a record that is kept back what may be said of it.
func (e *exporter) tombstone(rec *warc.ReadRecord, list string) error {
	w := Withheld{RecordID: rec.ID(), URL: rec.Header.TargetURI(), PayloadDigest: rec.Header.Get("WARC-Payload-Digest"), List: list}
	if len(e.report.Withheld) < maxListed {
		e.report.Withheld = append(e.report.Withheld, w)
	} else {
		e.report.More++
	}
	date, err := warc.ParseDate(rec.Header.Get("WARC-Date"))
	if err != nil {
		date = e.o.Created
	}
	if w.URL, err = e.redactString(w.URL); err != nil {
		w.URL = "urn:refrain:redacted"
	}
	var fields warc.Header
	why := "its payload is on the list " + list
	if strings.HasPrefix(list, "redaction: ") {
		why = list[len("redaction: "):]
	}
	fields.Add("withheld", "the record "+w.RecordID+" is kept back: "+why)
	fields.Add("withheldList", list)
	fields.Add("withheldRecord", w.RecordID)
	fields.Add("withheldPayloadDigest", w.PayloadDigest)
	fields.Add("withheldBlockDigest", rec.Header.Get("WARC-Block-Digest"))
	fields.Add("withheldDate", rec.Header.Get("WARC-Date"))
	return e.w.Record(warc.Capture{URL: w.URL, Date: date}.Metadata(fields, nil))
}
