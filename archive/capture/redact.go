package capture

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// redactWindow is how many bytes are searched for secrets at a time.
const redactWindow = 256 << 10

// redact replaces the secrets in ex, whose blocks are the buffers of a, and
// writes down that it did.
func (f *fetch) redact(ex *Exchange, a *attempt) error {
	reason := "key"
	for _, field := range f.layers.Fields() {
		if field.Name == "key" {
			reason = "key " + f.secrets.hide(field.Value)
		}
	}
	note := func(part string, before, after [32]byte, count int, rewritten string) {
		ex.Redactions = append(ex.Redactions, Redaction{part, before, after, count, reason, rewritten})
	}
	if f.shown != f.url {
		note("url", sha256.Sum256([]byte(f.url)), sha256.Sum256([]byte(f.shown)), len(f.secrets.find([]byte(f.url))), "")
	}

	count, err := f.secrets.redactMessage(&a.req, true, f.req.Method)
	if err != nil {
		return err
	}
	if count > 0 {
		before := ex.Request.SHA256
		if ex.Request, err = describe(&a.req, true, f.req.Method); err != nil {
			return err
		}
		note("request-block", before, ex.Request.SHA256, count, "")
	}

	before := ex.Response.SHA256
	count, err = f.secrets.redactMessage(&a.resp, false, f.req.Method)
	if err != nil {
		return err
	}
	more, rewritten, err := f.redactCoded(a)
	if err != nil {
		return err
	}
	if count += more; count == 0 && rewritten == "" {
		return nil
	}
	if ex.Response, err = describe(&a.resp, false, f.req.Method); err != nil {
		return err
	}
	ex.ContentType = f.secrets.hide(ex.ContentType)
	if rewritten != "" {
		ex.ContentEncoding = ""
	}
	if rewritten == withheld && ex.Truncated == "" {
		ex.Truncated = "length"
	}
	note("response-block", before, ex.Response.SHA256, count, rewritten)
	return nil
}

// redactMessage replaces the secrets in a message by as many bytes, as they
// stand in it and where the borders of chunks cut them. It says how many.
func (s *secrets) redactMessage(buf *buffer, request bool, method string) (count int, err error) {
	// First as they stand, in windows that overlap by the longest form.
	reach := int64(s.reach())
	window := make([]byte, 0, min(buf.size, redactWindow+reach))
	for off := int64(0); off < buf.size; {
		window = window[:min(buf.size-off, redactWindow+reach)]
		if _, err := buf.ReadAt(window, off); err != nil {
			return count, err
		}
		if n := s.redact(window); n > 0 {
			count += n
			if _, err := buf.WriteAt(window, off); err != nil {
				return count, err
			}
		}
		off += redactWindow
	}

	// Then in the payload of chunked messages, which is cut in pieces.
	split := splitter{request: request, method: method}
	var (
		payload []byte
		at      []int64 // offset in buf of each byte of payload
	)
	flush := func(keep int) {
		if err != nil || len(payload) <= keep {
			return
		}
		for _, place := range s.find(payload) {
			count++
			for i := place[0]; i < place[1] && err == nil; i++ {
				payload[i] = placeholder[(i-place[0])%len(placeholder)]
				_, err = buf.WriteAt(payload[i:i+1], at[i])
			}
		}
		n := len(payload) - keep
		payload = payload[:copy(payload, payload[n:])]
		at = at[:copy(at, at[n:])]
	}
	split.payload = func(p []byte, off int64) {
		if !split.chunked {
			return
		}
		for i, b := range p {
			payload, at = append(payload, b), append(at, off+int64(i))
		}
		if len(payload) > redactWindow/8+int(reach) {
			flush(int(reach))
		}
	}
	if e := buf.pieces(0, buf.size, func(p []byte) { split.write(p) }); e != nil {
		return count, e
	}
	flush(0)
	return count, err
}

// withheld stands in a Redaction where a coded body could not be searched.
const withheld = "the body is left out, as its content coding could not be undone to search it"

