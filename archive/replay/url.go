package replay

import (
	"bytes"
	"html"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// A Mod says what is asked for of a URL, in the words of pywb: the letters
// behind the timestamp in /NAME/20260131120000im_/http://….
type Mod string

// The modifiers. Others that end in "_" are read as Page.
const (
	Frame  Mod = ""    // a page of ours: the banner, and the capture in a frame
	Page   Mod = "mp_" // rewritten, as the main document
	Inner  Mod = "if_" // rewritten, as a document in a frame
	Image  Mod = "im_" // an image, font or other file that a document shows
	Style  Mod = "cs_" // a stylesheet
	Script Mod = "js_" // a script, which is given as text
	Raw    Mod = "id_" // the payload as it was stored
)

// maxURL is the most bytes that a rewritten URL may have. Browsers take more,
// HTTP servers do not; data: URLs of images may be longer.
const maxURL = 16 << 10

// A base is the URL that references in a document are resolved against, in
// parts. Its zero value resolves absolute references only.
type base struct {
	scheme string // "http" or "https"
	origin string // http://host:port
	path   string // with leading slash
	dir    string // path up to its last slash
	query  string // with question mark
}

// parseBase reads an absolute http or https URL.
func parseBase(raw string) (base, bool) {
	scheme, rest, ok := strings.Cut(raw, ":")
	if !ok {
		return base{}, false
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return base{}, false
	}
	rest = strings.TrimLeft(rest, `/\`)
	end := strings.IndexAny(rest, `/\?#`)
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return base{}, false
	}
	b := base{scheme: scheme, origin: scheme + "://" + rest[:end]}
	rest, _, _ = strings.Cut(rest[end:], "#")
	b.path, b.query = rest, ""
	if i := strings.IndexByte(rest, '?'); i >= 0 {
		b.path, b.query = rest[:i], rest[i:]
	}
	if b.path == "" {
		b.path = "/"
	}
	b.path = strings.ReplaceAll(b.path, `\`, "/")
	b.dir = b.path[:strings.LastIndexByte(b.path, '/')+1]
	return b, true
}

// A class of bytes in a reference.
const (
	plainByte = iota // stands for itself
	dotByte          // may be part of a dot segment
	ampByte          // begins a character reference in HTML
	oddByte          // must be escaped or removed
)

var urlClass = func() (t [256]byte) {
	for c := range 256 {
		switch {
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>`\\", byte(c)) >= 0:
			t[c] = oddByte
		case c == '.' || c == '%':
			t[c] = dotByte
		case c == '&':
			t[c] = ampByte
		}
	}
	return t
}()

// clean reports whether ref can be taken as it is: nothing to escape or remove
// and no dot segments.
func clean(ref []byte) bool {
	dots := false
	for i, c := range ref {
		switch urlClass[c] {
		case plainByte:
		case dotByte:
			if c == '%' && !escaped(ref[i:]) {
				return false
			}
			dots = true
		default:
			return false
		}
	}
	return !dots || !hasDotSegment(ref)
}

