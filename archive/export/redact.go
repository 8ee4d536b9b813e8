package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"

	"github.com/refrain-archive/refrain/archive/warc"
)

// A Redactor takes personal data out of texts. It need not be safe for concurrent
// use.
type Redactor interface {
	// Redact gives a text without what goes, and how often each kind was found;
	// the text itself where nothing was. What stands in its place must be safe in
	// HTML, JSON and addresses.
	Redact(text []byte) ([]byte, map[string]int, error)
}

// maxRedacted is the largest body, unpacked, that is looked through, in bytes: its
// copies and the places of its escapes take about 12 times as much memory. Of 1 GB
// of crawled pages of the demo none is above 1 MB. A larger one is left out.
const maxRedacted = 16 << 20

// The fields of a record that was rewritten.
const (
	redactedField = "Refrain-Redacted"
	originalBlock = "Refrain-Original-Block-Digest"
	originalBody  = "Refrain-Original-Payload-Digest"
)

// A Redaction says what was redacted.
type Redaction struct {
	Kinds   map[string]int64 `json:"kinds"`   // places, by kind
	Records int64            `json:"records"` // rewritten ones
	LeftOut int64            `json:"left_out"`
	Binary  string           `json:"binary"` // what was done with what is not text: "left out", "kept"
	List    []Redacted       `json:"list,omitempty"`
	More    int              `json:"more,omitempty"` // rewritten records beyond those listed
}

// A Redacted is a record that was rewritten. Before is its block as the archive
// has it, After as the package has it.
type Redacted struct {
	RecordID string         `json:"record_id"`
	Kinds    map[string]int `json:"kinds,omitempty"` // none: only its coding or its reference to a rewritten record is another
	Before   string         `json:"block_digest_before,omitempty"`
	After    string         `json:"block_digest_after"`
}

// redactString redacts a short text.
func (e *exporter) redactString(s string) (string, error) {
	if e.o.Redact == nil || s == "" {
		return s, nil
	}
	out, found, err := e.o.Redact.Redact([]byte(s))
	if err != nil {
		return "", err
	}
	e.count(found)
	return string(out), nil
}

func (e *exporter) count(found map[string]int) {
	for kind, n := range found {
		e.report.Redaction.Kinds[kind] += int64(n)
	}
}

// leftOut says why a record is not in a redacted package.
type leftOut struct{ why string }

func (l *leftOut) Error() string { return l.why }

// redacted writes a record without what goes. It reports false where there is
// nothing to redact, so that the record is copied as it is. A *leftOut says that
// the record cannot be in the package.
func (e *exporter) redacted(src *source, rec *warc.ReadRecord) (header warc.Header, written int64, done bool, err error) {
	again, err := e.again(src, rec)
	if err != nil {
		return nil, 0, false, err
	}
	found := map[string]int{}
	h, err := e.redactFields(rec.Header, found)
	if err != nil {
		return nil, 0, false, &leftOut{err.Error()}
	}
	block, payload, err := e.redactBlock(again, found)
	if err != nil {
		return nil, 0, false, err
	}
	mapped := ""
	if d := rec.Header.Get("WARC-Payload-Digest"); d != "" && rec.Header.Type() == warc.TypeRevisit {
		mapped = e.bodies[keyOf(d)]
	}
	if len(found) == 0 && mapped == "" {
		return nil, 0, false, nil
	}
	if block == nil { // only its header, or what it refers to
		raw, err := e.again(src, rec)
		if err != nil {
			return nil, 0, false, err
		}
		if block, err = readAtMost(raw); err != nil {
			return nil, 0, false, err
		}
	}
	body := rec.Header.Get("WARC-Payload-Digest")
	r := &warc.Record{Header: h, Block: warc.Bytes(block), BlockDigest: warc.SHA256(block)}
	for _, name := range []string{"Content-Length", "WARC-Block-Digest", "WARC-Payload-Digest"} {
		r.Header.Del(name)
	}
	switch {
	case rec.Header.Type() == warc.TypeRevisit:
		if mapped != "" {
			r.Header.Add("WARC-Payload-Digest", mapped)
		} else if body != "" {
			r.Header.Add("WARC-Payload-Digest", body)
		}
	case payload != nil:
		r.PayloadDigest = warc.SHA256(payload)
		if body != "" {
			e.bodies[keyOf(body)] = r.PayloadDigest
		}
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(found)) {
		kinds = append(kinds, kind+"="+strconv.Itoa(found[kind]))
	}
	if len(kinds) == 0 {
		kinds = []string{"reference"}
	}
	r.Header.Add(redactedField, strings.Join(kinds, " "))
	if d := rec.Header.Get("WARC-Block-Digest"); d != "" {
		r.Header.Add(originalBlock, d)
	}
	if body != "" {
		r.Header.Add(originalBody, body)
	}
	before := e.w.WARCSize()
	if err := e.w.Record(r); err != nil {
		return nil, 0, false, err
	}
	e.count(found)
	e.report.Redaction.Records++
	if len(e.report.Redaction.List) < maxListed {
		e.report.Redaction.List = append(e.report.Redaction.List, Redacted{RecordID: rec.ID(), Kinds: found, Before: rec.Header.Get("WARC-Block-Digest"), After: r.BlockDigest})
	} else {
		e.report.Redaction.More++
	}
	return r.Header, e.w.WARCSize() - before, true, nil
}

