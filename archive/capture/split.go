package capture

import (
	"bufio"
	"bytes"
	"net/http"
)

// maxHead bounds the head of a message: interim answers, start line and
// header together, in bytes.
const maxHead = 1 << 20

// maxChunkLine bounds a line with a chunk size; net/http has the same limit.
const maxChunkLine = 4096

// A splitter finds where an HTTP/1 message ends (RFC 9112 §6) in bytes that
// come in pieces, and which of them are its payload. It accepts what net/http
// accepts and ends a message where net/http does: FuzzSplit compares them.
type splitter struct {
	request bool
	method  string                       // of the request that is answered
	payload func(piece []byte, at int64) // called for each piece of the body; nil is none

	state   splitState
	off     int64  // bytes consumed
	interim int64  // bytes of interim answers
	head    int64  // offset of the body, once bodyKnown
	left    int64  // bytes to come of a body with a length, or of a chunk
	line    []byte // head, chunk line or trailer line that is not whole yet

	bodyKnown       bool // the final head was read
	chunked         bool
	surplus         bool // the head announces a body that may not be there (204)
	tooLong         bool // broken, because the head is longer than maxHead
	status          int
	proto           string // "http/1.1", "http/1.0"
	contentType     string
	contentEncoding string
}

type splitState uint8

const (
	inHead splitState = iota
	inBody
	inBodyToClose // ends with the connection
	inChunkLine
	inChunk
	inChunkEnd
	inTrailer
	ended
	broken // not a message that net/http reads
)

func (s *splitter) ended() bool  { return s.state == ended }
func (s *splitter) broken() bool { return s.state == broken }

// eof tells that the connection ended.
func (s *splitter) eof() {
	if s.state == inBodyToClose {
		s.state = ended
	}
}

// write consumes bytes of p and says how many: all of them, unless the message
// ends within p or breaks the rules there.
func (s *splitter) write(p []byte) int {
	n := 0
	for n < len(p) && s.state != ended && s.state != broken {
		used := s.step(p[n:])
		n += used
		s.off += int64(used)
	}
	return n
}

// step consumes bytes of p within one state. p is not empty. It changes the
// state, but leaves s.off to its caller.
func (s *splitter) step(p []byte) int {
	switch s.state {
	case inHead:
		return s.stepHead(p)
	case inBody, inChunk:
		n := len(p)
		if int64(n) > s.left {
			n = int(s.left)
		}
		s.deliver(p[:n])
		s.left -= int64(n)
		if s.left == 0 {
			if s.state == inBody {
				s.state = ended
			} else {
				s.state = inChunkEnd
			}
		}
		return n
	case inBodyToClose:
		s.deliver(p)
		return len(p)
	case inChunkLine:
		line, n := s.takeLine(p, maxChunkLine+2)
		if line != nil {
			s.beginChunk(line)
			s.line = s.line[:0]
		}
		return n
	case inChunkEnd:
		want := "\r\n"[len(s.line):]
		n := min(len(p), len(want))
		if string(p[:n]) != want[:n] {
			s.state = broken
			return 0
		}
		if s.line = append(s.line, p[:n]...); len(s.line) == 2 {
			s.line = s.line[:0]
			s.state = inChunkLine
		}
		return n
	case inTrailer:
		line, n := s.takeLine(p, maxHead)
		if line != nil {
			if len(bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))) == 0 {
				s.state = ended
			}
			s.line = s.line[:0]
		}
		return n
	}
	panic("capture: splitter used after its end")
}

func (s *splitter) deliver(p []byte) {
	if s.payload != nil && len(p) > 0 {
		s.payload(p, s.off)
	}
}

// takeLine gives the line that ends in p, with its newline, or nil and keeps
// what there is. The caller empties s.line after use.
func (s *splitter) takeLine(p []byte, limit int) (line []byte, n int) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		s.line = append(s.line, p...)
		if len(s.line) > limit {
			s.state = broken
		}
		return nil, len(p)
	}
	if len(s.line) == 0 {
		return p[:i+1], i + 1
	}
	s.line = append(s.line, p[:i+1]...)
	return s.line, i + 1
}