// escaped reports whether b begins with a percent-encoded byte. A percent sign
// alone is encoded itself: HTTP servers refuse it.
func escaped(b []byte) bool {
	return len(b) > 2 && isHex(b[1]) && isHex(b[2])
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// hasDotSegment reports whether something in ref may be a dot segment: a
// segment of one or two dots, written as "." or "%2e". A few URLs without one
// are taken for one with.
func hasDotSegment(ref []byte) bool {
	for i := 0; i < len(ref); i++ {
		j := bytes.IndexByte(ref[i:], '/')
		var segment []byte
		if j < 0 {
			segment, i = ref[i:], len(ref)
		} else {
			segment, i = ref[i:i+j], i+j
		}
		if len(segment) > 0 && len(segment) <= 6 && (segment[0] == '.' || segment[0] == '%') {
			return true
		}
		if len(segment) > 1 && (segment[0] == '.' || segment[0] == '%') && bytes.ContainsAny(segment[:min(len(segment), 7)], "?#") {
			return true
		}
	}
	return false
}

// A linker turns references of a document into URLs of the replay.
type linker struct {
	prefix string // "/NAME/20260131120000": what stands before the modifier
	base   base
	query  encoding.Encoding // of the document, for letters in a query; nil is UTF-8
	asset  func(url string, mod Mod)
}

// What a reference turned out to be.
type reference int

const (
	refReplay reference = iota // a URL of the replay was appended
	refLocal                   // a fragment of the same document was appended
	refData                    // a data: URL was appended
	refNone                    // nothing was appended: it leads nowhere in an archive
)

// appendURL appends to dst what ref, with character references already decoded,
// stands for. Nothing that it appends needs escaping in a double-quoted string
// of CSS, nor in HTML but for "&". data: URLs of images and fonts are kept
// where data is set.
func (l *linker) appendURL(dst, ref []byte, mod Mod, data bool) ([]byte, reference) {
	start := len(dst)
	if clean(ref) && len(ref) > 0 && len(ref) < maxURL {
		if bytes.HasPrefix(ref, []byte("http://")) && len(ref) > 7 || bytes.HasPrefix(ref, []byte("https://")) && len(ref) > 8 {
			dst = append(l.appendPrefix(dst, mod), ref...)
			l.saw(dst[start:], mod)
			return dst, refReplay
		}
		if ref[0] == '/' && len(ref) > 1 && ref[1] != '/' && l.base.origin != "" {
			dst = append(append(l.appendPrefix(dst, mod), l.base.origin...), ref...)
			l.saw(dst[start:], mod)
			return dst, refReplay
		}
	}
	dst, kind := l.appendOdd(dst, ref, mod, data)
	if kind == refReplay {
		l.saw(dst[start:], mod)
	}
	return dst, kind
}

func (l *linker) appendPrefix(dst []byte, mod Mod) []byte {
	dst = append(append(dst, l.prefix...), mod...)
	return append(dst, '/')
}

// saw reports the absolute URL in what was appended.
func (l *linker) saw(appended []byte, mod Mod) {
	if l.asset != nil && mod != Frame {
		l.asset(string(appended[len(l.prefix)+len(mod)+1:]), mod)
	}
}

// appendOdd is appendURL for what needs more than a prefix.
func (l *linker) appendOdd(dst, ref []byte, mod Mod, data bool) ([]byte, reference) {
	ref = l.trim(ref)
	if len(ref) > 0 && ref[0] == '#' {
		return l.escape(dst, ref, false), refLocal
	}
	scheme, rest := splitScheme(ref)
	switch {
	case strings.EqualFold(scheme, "data"):
		if !data || !imageOrFont(rest) {
			return dst, refNone
		}
		return l.escape(append(dst, "data:"...), rest, false), refData
	case scheme != "" && !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return dst, refNone
	}
	if len(ref) > maxURL {
		return dst, refNone
	}
	var origin string
	var path []byte // with query and fragment
	switch {
	case scheme != "" && (hasSlash(rest, 0) || !strings.EqualFold(scheme, l.base.scheme)):
		host, tail, ok := splitHost(bytes.TrimLeft(rest, `/\`))
		if !ok {
			return dst, refNone
		}
		origin, path = strings.ToLower(scheme)+"://"+host, tail
	case hasSlash(rest, 0) && hasSlash(rest, 1):
		host, tail, ok := splitHost(bytes.TrimLeft(rest, `/\`))
		if !ok || l.base.origin == "" {
			return dst, refNone
		}
		origin, path = l.base.scheme+"://"+host, tail
	case l.base.origin == "":
		return dst, refNone
	case hasSlash(rest, 0):
		origin, path = l.base.origin, rest
	case len(rest) == 0:
		origin, path = l.base.origin, []byte(l.base.path+l.base.query)
	case rest[0] == '?':
		origin, path = l.base.origin, append([]byte(l.base.path), rest...)
	case rest[0] == '#': // behind a scheme: "http:#x"
		origin, path = l.base.origin, append([]byte(l.base.path+l.base.query), rest...)
	default:
		origin, path = l.base.origin, append([]byte(l.base.dir), rest...)
	}
	dst = l.appendPrefix(dst, mod)
	dst = l.escape(dst, []byte(origin), false)
	end := bytes.IndexAny(path, "?#")
	if end < 0 {
		end = len(path)
	}
	dst = l.escape(dst, removeDots(path[:end]), false)
	return l.escape(dst, path[end:], true), refReplay
}

// trim removes what browsers remove from a reference: controls and blanks
// around it, tabs and line ends within.
func (l *linker) trim(ref []byte) []byte {
	for len(ref) > 0 && ref[0] <= ' ' {
		ref = ref[1:]
	}
	for len(ref) > 0 && ref[len(ref)-1] <= ' ' {
		ref = ref[:len(ref)-1]
	}
	if bytes.IndexByte(ref, '\n') < 0 && bytes.IndexByte(ref, '\t') < 0 && bytes.IndexByte(ref, '\r') < 0 {
		return ref
	}
	kept := make([]byte, 0, len(ref))
	for _, c := range ref {
		if c != '\n' && c != '\t' && c != '\r' {
			kept = append(kept, c)
		}
	}
	return kept
}

// splitScheme gives the scheme of a reference, without its colon, or "".
func splitScheme(ref []byte) (string, []byte) {
	for i, c := range ref {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && c == ':':
			return string(ref[:i]), ref[i+1:]
		default:
			return "", ref
		}
	}
	return "", ref
}

func hasSlash(b []byte, i int) bool { return i < len(b) && (b[i] == '/' || b[i] == '\\') }

// splitHost gives the authority that rest begins with, and what follows it with
// a leading slash.
func splitHost(rest []byte) (string, []byte, bool) {
	end := bytes.IndexAny(rest, `/\?#`)
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return "", nil, false
	}
	host, tail := string(rest[:end]), rest[end:]
	if len(tail) == 0 || tail[0] == '?' || tail[0] == '#' {
		tail = append([]byte("/"), tail...)
	}
	return host, tail, true
}

// removeDots removes dot segments from a path as browsers do. The result never
// leaves the origin.
func removeDots(path []byte) []byte {
	if bytes.IndexByte(path, '\\') >= 0 {
		path = bytes.ReplaceAll(path, []byte(`\`), []byte("/"))
	}
	if !hasDotSegment(path) {
		return path
	}
	var kept [][]byte
	segments := bytes.Split(bytes.TrimPrefix(path, []byte("/")), []byte("/"))
	for i, s := range segments {
		last := i == len(segments)-1
		switch dots(s) {
		case 1:
		case 2:
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, s)
			continue
		}
		if last {
			kept = append(kept, nil)
		}
	}
	return append([]byte("/"), bytes.Join(kept, []byte("/"))...)
}

// dots gives 1 or 2 for a segment that is that many dots, and 0 for another.
func dots(segment []byte) int {
	n := 0
	for len(segment) > 0 {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case len(segment) >= 3 && bytes.EqualFold(segment[:3], []byte("%2e")):
			segment = segment[3:]
		default:
			return 0
		}
		n++
	}
	if n > 2 {
		return 0
	}
	return n
}

const hexDigits = "0123456789ABCDEF"

// escape appends b with everything percent-encoded that is not plain in a URL,
// a double-quoted string and an attribute. Letters in a query are encoded in
// the document's charset, as browsers do.
func (l *linker) escape(dst, b []byte, tail bool) []byte {
	inQuery := false
	for i := 0; i < len(b); {
		c := b[i]
		if c == '%' && !inQuery && !escaped(b[i:]) {
			dst = append(dst, "%25"...)
			i++
			continue
		}
		if urlClass[c] != oddByte {
			if tail {
				inQuery = (inQuery || c == '?') && c != '#'
			}
			dst = append(dst, c)
			i++
			continue
		}
		n := 1
		if c >= utf8.RuneSelf {
			_, n = utf8.DecodeRune(b[i:])
		}
		letter := b[i : i+n]
		i += n
		if inQuery && c >= utf8.RuneSelf && l.query != nil {
			if encoded, err := l.query.NewEncoder().Bytes(letter); err == nil {
				letter = encoded
			}
		}
		for _, c := range letter {
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

// imageOrFont reports whether a data: URL, without its scheme, is of an image
// or a font. Neither runs scripts where it is shown as one.
func imageOrFont(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " ")
	for _, kind := range []string{"image/", "font/", "application/font", "application/x-font", "application/vnd.ms-fontobject"} {
		if len(rest) >= len(kind) && strings.EqualFold(string(rest[:len(kind)]), kind) {
			return true
		}
	}
	return false
}

// unescapeAttr decodes the character references of an attribute's value.
func unescapeAttr(dst, value []byte) []byte {
	for {
		i := bytes.IndexByte(value, '&')
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(dst, value[:i]...)
		value = value[i:]
		end := 1
		if end < len(value) && value[end] == '#' {
			end++
		}
		for end < len(value) && end < 40 && isAlnum(value[end]) {
			end++
		}
		// Without its semicolon a name counts only where it does not look like
		// the next argument of a query: "&copy=1" is no ©. Numbers always count.
		numeric := len(value) > 1 && value[1] == '#'
		switch {
		case end < len(value) && value[end] == ';':
			end++
		case numeric:
			end = numericEnd(value)
		case end < len(value) && value[end] == '=':
			dst = append(dst, value[:end]...)
			value = value[end:]
			continue
		}
		decoded := html.UnescapeString(string(value[:end]))
		if !numeric && value[end-1] != ';' && utf8.RuneCountInString(decoded) != 1 {
			decoded = string(value[:end])
		}
		dst = append(dst, decoded...)
		value = value[end:]
	}
}

// numericEnd gives the end of a numeric reference that has no semicolon.
func numericEnd(value []byte) int {
	end := 2
	hex := end < len(value) && value[end]|0x20 == 'x'
	if hex {
		end++
	}
	for end < len(value) && ('0' <= value[end] && value[end] <= '9' || hex && 'a' <= value[end]|0x20 && value[end]|0x20 <= 'f') {
		end++
	}
	return end
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}
