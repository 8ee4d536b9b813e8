package traces

import (
	"bytes"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/internal/urlform"
)

// InPage gives the analytics and ad ids in the markup of a page, scripts
// included, each kind in the order of the page. It builds no tree: each id is
// told by its own form and what stands around it.
func InPage(page []byte) []Trace {
	if len(page) > 4*MaxBytes {
		page = page[:4*MaxBytes]
	}
	l := newList(maxIDs)
	m := places(page)
	l.ids(page, m, false)
	l.pixel(page, m)
	l.metrica(page, m)
	l.matomo(page, m)
	return l.found
}

// marks are the words at or behind which ids stand, each with the index of a
// character of it that is rare in pages: that one is looked for.
var marks = []struct {
	word   string
	anchor int
}{
	{"UA-", 0}, {"GTM-", 0}, {"GT-", 0}, {"G-", 0}, {"AW-", 1}, {"ca-pub-", 5}, // as idForms
	{"fbq(", 2}, {"facebook.com/tr", 7},
	{"mc.yandex.ru/watch/", 8}, {"mc.yandex.com/watch/", 8}, {"mc.webvisor.org/watch/", 6}, {"ym(", 0}, {"Ya.Metrika", 0},
	{"matomo.php", 6}, {"piwik.php", 2}, {"setSiteId", 3}, {"setTrackerUrl", 3},
}

// anchors gives the marks of an anchor character.
var anchors = func() (table [256][]string) {
	for _, m := range marks {
		c := m.word[m.anchor]
		table[c] = append(table[c], m.word)
	}
	return table
}()

// maxMarks bounds how often one mark is looked at.
const maxMarks = 2000

// places gives where in a page each mark stands.
func places(page []byte) map[string][]int {
	found := map[string][]int{}
	for i, c := range page {
		if anchors[c] == nil {
			continue
		}
		for _, word := range anchors[c] {
			from := i - strings.IndexByte(word, c)
			if from >= 0 && len(page)-from >= len(word) && string(page[from:from+len(word)]) == word && len(found[word]) < maxMarks {
				found[word] = append(found[word], from)
			}
		}
	}
	return found
}

// idForms are the ids that are told by their own prefix.
var idForms = []struct {
	prefix string
	kind   Kind
	digits bool // of digits only, else capital letters and digits
	least  int
	most   int
	suffix int  // digits of a second part behind "-": at most so many
	words  bool // a word in capitals could look like one: there must be a digit
}{
	{"UA-", Analytics, true, 4, 10, 4, false},
	{"GTM-", Analytics, false, 4, 9, 0, false},
	{"GT-", Analytics, false, 6, 12, 0, true},
	{"G-", Analytics, false, 8, 12, 0, true},
	{"AW-", Ads, true, 8, 12, 0, false},
	{"ca-pub-", Ads, true, 10, 20, 0, false},
}

// standsAlone reports whether a piece of a page is a whole string of a script, a
// value of an attribute or a parameter of an address, and not prose: an article
// about the ids of others does not make them its own.
func standsAlone(page []byte, from, end int) bool {
	if from == 0 || end >= len(page) {
		return false
	}
	switch page[end] {
	case '"', '\'', '&', '\\', '/', '>':
	case ' ':
		if page[from-1] != '=' {
			return false
		}
	default:
		return false
	}
	return strings.IndexByte(`"'=;`, page[from-1]) >= 0 // ; ends &quot;
}

