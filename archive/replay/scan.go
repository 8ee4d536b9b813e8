package replay

import "bytes"

// An attr is an attribute as it stands in a tag.
type attr struct {
	name  []byte // lower case
	as    []byte // as written
	value []byte // character references not decoded
}

// maxAttrs bounds the attributes of one tag; what goes beyond is left out.
const maxAttrs = 200

// A tag is a start or end tag.
type tag struct {
	name  []byte // lower case
	as    []byte // as written
	attrs []attr
	slash bool // it ends in "/>"
}

// get gives an attribute's value as written, nil if it is not there.
func (t *tag) get(name string) []byte {
	for i := range t.attrs {
		if string(t.attrs[i].name) == name {
			return t.attrs[i].value
		}
	}
	return nil
}

func (t *tag) has(name string) bool {
	for i := range t.attrs {
		if string(t.attrs[i].name) == name {
			return true
		}
	}
	return false
}

// A scanner reads tags as the tokenizer of the HTML standard does (section
// 13.2.5). Memory for names in lower case is taken from small.
type scanner struct {
	tag
	small []byte
}

// read reads the tag whose name begins at i and gives the offset behind its ">".
// A tag that the document does not end is none: false.
func (s *scanner) read(src []byte, i int) (int, bool) {
	s.small, s.attrs, s.slash = s.small[:0], s.attrs[:0], false
	begin := i
	for i < len(src) && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' {
		i++
	}
	s.as = src[begin:i]
	s.name = s.lower(s.as)
	for i < len(src) {
		c := src[i]
		switch {
		case isSpace(c):
			i++
			continue
		case c == '/':
			i++
			if i < len(src) && src[i] == '>' {
				s.slash = true
			}
			continue
		case c == '>':
			return i + 1, true
		}
		var a attr
		begin := i
		if c == '=' { // a name may begin with it
			i++
		}
		for i < len(src) && !isSpace(src[i]) && src[i] != '/' && src[i] != '>' && src[i] != '=' {
			i++
		}
		a.as = src[begin:i]
		for i < len(src) && isSpace(src[i]) {
			i++
		}
		if i < len(src) && src[i] == '=' {
			i++
			for i < len(src) && isSpace(src[i]) {
				i++
			}
			if i >= len(src) {
				return i, false
			}
			switch q := src[i]; q {
			case '"', '\'':
				end := bytes.IndexByte(src[i+1:], q)
				if end < 0 {
					return len(src), false
				}
				a.value = src[i+1 : i+1+end]
				i += end + 2
			case '>':
				a.value = src[i:i]
			default:
				begin := i
				for i < len(src) && !isSpace(src[i]) && src[i] != '>' {
					i++
				}
				a.value = src[begin:i]
			}
		}
		if len(s.attrs) < maxAttrs {
			a.name = s.lower(a.as)
			// The first of a name counts.
			if !s.has(string(a.name)) {
				s.attrs = append(s.attrs, a)
			}
		}
	}
	return i, false
}

// lower gives b in lower case.
func (s *scanner) lower(b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			at := len(s.small)
			for _, c := range b {
				s.small = append(s.small, lower(c))
			}
			return s.small[at:len(s.small):len(s.small)]
		}
	}
	return b
}

// plainName reports whether a name of an element or attribute is of the letters
// and marks that names are of, so that it can be written as it is.
func plainName(b []byte) bool {
	if len(b) == 0 || len(b) > 100 {
		return false
	}
	for i, c := range b {
		if 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.' || c == ':') {
			continue
		}
		return false
	}
	return true
}

// rawEnd finds the end tag of an element of raw text from i on: the end of the
// text, and the offset of the name in the end tag, or the document's end twice.
func rawEnd(src []byte, i int, name string) (end, tag int) {
	for {
		j := bytes.Index(src[i:], []byte("</"))
		if j < 0 {
			return len(src), len(src)
		}
		i += j + 2
		if endsRaw(src, i, name) {
			return i - 2, i
		}
	}
}

// endsRaw reports whether name stands at i and ends there.
func endsRaw(src []byte, i int, name string) bool {
	if len(src)-i < len(name) || !bytes.EqualFold(src[i:i+len(name)], []byte(name)) {
		return false
	}
	i += len(name)
	return i == len(src) || isSpace(src[i]) || src[i] == '/' || src[i] == '>'
}

// scriptEnd is rawEnd for a script, within which "<!--<script>" hides an end tag.
func scriptEnd(src []byte, i int) (end, tag int) {
	hidden, deep := false, false // within <!-- -->, and within <script> there
	for {
		j := bytes.IndexAny(src[i:], "<-")
		if j < 0 {
			return len(src), len(src)
		}
		i += j
		switch {
		case src[i] == '-':
			if hidden && bytes.HasPrefix(src[i:], []byte("-->")) {
				hidden, deep = false, false
			}
		case bytes.HasPrefix(src[i:], []byte("<!--")):
			hidden = true
			i++ // "<!-->" ends at once: its dashes are those of the end too
		case bytes.HasPrefix(src[i:], []byte("</")) && endsRaw(src, i+2, "script"):
			if !deep {
				return i, i + 2
			}
			deep = false
		case hidden && endsRaw(src, i+1, "script"):
			deep = true
		}
		i++
	}
}

// commentEnd gives the offset behind the comment whose text begins at i, behind
// its "<!--".
func commentEnd(src []byte, i int) int {
	if bytes.HasPrefix(src[i:], []byte(">")) {
		return i + 1
	}
	if bytes.HasPrefix(src[i:], []byte("->")) {
		return i + 2
	}
	for {
		j := bytes.Index(src[i:], []byte("--"))
		if j < 0 {
			return len(src)
		}
		i += j + 2
		switch rest := src[i:]; {
		case bytes.HasPrefix(rest, []byte(">")):
			return i + 1
		case bytes.HasPrefix(rest, []byte("!>")):
			return i + 2
		}
		i-- // the second dash may be the first of the next two
	}
}