// redactFields redacts the values of fields. Ids, dates, digests and lengths stay.
func (e *exporter) redactFields(h warc.Header, found map[string]int) (warc.Header, error) {
	h = h.Clone()
	for i, f := range h {
		switch strings.ToLower(f.Name) {
		case "warc-record-id", "warc-concurrent-to", "warc-refers-to", "warc-warcinfo-id", "warc-date", "warc-refers-to-date", "warc-block-digest", "warc-payload-digest", "content-length", "warc-type", "warc-profile":
			continue
		}
		out, n, err := e.o.Redact.Redact([]byte(f.Value))
		if err != nil {
			return nil, fmt.Errorf("its field %s cannot be redacted: %w", f.Name, err)
		}
		if len(n) > 0 {
			h[i].Value = string(out)
			add(found, n)
		}
	}
	return h, nil
}

func add(to, n map[string]int) {
	for kind, v := range n {
		to[kind] += v
	}
}

// redactBlock gives the block of a record without what goes, and its payload; nil
// where nothing was found in it.
func (e *exporter) redactBlock(rec *warc.ReadRecord, found map[string]int) (block, payload []byte, err error) {
	kind := rec.Header.Type()
	isHTTP := strings.HasPrefix(strings.ToLower(strings.TrimSpace(rec.Header.Get("Content-Type"))), "application/http")
	if !isHTTP {
		data, err := readAtMost(rec)
		if err != nil {
			return nil, nil, err
		}
		out, n, _, err := e.redactBody(data, rec.Header.Get("Content-Type"))
		if err != nil || len(n) == 0 {
			return nil, nil, err
		}
		add(found, n)
		return out, out, nil
	}
	m, err := warc.ReadHTTP(rec)
	if errors.Is(err, warc.ErrNotHTTP) {
		return nil, nil, &leftOut{"its block is not the HTTP message that it is said to be"}
	}
	if err == io.EOF { // a revisit without a head
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	fields, err := e.redactFields(m.Header, found)
	if err != nil {
		return nil, nil, &leftOut{err.Error()}
	}
	line := []string{m.Proto, strconv.Itoa(m.Status), m.Reason}
	if m.Status == 0 {
		line = []string{m.Method, m.Target, m.Proto}
	}
	first, n, err := e.o.Redact.Redact([]byte(strings.Join(line, " ")))
	if err != nil {
		return nil, nil, &leftOut{err.Error()}
	}
	add(found, n)
	var body []byte
	if kind != warc.TypeRevisit {
		d, err := m.Decoded(maxRedacted)
		if err != nil {
			return nil, nil, &leftOut{"its body cannot be unpacked: " + err.Error()}
		}
		data, err := io.ReadAll(d)
		d.Close() //nolint:errcheck // only read
		var damage *warc.Damage
		if errors.Is(err, warc.ErrTooLarge) {
			return nil, nil, &leftOut{fmt.Sprintf("its body has more than %d MB and cannot be looked through", maxRedacted>>20)}
		} else if errors.As(err, &damage) {
			return nil, nil, err
		} else if err != nil {
			return nil, nil, &leftOut{"its body cannot be unpacked to its end: " + err.Error()}
		}
		out, n, utf8ed, err := e.redactBody(data, m.Header.Get("Content-Type"))
		if err != nil {
			return nil, nil, err
		}
		body = out
		add(found, n)
		if utf8ed {
			kind, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
			if kind != "" {
				if params == nil {
					params = map[string]string{}
				}
				params["charset"] = "utf-8"
				fields.Set("Content-Type", mime.FormatMediaType(kind, params))
			}
		}
	}
	if len(found) == 0 && kind != warc.TypeRevisit {
		return nil, nil, nil
	}
	for _, name := range []string{"Transfer-Encoding", "Content-Encoding", "Content-Length"} {
		fields.Del(name)
	}
	if kind != warc.TypeRevisit && (m.Status != 0 || len(body) > 0) {
		fields.Add("Content-Length", strconv.Itoa(len(body)))
	}
	var b bytes.Buffer
	b.Write(bytes.TrimRight(first, " "))
	b.WriteString("\r\n")
	for _, f := range fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.Name, f.Value)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes(), body, nil
}

