package tiktok

import (
	"bytes"
	"net/url"

	"github.com/refrain-archive/refrain/internal/jsonx"
)

// script gives the content of the script element with an id, without looking at
// the rest of the page.
func script(page []byte, id string) []byte {
	for rest := page; ; {
		at := bytes.Index(rest, []byte(id))
		if at < 0 {
			return nil
		}
		before := rest[max(0, at-512):at]
		open := bytes.LastIndexByte(before, '<')
		rest = rest[at+len(id):]
		if open < 0 || len(before)-open < 7 || !bytes.EqualFold(before[open:open+7], []byte("<script")) || bytes.IndexByte(before[open:], '>') >= 0 {
			continue
		}
		attr := bytes.TrimRight(before, `"' `)
		if !bytes.HasSuffix(bytes.ToLower(attr), []byte("id=")) {
			continue
		}
		end := bytes.IndexByte(rest, '>')
		if end < 0 {
			return nil
		}
		body := rest[end+1:]
		if i := bytes.Index(body, []byte("</script")); i >= 0 {
			body = body[:i]
		}
		return bytes.TrimSpace(body)
	}
}

// members gives the values of a JSON object by key, each as it stands, in one
// pass and without reading into them. The object may stand behind an assignment,
// and more may follow it. What stands behind a fault is left out.
func members(object []byte) map[string][]byte {
	list := map[string][]byte{}
	i := bytes.IndexByte(object, '{') + 1
	if i == 0 {
		return list
	}
	for i < len(object) {
		switch c := object[i]; c {
		case ' ', '\t', '\r', '\n', ',':
			i++
			continue
		case '"':
		default:
			return list // the end, or no JSON
		}
		name, n := quoted(object[i:])
		if n == 0 {
			return list
		}
		i += n
		for i < len(object) && (object[i] == ' ' || object[i] == ':' || object[i] == '\n' || object[i] == '\t' || object[i] == '\r') {
			i++
		}
		value := raw(object[i:])
		if len(value) == 0 {
			return list
		}
		list[string(name)] = value
		i += len(value)
	}
	return list
}

// quoted gives the bytes of a JSON string as they stand, and how many it takes.
func quoted(text []byte) ([]byte, int) {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return text[1:i], i + 1
		}
	}
	return nil, 0
}

// raw gives the JSON value that text starts with.
func raw(text []byte) []byte {
	if len(text) == 0 {
		return nil
	}
	switch text[0] {
	case '{', '[':
		v, _ := jsonx.Balanced(text)
		return v
	case '"':
		_, n := quoted(text)
		return text[:n]
	}
	end := bytes.IndexAny(text, ",}]")
	if end < 0 {
		end = len(text)
	}
	return text[:end]
}

// parse gives the value of a part of a page's data; a broken one is missing.
func parse(text []byte) jsonx.Value {
	if len(text) == 0 {
		return jsonx.Value{}
	}
	v, err := jsonx.Parse(text)
	if err != nil {
		return jsonx.Value{}
	}
	return v
}

// sources finds the data of a page, by the names that pages of each time gave it.
type sources struct {
	universal, sigi, next, embed, initial []byte
}

func findSources(page []byte) sources {
	s := sources{
		universal: script(page, "__UNIVERSAL_DATA_FOR_REHYDRATION__"), sigi: script(page, "SIGI_STATE"), next: script(page, "__NEXT_DATA__"), embed: script(page, "__FRONTITY_CONNECT_STATE__"),
	}
	if s.sigi == nil {
		if s.sigi = script(page, "sigi-persisted-data"); s.sigi == nil {
			if v, ok := jsonx.After(page, "window['SIGI_STATE']"); ok {
				s.sigi = v
			}
		}
	}
	if s.universal == nil {
		if v := script(page, "RENDER_DATA"); v != nil {
			if text, err := url.PathUnescape(string(v)); err == nil {
				s.universal = []byte(text)
			}
		}
	}
	if v, ok := jsonx.After(page, "window.__INIT_PROPS__"); ok {
		s.initial = v
	}
	return s
}

func (s sources) none() bool {
	return s.universal == nil && s.sigi == nil && s.next == nil && s.embed == nil && s.initial == nil
}
