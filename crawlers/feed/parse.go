package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/mmcdole/gofeed/atom"
	jsonfeed "github.com/mmcdole/gofeed/json"
	"github.com/mmcdole/gofeed/rss"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/textenc"
)

// A format is a family of feeds.
type format int

const (
	formatNone format = iota
	formatRSS         // also RDF
	formatAtom
	formatEntry // one Atom entry as a document
	formatJSON
)

// What one feed may cost.
const (
	maxBody  = 32 << 20
	maxLevel = 200
	maxItems = 50_000
)

// formatOf tells a feed by its root element, or by its JSON Feed version.
func formatOf(ex crawlers.Exchange) format {
	head := ex.Body[:min(len(ex.Body), 8192)]
	text, _ := textenc.XML(head, ex.Header.Get("Content-Type"))
	f := rootFormat(text)
	if f == formatJSON && !bytes.Contains(ex.Body, []byte("jsonfeed.org/version")) {
		return formatNone
	}
	return f
}

func rootFormat(text []byte) format {
	text = bytes.TrimLeft(text, "\ufeff \t\r\n\x00")
	if bytes.HasPrefix(text, []byte("{")) {
		return formatJSON
	}
	root := rootTag(text)
	if root == nil {
		return formatNone
	}
	name := string(root[1:])
	if end := strings.IndexAny(name, " \t\r\n/>"); end >= 0 {
		name = name[:end]
	}
	name = strings.ToLower(name[strings.IndexByte(name, ':')+1:])
	switch name {
	case "rss", "rdf":
		return formatRSS
	case "feed":
		return formatAtom
	case "entry":
		return formatEntry
	}
	return formatNone
}

// rootTag gives the text from the root element's start tag on, past the XML
// declaration, processing instructions, comments and document type.
func rootTag(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, "\ufeff \t\r\n\x00")
		var end int
		switch {
		case bytes.HasPrefix(text, []byte("<?")):
			end = after(text, "?>")
		case bytes.HasPrefix(text, []byte("<!--")):
			end = after(text, "-->")
		case bytes.HasPrefix(text, []byte("<!")):
			end = afterDoctype(text)
		case len(text) > 1 && text[0] == '<':
			return text
		default:
			return nil
		}
		if end < 0 {
			return nil
		}
		text = text[end:]
	}
}

func after(text []byte, mark string) int {
	i := bytes.Index(text, []byte(mark))
	if i < 0 {
		return -1
	}
	return i + len(mark)
}

// afterDoctype gives the end of a document type with its internal subset.
func afterDoctype(text []byte) int {
	inside := 0
	for i, c := range text {
		switch c {
		case '[':
			inside++
		case ']':
			inside--
		case '>':
			if inside <= 0 {
				return i + 1
			}
		}
	}
	return -1
}

// A document is a feed in one of gofeed's forms, and how much of it was whole.
type document struct {
	rss  *rss.Feed
	atom *atom.Feed
	json *jsonfeed.Feed

	broken error // why it is not whole; nil if it is
	lost   int   // items that could not be read
}

var errLevel = fmt.Errorf("elements are nested more than %d deep", maxLevel)

// parse reads body. It gives an error where not one item nor the feed's own
// fields could be read.
func parse(body []byte, contentType string, f format) (document, error) {
	cutShort := len(body) > maxBody
	body = body[:min(len(body), maxBody)]
	if f == formatJSON {
		return parseJSON(body, contentType)
	}
	text, _ := textenc.XML(body, contentType)
	text = rootTag(text)
	if text == nil {
		return document{}, errors.New("no root element")
	}
	if f == formatEntry {
		text = wrapEntry(text)
		f = formatAtom
	}
	text = text[:min(len(text), maxBody+1024)]
	if level(text) > maxLevel {
		return document{}, errLevel
	}
	d, err := whole(text, f)
	if err == nil {
		if cutShort {
			d.broken = fmt.Errorf("only the first %d bytes were read", maxBody)
		}
		return d, nil
	}
	d, ok := pieces(text, f)
	if !ok {
		return document{}, err
	}
	d.broken = err
	return d, nil
}

// wrapEntry makes a feed around one entry, with the entry's namespaces.
func wrapEntry(text []byte) []byte {
	end := bytes.IndexByte(text, '>')
	name := tagName(text)
	prefix := name[:strings.IndexByte(name, ':')+1]
	var b bytes.Buffer
	b.WriteString("<" + prefix + "feed")
	for _, m := range xmlns.FindAll(text[:max(end, 0)], -1) {
		b.WriteByte(' ')
		b.Write(m)
	}
	b.WriteByte('>')
	b.Write(text)
	b.WriteString("</" + prefix + "feed>")
	return b.Bytes()
}

var xmlns = regexp.MustCompile(`xmlns(?::[\w.-]+)?\s*=\s*(?:"[^"]*"|'[^']*')`)

func tagName(tag []byte) string {
	name := string(tag[1:min(len(tag), 200)])
	if end := strings.IndexAny(name, " \t\r\n/>"); end >= 0 {
		name = name[:end]
	}
	return name
}

// whole parses a document as it stands.
func whole(text []byte, f format) (document, error) {
	var d document
	var err error
	if f == formatAtom {
		d.atom, err = (&atom.Parser{}).Parse(bytes.NewReader(text))
		if err == nil && d.atom == nil {
			err = errors.New("no feed")
		}
	} else {
		d.rss, err = (&rss.Parser{}).Parse(bytes.NewReader(text))
		if err == nil && d.rss == nil {
			err = errors.New("no feed")
		}
	}
	if err != nil {
		return document{}, err
	}
	return d, nil
}

