// Package textenc turns the bytes of a page or feed into UTF-8, by what the
// answer declares and, where the bytes belie the declaration or nothing is
// declared, by the bytes.
//
// The order for HTML: byte order mark, Content-Type header, meta element within
// the first 8 KiB, the bytes. For XML: byte order mark, header, XML declaration,
// UTF-8. Two lies are common enough to be corrected, against what browsers do:
// a declaration of a Western single-byte charset over bytes that are UTF-8
// through and through, and a header of UTF-8 over bytes that are not, while the
// document itself names another charset. Only bytes that no declaration
// explains go to a statistical guess. What is no text in the charset at last
// chosen becomes U+FFFD.
package textenc

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/gogs/chardet"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/transform"
)

const (
	declarationHead = 8 << 10  // where a meta element or XML declaration may stand
	guessHead       = 64 << 10 // how much of a body the guess looks at
	guessConfidence = 15       // of 100; two lines of Russian pangrams, the hardest case at hand, reach 18
)

// HTML gives body as valid UTF-8, and the charset it was in. The result shares
// memory with body where that is UTF-8 already.
func HTML(body []byte, contentType string) ([]byte, string) {
	return toUTF8(body, headerCharset(contentType), metaCharset(body))
}

// XML is HTML for XML documents. An XML declaration in the result may still
// name the old charset.
func XML(body []byte, contentType string) ([]byte, string) {
	header := headerCharset(contentType)
	inside := xmlCharset(body)
	if header == "us-ascii" && inside != "" { // the default that RFC 3023 gave text/xml, and nobody meant
		header = ""
	}
	return toUTF8(body, header, inside)
}

// Text is HTML for text that cannot declare a charset by itself.
func Text(body []byte, contentType string) ([]byte, string) {
	return toUTF8(body, headerCharset(contentType), "")
}

func toUTF8(body []byte, header, inside string) ([]byte, string) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		return valid(body[3:]), "utf-8"
	case bytes.HasPrefix(body, []byte("\xfe\xff")):
		return decode(body, "utf-16be"), "utf-16be"
	case bytes.HasPrefix(body, []byte("\xff\xfe")):
		return decode(body, "utf-16le"), "utf-16le"
	case bytes.HasPrefix(body, []byte("\x00<\x00")):
		return decode(body, "utf-16be"), "utf-16be"
	case bytes.HasPrefix(body, []byte("<\x00")) && len(body) > 3 && body[3] == 0:
		return decode(body, "utf-16le"), "utf-16le"
	}
	isUTF8 := utf8.Valid(body)
	for _, name := range []string{header, inside} {
		switch {
		case name == "" || strings.HasPrefix(name, "utf-16"): // ASCII could be read up to here, so it is not UTF-16
			continue
		case name == "utf-8":
			if isUTF8 {
				return body, name
			}
		case isUTF8 && western(name):
			return body, "utf-8"
		default:
			return decode(body, name), name
		}
	}
	if isUTF8 {
		return body, "utf-8"
	}
	// Cut in the middle of a letter, or a few broken bytes in long UTF-8: still UTF-8.
	if good, bad := count(body[:min(len(body), guessHead)]); bad == 0 || good > 4*bad {
		return valid(body), "utf-8"
	}
	if name := guess(body); name != "" {
		return decode(body, name), name
	}
	if header == "" && inside == "" {
		return decode(body, "windows-1252"), "windows-1252" // the web's own default
	}
	return valid(body), "utf-8"
}

// western reports whether a charset is one that servers declare by default.
func western(name string) bool {
	return name == "windows-1252" || name == "iso-8859-15" || name == "us-ascii"
}

// headerCharset gives the charset parameter of a Content-Type, by its WHATWG name.
func headerCharset(contentType string) string {
	_, parameters, _ := strings.Cut(contentType, ";")
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "charset") {
			return known(strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	return ""
}

// known gives the WHATWG name of a charset label, "" of an unknown one. The
// label us-ascii keeps its name, though it is read as windows-1252.
func known(label string) string {
	if strings.EqualFold(label, "us-ascii") || strings.EqualFold(label, "ascii") {
		return "us-ascii"
	}
	if e, name := charset.Lookup(label); e != nil {
		return name
	}
	return ""
}

// metaCharset looks for <meta charset=X> or <meta http-equiv=content-type
// content="…; charset=X"> and, in XHTML, the XML declaration.
func metaCharset(body []byte) string {
	if name := xmlCharset(body); name != "" {
		return name
	}
	head := body[:min(len(body), declarationHead)]
	for {
		i := bytes.Index(head, []byte("<"))
		if i < 0 || len(head) < i+6 {
			return ""
		}
		head = head[i+1:]
		if bytes.HasPrefix(head, []byte("!--")) {
			end := bytes.Index(head, []byte("-->"))
			if end < 0 {
				return ""
			}
			head = head[end:]
			continue
		}
		if !bytes.EqualFold(head[:4], []byte("meta")) {
			continue
		}
		end := bytes.IndexByte(head, '>')
		if end < 0 {
			return ""
		}
		tag := bytes.ToLower(head[:end])
		if i := bytes.Index(tag, []byte("charset")); i >= 0 {
			if name := known(label(tag[i+len("charset"):])); name != "" {
				return name
			}
		}
	}
}

func xmlCharset(body []byte) string {
	head := bytes.TrimLeft(body[:min(len(body), 1024)], " \t\r\n")
	if !bytes.HasPrefix(head, []byte("<?xml")) {
		return ""
	}
	end := bytes.Index(head, []byte("?>"))
	if end < 0 {
		return ""
	}
	i := bytes.Index(head[:end], []byte("encoding"))
	if i < 0 {
		return ""
	}
	return known(label(head[i+len("encoding") : end]))
}

// label reads `= "X"` in any of the ways it is written.
func label(after []byte) string {
	after = bytes.TrimLeft(after, " \t\r\n")
	if len(after) == 0 || after[0] != '=' {
		return ""
	}
	after = bytes.TrimLeft(after[1:], " \t\r\n\"'")
	end := bytes.IndexAny(after, " \t\r\n\"';/>?")
	if end < 0 {
		end = len(after)
	}
	return string(after[:end])
}

func decode(body []byte, name string) []byte {
	e, _ := charset.Lookup(name)
	if e == nil {
		return valid(body)
	}
	if e == encoding.Nop {
		return valid(body)
	}
	out, _, err := transform.Bytes(e.NewDecoder(), body)
	if err != nil {
		return valid(body)
	}
	return valid(bytes.TrimPrefix(out, []byte("\xef\xbb\xbf")))
}

func valid(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	return bytes.ToValidUTF8(body, []byte("\uFFFD"))
}

// count gives the number of multi-byte letters that are right UTF-8, and of
// bytes that are not. A letter cut off at the end counts as neither.
func count(body []byte) (good, bad int) {
	for i := 0; i < len(body); {
		if body[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		switch {
		case r != utf8.RuneError || size > 1:
			good++
		case len(body)-i < utf8.UTFMax && !utf8.FullRune(body[i:]):
		default:
			bad++
		}
		i += size
	}
	return good, bad
}

func guess(body []byte) string {
	best, err := chardet.NewHtmlDetector().DetectBest(body[:min(len(body), guessHead)])
	if err != nil || best == nil || best.Confidence < guessConfidence {
		return ""
	}
	name := known(strings.ReplaceAll(best.Charset, "GB-18030", "gb18030"))
	if name == "utf-8" || strings.HasPrefix(name, "utf-16") {
		return ""
	}
	return name
}