// ids takes ids with a prefix of their own, in a page only where they stand
// alone; named says that a user or we wrote the words.
func (l *list) ids(page []byte, m map[string][]int, named bool) {
	for _, form := range idForms {
		for _, from := range m[form.prefix] {
			at := from + len(form.prefix)
			if from > 0 && (letter(page[from-1]) || digit(page[from-1]) || page[from-1] == '-' || page[from-1] == '_') {
				continue
			}
			end := at
			for end < len(page) && end-at <= form.most && (digit(page[end]) || !form.digits && page[end] >= 'A' && page[end] <= 'Z') {
				end++
			}
			if end-at < form.least || end-at > form.most {
				continue
			}
			id := page[at:end]
			if form.suffix > 0 {
				tail := end + 1
				for tail < len(page) && tail-end <= form.suffix && digit(page[tail]) {
					tail++
				}
				if end >= len(page) || page[end] != '-' || tail == end+1 {
					continue
				}
				end = tail
			}
			if end < len(page) && (letter(page[end]) || digit(page[end]) || page[end] == '_' || page[end] == '-') {
				continue
			}
			if !named && !standsAlone(page, from, end) {
				continue
			}
			if sample(id, form.digits) {
				continue
			}
			if form.words && !bytes.ContainsAny(id, "0123456789") {
				continue // a word in capitals
			}
			l.add(form.kind, string(page[from:end]))
		}
	}
}

// sample reports whether an id is one that manuals use: one character over and
// over, or the digits in their order.
func sample(id []byte, digits bool) bool {
	if bytes.Count(id, id[:1]) == len(id) {
		return true
	}
	return digits && (bytes.HasPrefix([]byte("1234567890123456"), id) && len(id) >= 9)
}

// pixel takes the ids of Facebook's pixel: fbq('init', 'ID') and the picture
// for those without scripts, facebook.com/tr?id=ID.
func (l *list) pixel(page []byte, m map[string][]int) {
	for _, at := range m["fbq("] {
		if args := words(page[at+len("fbq("):], 2); len(args) == 2 && args[0] == "init" && number(args[1], 10, 20) {
			l.add(Analytics, "facebook-pixel-"+args[1])
		}
	}
	for _, at := range m["facebook.com/tr"] {
		if id := parameter(page[at+len("facebook.com/tr"):], "id"); number(id, 10, 20) {
			l.add(Analytics, "facebook-pixel-"+id)
		}
	}
}

// metrica takes the ids of Yandex Metrica: mc.yandex.ru/watch/ID, ym(ID, …) and
// new Ya.Metrika({id: ID, …}).
func (l *list) metrica(page []byte, m map[string][]int) {
	add := func(script []byte) {
		if args := words(script, 1); len(args) == 1 && number(args[0], 5, 10) {
			l.add(Analytics, "yandex-metrica-"+args[0])
		}
	}
	for _, mark := range []string{"mc.yandex.ru/watch/", "mc.yandex.com/watch/", "mc.webvisor.org/watch/"} {
		for _, at := range m[mark] {
			add(page[at+len(mark):])
		}
	}
	for _, at := range m["ym("] {
		if at == 0 || !letter(page[at-1]) && !digit(page[at-1]) && page[at-1] != '_' && page[at-1] != '$' {
			add(page[at+len("ym("):])
		}
	}
	for _, from := range m["Ya.Metrika"] {
		near := page[from+len("Ya.Metrika"):]
		near = near[:min(len(near), 200)]
		for at := 0; ; {
			k := bytes.Index(near[at:], []byte("id"))
			if k < 0 {
				break
			}
			at += k + len("id")
			after := bytes.TrimLeft(near[at:], "\"' \t")
			if bytes.HasPrefix(after, []byte(":")) && (at == len("id") || !letter(near[at-len("id")-1])) {
				add(after[1:])
				break
			}
		}
	}
}

