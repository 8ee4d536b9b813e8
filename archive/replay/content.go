package replay

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

// content answers for a capture: rewritten, as it is, or raw.
func (s *Server) content(w http.ResponseWriter, r *http.Request, q request) {
	ctx := r.Context()
	w.Header().Set("Vary", "Sec-Fetch-Dest")
	c, err := s.choose(ctx, q)
	if err != nil {
		s.fail(w, r, q, nil, err)
		return
	}
	if q.mod == Page && r.Header.Get("Sec-Fetch-Dest") == "document" {
		// Someone opened it by itself: with the banner it is said what it is.
		redirect(w, s.path(stamp(&c), Frame, q.url), http.StatusFound)
		return
	}
	if (q.mod == Page || q.mod == Raw) && q.ts != stamp(&c) {
		s.memento(w.Header(), &c, q.url)
		redirect(w, s.path(stamp(&c), q.mod, q.url), http.StatusFound)
		return
	}
	if list, blocked, err := s.blocked(ctx, c); blocked || err != nil {
		if err == nil {
			err = &blockedError{list: list}
		}
		s.fail(w, r, q, &c, err)
		return
	}
	a, err := s.load(ctx, c)
	if err != nil {
		s.fail(w, r, q, &c, err)
		return
	}
	defer a.Close()
	s.memento(w.Header(), &c, q.url)
	s.originals(w.Header(), a)
	w.Header().Set("Cache-Control", "private, max-age=60")
	if target := a.redirect(); target != "" {
		setPolicy(w.Header(), rawPolicy)
		redirect(w, s.path(stamp(&c), q.mod, target), a.status)
		return
	}
	if err := s.write(w, r, a, q); err != nil {
		s.fail(w, r, q, &c, err)
	}
}

// redirect gives the target of an answer that redirects, or "".
func (a *answer) redirect() string {
	switch a.status {
	case 301, 302, 303, 307, 308:
		return location(a.capture.URL, a.fields.Get("Location"))
	}
	return ""
}

func redirect(w http.ResponseWriter, to string, status int) {
	w.Header().Set("Location", to)
	w.WriteHeader(status)
}

// originals says what the answer's own fields were. None of them takes effect.
func (s *Server) originals(h http.Header, a *answer) {
	h.Set("X-Archive-Orig-Status", strconv.Itoa(a.status))
	for i, f := range a.fields {
		if i == 64 {
			break
		}
		if len(f.Name) > 64 || len(f.Value) > 4<<10 || !plainName([]byte(f.Name)) || strings.ContainsFunc(f.Value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			continue
		}
		h.Add("X-Archive-Orig-"+f.Name, f.Value)
	}
}

// shownStatus is the status that a capture is given with. Browsers act on some
// statuses instead of showing what came with them.
func shownStatus(status int) int {
	switch {
	case status < 200 || status > 599, status == 204, status == 205, status == 206, status >= 300 && status < 400:
		return http.StatusOK
	case status == 407, status == 408, status == 421, status == 425, status == 429:
		return http.StatusBadRequest
	}
	return status
}

// buffers are for documents while they are rewritten.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKept is the largest buffer that is kept for the next document.
const maxKept = 4 << 20

// A pair of buffers: what was read, and what is written.
type workspace struct{ in, out *[]byte }

func borrow() workspace {
	return workspace{buffers.Get().(*[]byte), buffers.Get().(*[]byte)}
}

func (b workspace) giveBack() {
	for _, p := range []*[]byte{b.in, b.out} {
		if cap(*p) <= maxKept {
			*p = (*p)[:0]
			buffers.Put(p)
		}
	}
}