var (
	itemOpen  = regexp.MustCompile(`<(?:[\w.-]+:)?(?:item|entry)(?:\s[^<>]*)?>`)
	itemClose = regexp.MustCompile(`</(?:[\w.-]+:)?(?:item|entry)\s*>`)
)

// pieces parses a broken document item by item: each with the root's start tag
// around it, which declares the namespaces, and the head of the feed by itself.
func pieces(text []byte, f format) (document, bool) {
	rootEnd := bytes.IndexByte(text, '>')
	if rootEnd < 0 {
		return document{}, false
	}
	root := text[:rootEnd+1]
	name := tagName(text)
	rest := text[rootEnd+1:]
	open, shut := "", "</"+name+">"
	if f == formatRSS && strings.EqualFold(name[strings.IndexByte(name, ':')+1:], "rss") {
		open, shut = "<channel>", "</channel>"+shut
	}
	var d document
	found := false
	starts := itemOpen.FindAllIndex(rest, maxItems)
	head := rest
	if len(starts) > 0 {
		head = rest[:starts[0][0]]
	}
	// The head of RSS opens channel itself; of RDF it closes it too.
	headShut := shut
	if f == formatRSS && open == "" && !bytes.Contains(head, []byte("</channel>")) && bytes.Contains(head, []byte("<channel")) {
		headShut = "</channel>" + shut
	}
	if part, err := whole(join(root, nil, head, headShut), f); err == nil {
		d, found = part, true
	} else if f == formatAtom {
		d.atom = &atom.Feed{}
	} else {
		d.rss = &rss.Feed{}
	}
	for i, at := range starts {
		limit := len(rest)
		if i+1 < len(starts) {
			limit = starts[i+1][0]
		}
		end := itemClose.FindIndex(rest[at[1]:limit])
		if end == nil {
			d.lost++
			continue
		}
		part, err := whole(join(root, []byte(open), rest[at[0]:at[1]+end[1]], shut), f)
		switch {
		case err != nil:
			d.lost++
		case part.atom != nil && len(part.atom.Entries) > 0:
			d.atom.Entries = append(d.atom.Entries, part.atom.Entries...)
			found = true
		case part.rss != nil && len(part.rss.Items) > 0:
			d.rss.Items = append(d.rss.Items, part.rss.Items...)
			found = true
		default:
			d.lost++
		}
	}
	return d, found
}

func join(root, open, middle []byte, shut string) []byte {
	out := make([]byte, 0, len(root)+len(open)+len(middle)+len(shut))
	out = append(out, root...)
	out = append(out, open...)
	out = append(out, middle...)
	return append(out, shut...)
}

// level counts how deep elements are nested, not minding whether tags match.
func level(text []byte) int {
	deepest, now := 0, 0
	for {
		i := bytes.IndexByte(text, '<')
		if i < 0 || i+1 >= len(text) {
			return deepest
		}
		text = text[i:]
		end := -1
		switch text[1] {
		case '!':
			switch {
			case bytes.HasPrefix(text, []byte("<![CDATA[")):
				end = after(text, "]]>")
			case bytes.HasPrefix(text, []byte("<!--")):
				end = after(text, "-->")
			default:
				end = after(text, ">")
			}
		case '?':
			end = after(text, "?>")
		case '/':
			now = max(now-1, 0)
			end = after(text, ">")
		default:
			if end = after(text, ">"); end > 1 && text[end-2] != '/' {
				now++
				deepest = max(deepest, now)
			}
		}
		if end < 0 {
			return deepest
		}
		text = text[end:]
	}
}

func parseJSON(body []byte, contentType string) (document, error) {
	text, _ := textenc.Text(body, contentType)
	text = bytes.TrimLeft(text, "\ufeff \t\r\n")
	var d document
	var err error
	if d.json, err = (&jsonfeed.Parser{}).Parse(bytes.NewReader(text)); err == nil {
		return d, nil
	}
	if d.json, d.lost = jsonPieces(text); d.json == nil {
		return document{}, err
	}
	d.broken = err
	return d, nil
}

// jsonPieces reads a JSON Feed as far as it goes, key by key and item by item.
func jsonPieces(text []byte) (*jsonfeed.Feed, int) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, 0
	}
	f := &jsonfeed.Feed{}
	lost := 0
	found := false
	for dec.More() {
		t, err := dec.Token()
		key, ok := t.(string)
		if err != nil || !ok {
			break
		}
		if key != "items" {
			var value json.RawMessage
			if dec.Decode(&value) != nil {
				break
			}
			one, err := json.Marshal(map[string]json.RawMessage{key: value})
			if err == nil && json.Unmarshal(one, f) == nil {
				found = true
			}
			continue
		}
		if t, err := dec.Token(); err != nil || t != json.Delim('[') {
			break
		}
		for dec.More() && len(f.Items) < maxItems {
			var raw json.RawMessage
			if dec.Decode(&raw) != nil {
				lost++
				if !found && len(f.Items) == 0 {
					return nil, lost
				}
				return f, lost
			}
			it := &jsonfeed.Item{}
			if json.Unmarshal(raw, it) != nil {
				lost++
				continue
			}
			f.Items = append(f.Items, it)
			found = true
		}
		if _, err := dec.Token(); err != nil {
			break
		}
	}
	if !found {
		return nil, lost
	}
	return f, lost
}
