package web

import (
	"bytes"
	"iter"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// scanTags goes through the tags of a page for what links and head state. It
// sees what html.Tokenizer sees, several times faster, as it looks at nothing
// between tags and into few of them. It reports false where it would have to
// know more (comments within scripts): then nothing may be taken from it.
func scanTags(body []byte, title func([]byte), tag func(atom.Atom, attributes)) bool {
	for at := 0; ; {
		next := bytes.IndexByte(body[at:], '<')
		if next < 0 || at+next+1 >= len(body) {
			return true
		}
		at += next + 1
		switch c := body[at]; {
		case letter(c):
			name := tagName(body[at:])
			end := tagEnd(body, at+len(name))
			if end < 0 {
				return true // a tag that does not end is none
			}
			inside := body[at+len(name) : end-1]
			at = end
			var small [10]byte
			if len(name) > len(small) {
				continue
			}
			which := atom.Lookup(lower(small[:0], name))
			switch which {
			case atom.A, atom.Area, atom.Base, atom.Link, atom.Meta, atom.Html:
				tag(which, attributes{rest: inside, coded: bytes.ContainsAny(inside, "&\r\x00"), name: name})
			case atom.Script, atom.Style, atom.Title, atom.Textarea, atom.Iframe, atom.Noembed, atom.Noframes, atom.Noscript, atom.Xmp:
				length := rawEnd(body[at:], name)
				if which == atom.Script && bytes.Contains(body[at:at+length], []byte("<!--")) {
					return false // the script may end elsewhere
				}
				if which == atom.Title {
					title(body[at : at+length])
				}
				at += length
			case atom.Plaintext:
				return true
			}
		case c == '/':
			if at++; at < len(body) && letter(body[at]) {
				end := tagEnd(body, at+len(tagName(body[at:])))
				if end < 0 {
					return true
				}
				at = end
			} else if at < len(body) && body[at] == '>' {
				at++
			} else {
				at = after(body, at, ">")
			}
		case bytes.HasPrefix(body[at:], []byte("!--")):
			at = commentEnd(body, at+3)
		case c == '!' || c == '?':
			at = after(body, at, ">")
		}
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' }

func lower(to, b []byte) []byte {
	for _, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		to = append(to, c)
	}
	return to
}

// tagName gives the name at the beginning of b.
func tagName(b []byte) []byte {
	for i, c := range b {
		if space(c) || c == '/' || c == '>' {
			return b[:i]
		}
	}
	return b
}

// tagEnd gives the place behind the ">" of the tag whose attributes begin at
// at; -1 if there is none.
func tagEnd(body []byte, at int) int {
	end := bytes.IndexByte(body[at:], '>')
	if end < 0 {
		return -1
	}
	if bytes.IndexByte(body[at:at+end], '"') < 0 && bytes.IndexByte(body[at:at+end], '\'') < 0 {
		return at + end + 1
	}
	a := attributes{rest: body[at:]}
	for a.read() {
	}
	if len(a.rest) == 0 || a.rest[0] != '>' {
		return -1
	}
	return len(body) - len(a.rest) + 1
}

// after gives the place behind the next mark.
func after(body []byte, at int, mark string) int {
	if i := bytes.Index(body[at:], []byte(mark)); i >= 0 {
		return at + i + len(mark)
	}
	return len(body)
}

// commentEnd gives the place behind the comment whose text begins at at.
func commentEnd(body []byte, at int) int {
	if bytes.HasPrefix(body[at:], []byte(">")) {
		return at + 1
	}
	if bytes.HasPrefix(body[at:], []byte("->")) {
		return at + 2
	}
	for {
		i := bytes.Index(body[at:], []byte("--"))
		if i < 0 {
			return len(body)
		}
		at += i + 2
		for at < len(body) && body[at] == '-' {
			at++
		}
		if bytes.HasPrefix(body[at:], []byte(">")) {
			return at + 1
		}
		if bytes.HasPrefix(body[at:], []byte("!>")) {
			return at + 2
		}
	}
}

// rawEnd gives the length of the text of an element that holds no tags.
func rawEnd(b, name []byte) int {
	for at := 0; ; {
		i := bytes.Index(b[at:], []byte("</"))
		if i < 0 {
			return len(b)
		}
		at += i
		if rest := b[at+2:]; len(rest) > len(name) && bytes.EqualFold(rest[:len(name)], name) {
			if c := rest[len(name)]; space(c) || c == '/' || c == '>' {
				return at
			}
		}
		at += 2
	}
}

// attributes are those of a tag, read one after the other.
type attributes struct {
	rest       []byte
	key, value []byte
	coded      bool // there is what only the tokenizer decodes
	name       []byte
}

// read reads the next attribute as HTML's tokenizer does, without decoding it.
func (a *attributes) read() bool {
	b := a.rest
	i := 0
	for i < len(b) && (space(b[i]) || b[i] == '/') {
		i++
	}
	a.rest = b[i:]
	if i == len(b) || b[i] == '>' {
		return false
	}
	from := i
	for i < len(b) && !space(b[i]) && b[i] != '/' && b[i] != '>' && (b[i] != '=' || i == from) {
		i++
	}
	a.key, a.value = b[from:i], nil
	for i < len(b) && space(b[i]) {
		i++
	}
	if i == len(b) || b[i] != '=' {
		a.rest = b[i:]
		return true
	}
	i++
	for i < len(b) && space(b[i]) {
		i++
	}
	if i == len(b) {
		a.rest = nil
		return true
	}
	if quote := b[i]; quote == '"' || quote == '\'' {
		end := bytes.IndexByte(b[i+1:], quote)
		if end < 0 {
			a.rest = nil
			return true
		}
		a.value, a.rest = b[i+1:i+1+end], b[i+end+2:]
		return true
	}
	from = i
	for i < len(b) && !space(b[i]) && b[i] != '>' {
		i++
	}
	a.value, a.rest = b[from:i], b[i:]
	return true
}

// each gives the attributes, names in lower case, values decoded. Of a name that
// stands twice, the first counts.
func (a attributes) each(yield func(key, value []byte) bool) {
	var small [32]byte
	var before [16][]byte
	n := 0
	if !a.coded {
		all := a.rest
	attribute:
		for a.read() {
			for _, key := range before[:n] {
				if sameName(key, a.key) {
					continue attribute
				}
			}
			if n == len(before) {
				break
			}
			before[n] = a.key
			n++
			if !yield(lower(small[:0], a.key), a.value) {
				return
			}
		}
		if n < len(before) {
			return
		}
		a.rest = all
	}
	// What "&copy" is in an attribute depends on what stands behind it; that, and
	// tags of many attributes, are the tokenizer's.
	z := html.NewTokenizer(bytes.NewReader(bytes.Join([][]byte{[]byte("<"), a.name, []byte(" "), a.rest, []byte(">")}, nil)))
	z.Next()
	_, more := z.TagName()
	for more {
		var k, v []byte
		k, v, more = z.TagAttr()
		if n > 0 {
			n-- // it was given already
		} else if !yield(k, v) {
			return
		}
	}
}

// sameName compares names as HTML does, which ignores the case of ASCII only.
func sameName(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(letter(a[i]) && a[i]^0x20 == b[i]) {
			return false
		}
	}
	return true
}

// scanLinks is scan without text, by scanTags. It reports whether it could.
func (d *document) scanLinks(body []byte) bool {
	fresh := *newDocument(d.address)
	titled := false
	ok := scanTags(body, func(t []byte) {
		if !titled {
			text := bytes.ReplaceAll(bytes.ReplaceAll(t, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
			fresh.title = squeeze(cut(html.UnescapeString(strings.ReplaceAll(string(text), "\x00", "\uFFFD")), maxValue))
			titled = fresh.title != ""
		}
	}, func(tag atom.Atom, a attributes) {
		var t stated // takeTag would put all of this on the heap
		for k, v := range a.each {
			t.take(tag, k, v)
		}
		fresh.takeStated(tag, &t)
	})
	if ok {
		*d = fresh
	}
	return ok
}

// takeTag takes what one tag states.
func (d *document) takeTag(tag atom.Atom, attributes iter.Seq2[[]byte, []byte]) {
	var t stated
	for k, v := range attributes {
		t.take(tag, k, v)
	}
	d.takeStated(tag, &t)
}

// stated are the attributes of a tag that say something to us.
type stated struct {
	href, rel, kind, title, metaName, equiv, content, lang string
	hasLang                                                bool
}

func (t *stated) take(tag atom.Atom, k, v []byte) {
	switch string(k) {
	case "href":
		t.href = string(v)
	case "rel":
		t.rel = strings.ToLower(string(v))
	case "type":
		if tag == atom.Link {
			t.kind = strings.ToLower(string(v))
		}
	case "title":
		if tag == atom.Link {
			t.title = string(v)
		}
	case "lang":
		if tag == atom.Html {
			t.lang, t.hasLang = strings.TrimSpace(string(v)), true
		}
	case "name", "property", "itemprop":
		if tag == atom.Meta {
			t.metaName = string(v)
		}
	case "http-equiv":
		t.equiv = string(v)
	case "content":
		t.content = string(v)
	}
}

// takeStated takes what take found in a tag.
func (d *document) takeStated(tag atom.Atom, t *stated) {
	if t.hasLang {
		d.lang = t.lang
	}
	switch tag {
	case atom.A, atom.Area:
		d.addHref(t.href)
		if hasWord(t.rel, "next") {
			d.setLink("next", t.href, "", "")
		}
	case atom.Base:
		d.setBase(t.href)
	case atom.Link:
		d.setLink(t.rel, t.href, t.kind, t.title)
	case atom.Meta:
		d.setMeta(t.metaName, t.equiv, t.content)
	}
}
