package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// MaxHTTPHead is the most bytes that the head of an HTTP message may have,
// interim answers included.
const MaxHTTPHead = 1 << 20

// An HTTPHead is what stands before the body of an HTTP message, as it was on
// the wire.
type HTTPHead struct {
	Proto   string // "HTTP/1.1", as written
	Status  int    // of a response; 0 in a request, or where the line shows none
	Reason  string // as written; may be empty
	Method  string // of a request
	Target  string // of a request: the second word of its first line
	Header  Header // in order, names as written, blanks around values removed, folded lines joined with one blank
	Size    int64  // bytes up to the body: interim answers, this head and the empty line
	Interim int    // number of 1xx answers before this head; their bytes are within Size
	Cut     bool   // the head ends without an empty line: there is no body
}

// errHeadGrows says that the bytes given end within the head.
var errHeadGrows = errors.New("warc: the HTTP head is longer than the bytes given")

// ErrNotHTTP says that a block does not begin like an HTTP message.
var ErrNotHTTP = errors.New("warc: the block does not begin with an HTTP message")

// ParseHTTPHead reads the head of the response or request that b begins with.
// It takes what servers and older archives write: LF alone as line end, no
// reason phrase, HTTP/2 in the status line, folded lines, lines without a
// colon (left out of Header). Answers 1xx other than 101 are passed over. A b
// that ends within the head gives the fields so far and Cut. The error is
// ErrNotHTTP.
func ParseHTTPHead(b []byte) (*HTTPHead, error) { return parseHead(b, true) }

func parseHead(b []byte, whole bool) (*HTTPHead, error) {
	var h HTTPHead
	for start := 0; ; {
		size, err := h.parse(b[start:], whole)
		if err != nil {
			if h.Interim > 0 && errors.Is(err, ErrNotHTTP) {
				// An interim answer and no final one: the capture was cut.
				h.Size, h.Cut = int64(len(b)), true
				return &h, nil
			}
			return nil, err
		}
		start += size
		h.Size = int64(start)
		if h.Status < 100 || h.Status > 199 || h.Status == 101 || h.Cut || start == len(b) && whole {
			return &h, nil
		}
		h = HTTPHead{Interim: h.Interim + 1}
	}
}

// parse reads one head and gives its size.
func (h *HTTPHead) parse(b []byte, whole bool) (int, error) {
	rest := b
	line, ok := cutLine(&rest)
	if !ok && !whole && len(b) < MaxHTTPHead {
		return 0, errHeadGrows
	}
	if err := h.parseFirst(string(line)); err != nil {
		return 0, err
	}
	var folded []byte // the last field's value, where it runs over several lines
	unfold := func() {
		if n := len(h.Header); n > 0 && folded != nil {
			h.Header[n-1].Value = string(bytes.TrimSpace(folded))
			folded = nil
		}
	}
	defer unfold()
	for {
		if len(rest) == 0 && !ok || len(rest) == 0 && whole {
			h.Cut = true
			return len(b), nil
		}
		line, ok = cutLine(&rest)
		if !ok && !whole {
			return 0, errHeadGrows
		}
		switch {
		case len(line) == 0 && ok:
			return len(b) - len(rest), nil
		case len(line) == 0:
		case line[0] == ' ' || line[0] == '\t':
			if n := len(h.Header); n > 0 {
				if folded == nil {
					folded = []byte(h.Header[n-1].Value)
				}
				folded = append(append(folded, ' '), bytes.TrimSpace(line)...)
			}
		default:
			unfold()
			if name, value, found := bytes.Cut(line, []byte(":")); found {
				h.Header.Add(string(bytes.TrimSpace(name)), string(bytes.TrimSpace(value)))
			}
		}
	}
}

// cutLine takes the first line off b, without its line end. It reports whether
// the line had one.
func cutLine(b *[]byte) ([]byte, bool) {
	i := bytes.IndexByte(*b, '\n')
	if i < 0 {
		line := *b
		*b = nil
		return line, false
	}
	line := (*b)[:i]
	*b = (*b)[i+1:]
	return bytes.TrimSuffix(line, []byte("\r")), true
}

// parseFirst reads a status line or request line.
func (h *HTTPHead) parseFirst(line string) error {
	if proto, rest, _ := strings.Cut(line, " "); isProto(proto) {
		h.Proto = proto
		rest = strings.TrimLeft(rest, " ")
		code, reason, _ := strings.Cut(rest, " ")
		if n, err := strconv.Atoi(code); err == nil && n >= 0 && n <= 999 {
			h.Status, h.Reason = n, strings.TrimSpace(reason)
		}
		return nil
	}
	words := strings.Fields(line)
	if len(words) >= 2 && isToken(words[0]) {
		last := words[len(words)-1]
		if isProto(last) && len(words) >= 3 {
			h.Method, h.Proto = words[0], last
			h.Target = strings.Join(words[1:len(words)-1], " ")
			return nil
		}
	}
	return fmt.Errorf("%w, but with %q", ErrNotHTTP, clip(line))
}

func isProto(s string) bool {
	return len(s) >= 5 && len(s) <= 12 && strings.EqualFold(s[:4], "http") && (s[4] == '/' || s[4] == '1' || s[4] == '2')
}

func isToken(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return true
}

// HeadOf reads the HTTP head at the start of a block. It reads no more than it
// needs. The error is ErrNotHTTP, or that of the Block.
func HeadOf(b Block) (*HTTPHead, error) {
	if b == nil {
		return nil, fmt.Errorf("%w: it is empty", ErrNotHTTP)
	}
	for size := int64(8 << 10); ; size *= 4 {
		size = min(size, b.Size(), MaxHTTPHead)
		buf := make([]byte, size)
		if err := readBlock(b, buf, 0); err != nil {
			return nil, fmt.Errorf("warc: read the HTTP head: %w", err)
		}
		whole := size == b.Size()
		head, err := parseHead(buf, whole)
		if !errors.Is(err, errHeadGrows) {
			return head, err
		}
		if size == MaxHTTPHead {
			return nil, fmt.Errorf("%w: its head is longer than %d bytes", ErrNotHTTP, MaxHTTPHead)
		}
	}
}

// Chunked reports whether the head says that the body has chunk framing.
func (h *HTTPHead) Chunked() bool {
	for _, v := range h.Header.Values("Transfer-Encoding") {
		for _, coding := range strings.Split(v, ",") {
			if strings.EqualFold(strings.TrimSpace(coding), "chunked") {
				return true
			}
		}
	}
	return false
}

// ContentCodings gives the content codings in the order in which they were
// applied, lower case, identity left out.
func (h *HTTPHead) ContentCodings() []string {
	var all []string
	for _, v := range h.Header.Values("Content-Encoding") {
		for _, coding := range strings.Split(v, ",") {
			coding = strings.ToLower(strings.TrimSpace(coding))
			if coding != "" && coding != "identity" && coding != "none" {
				all = append(all, coding)
			}
		}
	}
	return all
}

// MediaType gives the media type of the body in lower case, without
// parameters, or "".
func (h *HTTPHead) MediaType() string { return mediaType(h.Header.Get("Content-Type")) }

func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	s, _, _ = strings.Cut(s, ",")
	return strings.ToLower(strings.TrimSpace(s))
}

// section is the part of b from off on, as a stream.
func section(b Block, off int64) io.Reader { return io.NewSectionReader(b, off, b.Size()-off) }