// appendAll appends all that r gives.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if cap(dst)-len(dst) < 4<<10 {
			dst = append(dst, make([]byte, max(32<<10, len(dst)))...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func isDamage(err error) bool {
	var d *warc.Damage
	return errors.As(err, &d)
}

// write gives the payload. An error means that nothing was written.
func (s *Server) write(w http.ResponseWriter, r *http.Request, a *answer, q request) error {
	h := w.Header()
	if q.mod == Raw {
		return s.writeRaw(w, r, a)
	}
	setPolicy(h, contentPolicy)
	body, err := a.decoded(0)
	if err != nil {
		return err
	}
	defer body.Close()
	br := bufio.NewReaderSize(body, 512)
	head, err := br.Peek(512)
	if err != nil && isDamage(err) {
		return err
	}
	media, kind := mediaOf(a.contentType(), q.mod, head)
	switch media {
	case mediaHTML, mediaXHTML, mediaSVG, mediaCSS, mediaText:
		b := borrow()
		defer b.giveBack()
		out, outType, err := s.document(b, br, a, media, q)
		if err != nil {
			return err
		}
		h.Set("Content-Type", outType)
		h.Set("Content-Length", strconv.Itoa(len(out)))
		w.WriteHeader(shownStatus(a.status))
		if r.Method != http.MethodHead {
			w.Write(out) //nolint:errcheck // the reader went away
		}
		return nil
	case mediaFile:
		if q.mod == Page || q.mod == Inner {
			// A frame cannot show it, and must not save it.
			return s.aside(w, r, a, kind)
		}
		kind = "application/octet-stream"
	}
	if r.Header.Get("Sec-Fetch-Dest") == "font" {
		// Browsers fetch fonts with CORS, also from their own server, and the
		// page has an origin of its own.
		h.Set("Access-Control-Allow-Origin", "null")
	}
	h.Set("Content-Type", kind)
	return s.stream(w, r, a, br)
}

// document gives a document as it is shown, and its type. A body that ends early
// is shown as far as it goes.
func (s *Server) document(b workspace, r io.Reader, a *answer, media media, q request) ([]byte, string, error) {
	in, err := appendAll((*b.in)[:0], &limited{r, MaxDocument})
	*b.in = in
	switch {
	case errors.Is(err, warc.ErrTooLarge) || isDamage(err):
		return nil, "", err
	case err != nil && len(in) == 0:
		return nil, "", fmt.Errorf("unpack the body: %w", err)
	}
	t := Target{Prefix: s.root + stamp(&a.capture), URL: a.capture.URL, Mod: Page}
	if q.mod == Inner {
		t.Mod = Inner
	}
	declared := a.contentType()
	outType := "text/html; charset=utf-8"
	out := (*b.out)[:0]
	switch media {
	case mediaHTML:
		out = AppendHTML(out, in, declared, t)
	case mediaXHTML:
		out = AppendXHTML(out, in, declared, t)
	case mediaSVG:
		out, outType = AppendSVG(out, in, declared, t), "image/svg+xml; charset=utf-8"
	case mediaCSS:
		out, outType = AppendCSS(out, in, declared, t), "text/css; charset=utf-8"
	default:
		out, outType = appendText(out, in, declared), "text/plain; charset=utf-8"
	}
	*b.out = out
	return out, outType, nil
}

// writeRaw gives the payload byte for byte, as WARC-Payload-Digest is over it.
func (s *Server) writeRaw(w http.ResponseWriter, r *http.Request, a *answer) error {
	h := w.Header()
	setPolicy(h, rawPolicy)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	contentType := a.contentType()
	if contentType == "" || len(contentType) > 1000 || strings.ContainsFunc(contentType, func(r rune) bool { return r < ' ' || r > '~' }) {
		contentType = "application/octet-stream"
	}
	h.Set("Content-Type", contentType)
	body := bufio.NewReaderSize(a.payload(), 16<<10)
	head, err := body.Peek(4)
	if err != nil && isDamage(err) {
		return err
	}
	if a.m != nil && len(head) > 0 {
		codings := a.m.ContentCodings()
		if !(len(codings) == 1 && strings.HasSuffix(codings[0], "gzip") && !bytes.HasPrefix(head, []byte("\x1f\x8b"))) && len(codings) > 0 && len(codings) <= 5 {
			list := strings.Join(codings, ", ")
			if !strings.ContainsFunc(list, func(r rune) bool { return r <= ' ' && r != ' ' || r > '~' }) {
				h.Set("Content-Encoding", list)
			}
		}
	}
	if a.m != nil && !a.m.Chunked() && a.length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(a.length, 10))
	}
	w.WriteHeader(shownStatus(a.status))
	copyBody(w, r, body)
	return nil
}

// copyBody copies a body whose head is sent. Where it cannot be read to its end
// the connection is broken off, so that nobody takes a part for the whole.
func copyBody(w http.ResponseWriter, r *http.Request, body io.Reader) {
	if r.Method == http.MethodHead {
		return
	}
	to := &failing{w: w}
	if _, err := io.Copy(to, body); err != nil && !to.failed {
		panic(http.ErrAbortHandler)
	}
}

// failing tells an error of writing from one of reading.
type failing struct {
	w      io.Writer
	failed bool
}

func (f *failing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.failed = f.failed || err != nil
	return n, err
}

// stream gives a file as it is, or a part of it: players ask for parts of sound
// and moving images.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, a *answer, body io.Reader) error {
	h := w.Header()
	status := shownStatus(a.status)
	size, known := a.size()
	from, to, part := parseRange(r.Header.Get("Range"))
	if status == http.StatusOK && part {
		if !known {
			// The whole is read once to know how long it is.
			var err error
			if size, err = s.measure(r.Context(), a.capture); err != nil {
				return err
			}
		}
		if from < 0 {
			from, to = max(0, size+from), size-1
		}
		if to < 0 || to >= size {
			to = size - 1
		}
		if from > to {
			h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return nil
		}
		if _, err := io.CopyN(io.Discard, body, from); err != nil {
			return err
		}
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
		body, size, known, status = io.LimitReader(body, to-from+1), to-from+1, true, http.StatusPartialContent
	}
	h.Set("Accept-Ranges", "bytes")
	if known {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	w.WriteHeader(status)
	copyBody(w, r, body)
	return nil
}

// measure gives the size of a payload unpacked.
func (s *Server) measure(ctx context.Context, c Capture) (int64, error) {
	a, err := s.load(ctx, c)
	if err != nil {
		return 0, err
	}
	defer a.Close()
	body, err := a.decoded(0)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	return io.Copy(io.Discard, body)
}

// parseRange reads a Range of one part. Of "-500" from is -500, of "500-" to is
// -1.
func parseRange(v string) (from, to int64, ok bool) {
	spec, ok := strings.CutPrefix(v, "bytes=")
	first, last, cut := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !cut {
		return 0, 0, false
	}
	var err1, err2 error
	to = -1
	if last != "" {
		to, err2 = strconv.ParseInt(last, 10, 62)
	}
	if first == "" {
		return -to, -1, err2 == nil && to > 0
	}
	from, err1 = strconv.ParseInt(first, 10, 62)
	return from, to, err1 == nil && err2 == nil && from >= 0
}

// A blockedError says that a payload is on the blocklist, or that an act holds
// its record.
type blockedError struct{ list, act string }

func (e *blockedError) Error() string {
	if e.act != "" {
		return "withheld by the act " + e.act
	}
	return "withheld by the list " + e.list
}

// httpTime is a time as HTTP and Memento write it.
func httpTime(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