func (s *splitter) stepHead(p []byte) int {
	if len(s.line) == 0 {
		end := endOfHead(p, 0)
		switch {
		case end > 0:
			s.parseHead(p[:end], s.off+int64(end))
			return end
		case end < 0:
			s.state = broken
			return 0
		}
	}
	had := len(s.line)
	s.line = append(s.line, p...)
	end := endOfHead(s.line, had)
	switch {
	case end > 0:
		s.parseHead(s.line[:end], s.off+int64(end-had))
		s.line = s.line[:0]
		return end - had
	case end < 0:
		s.state = broken
		s.line = s.line[:0]
		return 0
	}
	if !s.request && !bytes.HasPrefix(s.line, startOfHead[:min(len(startOfHead), len(s.line))]) {
		s.state = broken // not HTTP: there may never be an end
	}
	if s.off+int64(len(p)) > maxHead {
		s.state, s.tooLong = broken, true
	}
	return len(p)
}

var startOfHead = []byte("HTTP/")

// endOfHead gives the index after the empty line that ends a head, 0 if it is
// not in b yet, -1 if b begins with an empty line. No end lies before from.
func endOfHead(b []byte, from int) int {
	if b[0] == '\n' || len(b) > 1 && b[0] == '\r' && b[1] == '\n' {
		return -1
	}
	for i := max(0, from-2); ; i++ {
		j := bytes.IndexByte(b[i:], '\n')
		if j < 0 {
			return 0
		}
		i += j
		if i+1 < len(b) && b[i+1] == '\n' {
			return i + 2
		}
		if i+2 < len(b) && b[i+1] == '\r' && b[i+2] == '\n' {
			return i + 3
		}
	}
}

// parseHead reads a whole head that ends at offset end, and sets the state in
// which its body is.
func (s *splitter) parseHead(head []byte, end int64) {
	if end > maxHead {
		s.state, s.tooLong = broken, true
		return
	}
	h, ok := parsePlainHead(head, s.request)
	if !ok {
		if s.request || !s.parseOddHead(head, end) {
			s.state = broken
		}
		return
	}
	if !s.request {
		if h.status >= 100 && h.status <= 199 && h.status != http.StatusSwitchingProtocols {
			s.interim = end
			return
		}
		s.status = h.status
		s.proto = "http/1.1"
		if h.http10 {
			s.proto = "http/1.0"
		}
		s.contentType, s.contentEncoding = string(h.contentType), string(h.contentEncoding)
	}
	s.bodyKnown = true
	s.head = end
	chunked := h.chunked && !h.http10
	switch {
	case s.request && !chunked && h.length <= 0,
		!s.request && (s.method == http.MethodHead || noBody(h.status)):
		s.surplus = h.status == http.StatusNoContent && (h.length > 0 || h.chunked)
		s.state = ended
	case chunked:
		s.chunked = true
		s.state = inChunkLine
	case h.length == 0:
		s.state = ended
	case h.length > 0:
		s.left = h.length
		s.state = inBody
	default:
		s.state = inBodyToClose
	}
}

func noBody(status int) bool {
	return status >= 100 && status <= 199 || status == http.StatusNoContent || status == http.StatusNotModified
}

// parseOddHead lets net/http judge a response head that parsePlainHead does
// not understand: folded lines, bare newlines, several lengths.
func (s *splitter) parseOddHead(head []byte, end int64) bool {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: s.method})
	if err != nil {
		return false
	}
	if r.StatusCode >= 100 && r.StatusCode <= 199 && r.StatusCode != http.StatusSwitchingProtocols {
		s.interim = end
		return true
	}
	s.bodyKnown = true
	s.head = end
	s.status = r.StatusCode
	s.proto = "http/1.1"
	if !r.ProtoAtLeast(1, 1) {
		s.proto = "http/1.0"
	}
	s.contentType, s.contentEncoding = r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding")
	switch {
	case r.Body == http.NoBody || s.method == http.MethodHead:
		s.state = ended
	case len(r.TransferEncoding) > 0:
		s.chunked = true
		s.state = inChunkLine
	case r.ContentLength > 0:
		s.left = r.ContentLength
		s.state = inBody
	default:
		s.state = inBodyToClose
	}
	return true
}