// readAtMost reads a block that can be looked through.
func readAtMost(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxRedacted+1))
	if err == nil && len(data) > maxRedacted {
		return nil, &leftOut{fmt.Sprintf("its block has more than %d MB and cannot be looked through", maxRedacted>>20)}
	}
	return data, err
}

// redactBody redacts a body. utf8ed says that it was in another charset.
func (e *exporter) redactBody(data []byte, contentType string) (out []byte, n map[string]int, utf8ed bool, err error) {
	text := data
	if !isText(data, contentType) {
		if !e.o.KeepBinary && len(data) > 0 {
			return nil, nil, false, &leftOut{"its payload is not text and cannot be redacted"}
		}
		_, n, err := e.o.Redact.Redact(data)
		if err != nil || len(n) > 0 {
			return nil, nil, false, &leftOut{"its payload is not text, and has in it what would be redacted"}
		}
		return data, nil, false, nil
	}
	if !utf8.Valid(data) || bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		encoding, _, _ := charset.DetermineEncoding(data[:min(len(data), 1024)], contentType)
		if text, err = encoding.NewDecoder().Bytes(data); err != nil {
			return nil, nil, false, &leftOut{"its charset cannot be read: " + err.Error()}
		}
		utf8ed = true
	}
	out, n, err = e.o.Redact.Redact(text)
	if err != nil {
		return nil, nil, false, &leftOut{err.Error()}
	}
	if len(n) == 0 {
		return data, nil, false, nil
	}
	return out, n, utf8ed, nil
}

// isText reports whether a body can be redacted: by its type, or, where that says
// nothing, because it looks like text.
func isText(data []byte, contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind = strings.TrimSpace(kind)
	head := data[:min(len(data), 4<<10)]
	utf16 := bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
	switch {
	case bytes.IndexByte(head, 0) >= 0 && !utf16:
		return false // whatever it is said to be
	case strings.HasPrefix(kind, "text/"), strings.HasSuffix(kind, "json"), strings.HasSuffix(kind, "xml"), strings.HasSuffix(kind, "javascript"),
		kind == "application/x-www-form-urlencoded", kind == "application/warc-fields", kind == "application/x-ndjson":
		return true
	case strings.HasPrefix(kind, "image/"), strings.HasPrefix(kind, "video/"), strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "font/"):
		return false
	}
	return utf8.Valid(data)
}

// keptOut writes in place of a record that is left out of a redacted package.
func (e *exporter) keptOut(rec *warc.ReadRecord, why *leftOut) error {
	e.kept.add(rec.ID())
	e.report.Redaction.LeftOut++
	return e.tombstone(rec, "redaction: "+why.why)
}

// Redacted gives the posts of a selection without what a Redactor takes out, and
// adds to kinds how often each kind was found.
func (s Selection) Redacted(r Redactor, kinds map[string]int64) Selection {
	return func(ctx context.Context) iter.Seq2[*Post, error] {
		return func(yield func(*Post, error) bool) {
			for p, err := range s(ctx) {
				if err == nil {
					p, err = redactPost(r, p, kinds)
				}
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

func redactPost(r Redactor, p *Post, kinds map[string]int64) (*Post, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, err
	}
	text, found, err := r.Redact(b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("redact a post: %w", err)
	}
	if len(found) == 0 {
		return p, nil
	}
	for kind, n := range found {
		kinds[kind] += int64(n)
	}
	q := &Post{}
	if err := json.Unmarshal(text, q); err != nil {
		return nil, fmt.Errorf("redact a post: a pattern takes away more than text (%w): write it so that it does not match quotes and braces", err)
	}
	q.Captures = p.Captures
	return q, nil
}

// redactReport redacts export.json.
func (e *exporter) redactReport(b *bytes.Buffer) (*bytes.Buffer, error) {
	if e.o.Redact == nil {
		return b, nil
	}
	out, _, err := e.o.Redact.Redact(b.Bytes())
	if err != nil {
		return nil, err
	}
	if !json.Valid(out) {
		return nil, errors.New("a pattern takes away more than text: write it so that it does not match quotes and braces")
	}
	return bytes.NewBuffer(out), nil
}

// newRedaction is the report of an export that redacts.
func newRedaction(o *Options) *Redaction {
	if o.Redact == nil {
		return nil
	}
	r := &Redaction{Kinds: map[string]int64{}, Binary: "left out"}
	if o.KeepBinary {
		r.Binary = "kept"
	}
	return r
}
