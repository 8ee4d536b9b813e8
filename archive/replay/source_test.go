package replay

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// fileSource is a Source over WARC files in memory.
type fileSource struct {
	names []string
	data  map[string][]byte
	byKey map[string][]Capture
	all   []Capture
}

// addWARC indexes a WARC. What is damaged is left out.
func (f *fileSource) addWARC(t testing.TB, name string, data []byte) {
	t.Helper()
	if f.data == nil {
		f.data, f.byKey = map[string][]byte{}, map[string][]Capture{}
	}
	f.data[name] = data
	f.names = append(f.names, name)
	o := cdx.IndexOptions{NoDigest: true, Damaged: func(*warc.Damage) {}}
	_, err := cdx.Index(t.Context(), bytes.NewReader(data), name, o, func(l *cdx.Line) error {
		c := Capture{Line: *l, File: name}
		f.all = append(f.all, c)
		f.byKey[l.Key] = append(f.byKey[l.Key], c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	byTime := func(a, b Capture) int { return cmp.Compare(a.Timestamp, b.Timestamp) }
	for _, list := range f.byKey {
		slices.SortStableFunc(list, byTime)
	}
	slices.SortStableFunc(f.all, func(a, b Capture) int { return cmp.Or(cmp.Compare(a.Key, b.Key), byTime(a, b)) })
}

func (f *fileSource) Closest(_ context.Context, url string, at time.Time) iter.Seq2[Capture, error] {
	list := slices.Clone(f.byKey[cdx.SURT(url)])
	if at.IsZero() {
		at = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	slices.SortStableFunc(list, func(a, b Capture) int {
		return cmp.Compare(a.Time().Sub(at).Abs(), b.Time().Sub(at).Abs())
	})
	return each(list)
}

func each(list []Capture) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		for _, c := range list {
			if !yield(c, nil) {
				return
			}
		}
	}
}

func (f *fileSource) Captures(_ context.Context, url string) iter.Seq2[Capture, error] {
	return each(f.byKey[cdx.SURT(url)])
}

func (f *fileSource) List(_ context.Context, prefix string) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		for _, c := range f.all {
			if strings.HasPrefix(c.URL, prefix) && !yield(c, nil) {
				return
			}
		}
	}
}

func (f *fileSource) Open(_ context.Context, c Capture) (*Record, error) {
	data := f.data[c.Filename]
	rec, err := warc.ReadAt(bytes.NewReader(data), int64(len(data)), c.Offset)
	if err != nil {
		return nil, err
	}
	return &Record{rec.Header, rec, io.NopCloser(nil)}, nil
}

func (f *fileSource) Original(ctx context.Context, c Capture, h warc.Header) (Capture, *Record, error) {
	want, err := warc.ParseDigest(c.Digest)
	url := h.Get("WARC-Refers-To-Target-URI")
	for _, o := range f.all {
		if o.Revisit() {
			continue
		}
		got, err2 := warc.ParseDigest(o.Digest)
		if err == nil && err2 == nil && got.Equal(want) || err != nil && url != "" && o.URL == url {
			rec, err := f.Open(ctx, o)
			return o, rec, err
		}
	}
	return Capture{}, nil, ErrNoOriginal
}

// A maker writes captures into a WARC.
type maker struct {
	t   testing.TB
	buf bytes.Buffer
	w   *warc.Writer
}

func newMaker(t testing.TB) *maker {
	m := &maker{t: t}
	m.w = warc.NewWriter(&m.buf, warc.WriterOptions{})
	return m
}

func day(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }

// page writes a response of status 200.
func (m *maker) page(at time.Time, url, contentType, body string) *warc.Record {
	return m.answer(at, url, "200 OK", body, "Content-Type: "+contentType)
}

// answer writes a response with any status and fields.
func (m *maker) answer(at time.Time, url, status, body string, fields ...string) *warc.Record {
	m.t.Helper()
	head := "HTTP/1.1 " + status + "\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	if !strings.Contains(strings.ToLower(head), "chunked") {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	r := warc.Capture{URL: url, Date: at}.Response(warc.Bytes([]byte(head + "\r\n" + body)))
	m.write(r)
	return r
}

func (m *maker) write(r *warc.Record) {
	m.t.Helper()
	if _, err := m.w.Write(r); err != nil {
		m.t.Fatal(err)
	}
}

// source is the Source over what was written.
func (m *maker) source() *fileSource {
	m.t.Helper()
	f := &fileSource{}
	f.addWARC(m.t, "made.warc.gz", m.buf.Bytes())
	return f
}

func (m *maker) server(o Options) *Server {
	m.t.Helper()
	o.Source = m.source()
	s, err := New(o)
	if err != nil {
		m.t.Fatal(err)
	}
	return s
}