// beginChunk reads a chunk's size. Extensions are skipped.
func (s *splitter) beginChunk(line []byte) {
	s.state = broken // unless the line is right
	body, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(body) >= maxChunkLine || bytes.IndexByte(body, '\r') >= 0 {
		return
	}
	body = bytes.TrimRight(body, " \t")
	size, _, _ := bytes.Cut(body, []byte(";"))
	if len(size) == 0 || len(size) > 16 {
		return
	}
	var n uint64
	for _, c := range size {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return
		}
		n = n<<4 | uint64(c)
	}
	switch {
	case n == 0:
		s.state = inTrailer
	case n < 1<<62:
		s.left = int64(n)
		s.state = inChunk
	}
}

// plainHead is what parsePlainHead found.
type plainHead struct {
	status          int
	http10          bool
	length          int64 // -1 if not given
	chunked         bool
	contentType     []byte // first one
	contentEncoding []byte // first one
}

// parsePlainHead reads a head that is written as nearly all are: CRLF at the
// end of each line, no folded lines, at most one Content-Length and one
// Transfer-Encoding. It gives false for any other, right or wrong.
func parsePlainHead(head []byte, request bool) (h plainHead, ok bool) {
	h.length = -1
	line, rest, ok := cutLine(head)
	if !ok {
		return h, false
	}
	if !request {
		if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
			return h, false
		}
		h.http10 = line[7] == '0'
		for _, c := range line[9:12] {
			if c < '0' || c > '9' {
				return h, false
			}
			h.status = h.status*10 + int(c-'0')
		}
	}
	var lengths, codings int
	for {
		line, rest, ok = cutLine(rest)
		if !ok {
			return h, false
		}
		if len(line) == 0 {
			return h, len(rest) == 0
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isToken(name) || !isFieldValue(value) {
			return h, false
		}
		value = bytes.Trim(value, " \t")
		switch len(name) {
		case len("Content-Type"):
			if h.contentType == nil && bytes.EqualFold(name, []byte("Content-Type")) {
				h.contentType = value
			}
		case len("Content-Length"):
			if bytes.EqualFold(name, []byte("Content-Length")) {
				if lengths++; lengths > 1 || len(value) == 0 || len(value) > 18 {
					return h, false
				}
				h.length = 0
				for _, c := range value {
					if c < '0' || c > '9' {
						return h, false
					}
					h.length = h.length*10 + int64(c-'0')
				}
			}
		case len("Content-Encoding"):
			if h.contentEncoding == nil && bytes.EqualFold(name, []byte("Content-Encoding")) {
				h.contentEncoding = value
			}
		case len("Transfer-Encoding"):
			if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
				if codings++; codings > 1 || !bytes.EqualFold(value, []byte("chunked")) {
					return h, false
				}
				h.chunked = true
			}
		case len("Trailer"):
			if !request && bytes.EqualFold(name, []byte("Trailer")) {
				return h, false // net/http refuses some
			}
		}
	}
}

// cutLine cuts b after its first CRLF. It gives false if there is none, and
// for a CR or LF alone.
func cutLine(b []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(b, '\n')
	if i < 1 || b[i-1] != '\r' || bytes.IndexByte(b[:i-1], '\r') >= 0 {
		return nil, nil, false
	}
	return b[:i-1], b[i+1:], true
}

func isToken(b []byte) bool {
	for _, c := range b {
		if !tokenByte[c] {
			return false
		}
	}
	return len(b) > 0
}

func isFieldValue(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// tokenByte holds the bytes of a token (RFC 9110 §5.6.2).
var tokenByte = func() (is [256]bool) {
	for c := '0'; c <= '9'; c++ {
		is[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		is[c], is[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		is[c] = true
	}
	return is
}()