// matomo takes the sites of Matomo (once Piwik), which are numbered by each
// server: the address of the tracker belongs to the id.
func (l *list) matomo(page []byte, m map[string][]int) {
	for _, name := range []string{"matomo.php", "piwik.php"} {
		for _, from := range m[name] {
			if id := parameter(page[from+len(name):], "idsite"); number(id, 1, 9) { // the picture for those without scripts
				start := from
				for start > 0 && from-start < 300 && strings.IndexByte("\"'<> \t\n(=", page[start-1]) < 0 {
					start--
				}
				l.tracker(id, string(page[start:from]))
			}
		}
	}
	sites, trackers := m["setSiteId"], m["setTrackerUrl"]
	if len(sites) == 0 || len(trackers) == 0 {
		return
	}
	id := argument(page[sites[0]+len("setSiteId"):])
	if !number(id, 1, 9) {
		return
	}
	if address := argument(page[trackers[0]+len("setTrackerUrl"):]); strings.Contains(address, "//") {
		address, _, _ = strings.Cut(address, "matomo.php")
		address, _, _ = strings.Cut(address, "piwik.php")
		l.tracker(id, address)
		return
	}
	// var u="//stats.example.org/"; _paq.push(['setTrackerUrl', u+'matomo.php']);
	before := page[:trackers[0]]
	near := before[max(0, len(before)-1000):]
	at := bytes.LastIndex(near, []byte("//"))
	for at >= 0 {
		start := at
		for start > 0 && at-start < 8 && (letter(near[start-1]) || near[start-1] == ':') {
			start--
		}
		end := at
		for end < len(near) && strings.IndexByte("\"' \t\n;<>", near[end]) < 0 {
			end++
		}
		if start > 0 && end < len(near) && (near[start-1] == '"' || near[start-1] == '\'') && near[end] == near[start-1] {
			l.tracker(id, string(near[start:end]))
			return
		}
		at = bytes.LastIndex(near[:at], []byte("//"))
	}
}

// tracker adds a site of the Matomo server at an address.
func (l *list) tracker(id, address string) {
	if at := strings.Index(address, "//"); at >= 0 {
		address = "https:" + address[at:]
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return
	}
	if host := urlform.Host(u); strings.Contains(host, ".") {
		l.add(Analytics, "matomo-"+id+"@"+host+strings.TrimRight(u.EscapedPath(), "/"))
	}
}

// argument gives the string or number behind a name of Matomo's queue:
// _paq.push(['setSiteId', '3']).
func argument(script []byte) string {
	script = bytes.TrimLeft(script[:min(len(script), 500)], "\\\"' \t\n")
	if !bytes.HasPrefix(script, []byte(",")) {
		return ""
	}
	return strings.Join(words(script[1:], 1), "")
}

// words reads up to n arguments of a call in a script: strings in quotes and
// bare numbers, parted by commas. It stops at what is neither.
func words(script []byte, n int) []string {
	script = script[:min(len(script), 500)]
	var list []string
	for len(list) < n {
		script = bytes.TrimLeft(script, "\\ \t\r\n")
		if len(script) == 0 {
			break
		}
		var word []byte
		if quote := script[0]; quote == '"' || quote == '\'' {
			end := bytes.IndexByte(script[1:], quote)
			if end < 0 {
				break
			}
			word, script = bytes.TrimRight(script[1:1+end], "\\"), script[end+2:]
		} else {
			end := 0
			for end < len(script) && digit(script[end]) {
				end++
			}
			word, script = script[:end], script[end:]
		}
		if len(word) == 0 {
			break
		}
		list = append(list, string(word))
		script = bytes.TrimLeft(script, "\\ \t\r\n")
		if len(script) == 0 || script[0] != ',' {
			break
		}
		script = script[1:]
	}
	return list
}

// parameter gives a parameter of the query that rest begins with, in markup:
// "?id=7&amp;ev=x".
func parameter(rest []byte, name string) string {
	rest = rest[:min(len(rest), 500)]
	rest = bytes.TrimPrefix(rest, []byte("/"))
	if len(rest) == 0 || rest[0] != '?' {
		return ""
	}
	if end := bytes.IndexAny(rest, "\"'<> \t\n)"); end >= 0 {
		rest = rest[:end]
	}
	query := strings.ReplaceAll(string(rest[1:]), "&amp;", "&")
	for part := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return strings.TrimRight(value, "\\")
		}
	}
	return ""
}