// redactCoded looks for secrets in a response that is content-coded although
// identity was asked for. If there are any, the response in a becomes one with
// the decoded body, under a header without Content-Encoding and
// Transfer-Encoding and with the right Content-Length.
func (f *fetch) redactCoded(a *attempt) (count int, rewritten string, err error) {
	split := splitter{method: f.req.Method}
	if err := a.resp.pieces(0, a.resp.size, func(p []byte) {
		if !split.bodyKnown {
			split.write(p)
		}
	}); err != nil {
		return 0, "", err
	}
	if !split.bodyKnown || split.contentEncoding == "" {
		return 0, "", nil
	}
	head := make([]byte, split.head-split.interim)
	if _, err := a.resp.ReadAt(head, split.interim); err != nil {
		return 0, "", err
	}
	list, known := codings(headerLines(head)["Content-Encoding"])
	if len(list) == 0 && known {
		return 0, "", nil
	}
	if !known {
		return withhold(a, split)
	}

	// Once to search, and only if there is something, once more to store.
	limit := f.t.opt.MaxDecoded
	if limit <= 0 {
		limit = DefaultMaxDecoded
	}
	out := buffer{dir: a.resp.dir}
	defer out.free()
	payload := &payloadReader{buf: &a.resp, split: splitter{method: f.req.Method}}
	defer payload.free()
	r := &capReader{r: decoded(payload, list), max: limit, left: limit}
	piece := chunkPool.Get().(*chunk)
	defer chunkPool.Put(piece)
	for err == nil {
		var n int
		n, err = r.Read(piece[:])
		if e := out.append(piece[:n]); e != nil {
			return 0, "", e
		}
	}
	var broken *decodeError
	switch {
	case errors.Is(err, ErrTooLarge):
		return withhold(a, split)
	case err != io.EOF && !errors.As(err, &broken):
		return 0, "", err
	}
	if count, err = f.secrets.redactMessage(&out, true, ""); count == 0 || err != nil {
		return 0, "", err
	}
	if err := rewrite(a, split, head, &out); err != nil {
		return 0, "", err
	}
	return count, fmt.Sprintf("stored without its content coding %s and transfer coding, Content-Length set", strings.Join(list, ", ")), nil
}

// withhold leaves the body out of the record.
func withhold(a *attempt, split splitter) (int, string, error) {
	if a.resp.size == split.head {
		return 0, "", nil
	}
	a.resp.truncate(split.head)
	return 0, withheld, nil
}

// rewrite replaces the response in a by its head, changed to fit, and body.
func rewrite(a *attempt, split splitter, head []byte, body *buffer) error {
	var out buffer
	out.dir = a.resp.dir
	interim := make([]byte, split.interim)
	if _, err := a.resp.ReadAt(interim, 0); err != nil && split.interim > 0 {
		out.free()
		return err
	}
	fresh := append(interim, rewriteHead(head, body.size)...)
	err := out.append(fresh)
	if err == nil {
		if e := body.pieces(0, body.size, func(p []byte) {
			if err == nil {
				err = out.append(p)
			}
		}); err == nil {
			err = e
		}
	}
	if err != nil {
		out.free()
		return err
	}
	a.resp.free()
	a.resp = out
	return nil
}

// rewriteHead is head without the lines about coding, and with length.
func rewriteHead(head []byte, length int64) []byte {
	var out []byte
	skipping := false
	for line := range bytes.Lines(head) {
		text := bytes.TrimRight(line, "\r\n")
		switch {
		case len(text) == 0:
			out = fmt.Appendf(out, "Content-Length: %d\r\n", length)
			return append(out, line...)
		case text[0] == ' ' || text[0] == '\t': // folded: belongs to the line before
			if !skipping {
				out = append(out, line...)
			}
			continue
		}
		name, _, _ := bytes.Cut(text, []byte(":"))
		switch strings.ToLower(string(bytes.TrimSpace(name))) {
		case "content-encoding", "transfer-encoding", "content-length", "trailer":
			skipping = true
		default:
			skipping = false
			out = append(out, line...)
		}
	}
	return out
}

// headerLines gives the fields of a head; folded lines are joined.
func headerLines(head []byte) http.Header {
	h := http.Header{}
	last := ""
	for line := range bytes.Lines(head) {
		text := strings.TrimRight(string(line), "\r\n")
		if text == "" {
			break
		}
		if (text[0] == ' ' || text[0] == '\t') && last != "" {
			values := h[last]
			values[len(values)-1] += " " + strings.TrimSpace(text)
			continue
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			continue
		}
		last = http.CanonicalHeaderKey(strings.TrimSpace(name))
		h[last] = append(h[last], strings.TrimSpace(value))
	}
	return h
}

// A payloadReader reads the payload of the response in buf.
type payloadReader struct {
	buf   *buffer
	split splitter
	off   int64
	in    *chunk
	ready []byte
}

func (r *payloadReader) Read(p []byte) (int, error) {
	if r.in == nil {
		r.in = chunkPool.Get().(*chunk)
		r.split.payload = func(piece []byte, _ int64) { r.ready = append(r.ready, piece...) }
	}
	for len(r.ready) == 0 {
		if r.off >= r.buf.size || r.split.ended() || r.split.broken() {
			return 0, io.EOF
		}
		n, err := r.buf.ReadAt(r.in[:min(int64(len(r.in)), r.buf.size-r.off)], r.off)
		if err != nil {
			return 0, err
		}
		r.off += int64(n)
		r.ready = nil
		r.split.write(r.in[:n])
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

func (r *payloadReader) free() {
	if r.in != nil {
		chunkPool.Put(r.in)
		r.in = nil
	}
}
