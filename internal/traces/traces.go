// Package traces finds what ties an account to other accounts and to the world
// outside its platform: domains it links to, ways to reach it, addresses that
// receive its money, and the analytics and advertising ids of web pages. Every
// trace has one normal form, so that two posts that carry the same thing have
// the same Trace. All functions are pure, and bounded by MaxBytes and Max.
//
// # Kinds and normal forms
//
//	domain     registrable domain of a link: example.co.uk, name.blogspot.com; an IP address as it is
//	email      lower case; "name [at] example [dot] org" too
//	phone      + and 8 to 15 digits (E.164); only numbers written with their +
//	telegram   lower-case name; +HASH of an invitation; c/ID of a private channel
//	whatsapp   +DIGITS; chat/CODE, channel/ID, message/CODE
//	discord    invite/CODE, user/ID
//	wechat     name of weixin://dl/chat; r/CODE and u/CODE of contact links
//	bitcoin    Base58Check versions 0 and 5, Bech32 (BIP 173) and Bech32m (BIP 350) of hrp "bc"
//	ethereum   0x and 40 lower-case hex digits; mixed case only if EIP-55 holds
//	tron       Base58Check of version 0x41
//	analytics  UA-1234567-1, G-ABC1234567, GT-ABC1234, GTM-ABC1234, facebook-pixel-ID, yandex-metrica-ID,
//	           matomo-SITE@HOST/PATH
//	ads        ca-pub-1234567890123456 (AdSense), AW-123456789 (Google Ads)
//
// Contacts are taken from text and links, ids from the markup of a page. The ids
// of a page travel in post.Post.Tags, as the kind, a colon and the value
// (Tag, FromTag).
package traces

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/internal/urlform"
)

// The bounds of one text, list of links or page.
const (
	MaxBytes = 4 << 20 // of text that are looked at
	Max      = 500     // traces of one post
	maxIDs   = 50      // analytics and ad ids of one page
	maxValue = 200     // bytes of a value; longer ones are none
)

// Kind says what a Trace is. The package comment has their normal forms.
type Kind string

// The kinds of traces.
const (
	Domain    Kind = "domain"
	Email     Kind = "email"
	Phone     Kind = "phone"
	Telegram  Kind = "telegram"
	WhatsApp  Kind = "whatsapp"
	Discord   Kind = "discord"
	WeChat    Kind = "wechat"
	Bitcoin   Kind = "bitcoin"
	Ethereum  Kind = "ethereum"
	Tron      Kind = "tron"
	Analytics Kind = "analytics"
	Ads       Kind = "ads"
)

// Kinds are all kinds, in the order of documentation.
func Kinds() []Kind {
	return []Kind{Domain, Email, Phone, Telegram, WhatsApp, Discord, WeChat, Bitcoin, Ethereum, Tron, Analytics, Ads}
}

// A Trace is one thing that can tie accounts together, in its normal form.
type Trace struct {
	Kind  Kind
	Value string
}

// list gathers traces, each once.
type list struct {
	found []Trace
	seen  map[Trace]bool
	links map[string]bool // that were looked at; a post's links stand in its text too
	max   int
}

func newList(max int) *list { return &list{seen: map[Trace]bool{}, links: map[string]bool{}, max: max} }

func (l *list) full() bool { return len(l.found) >= l.max }

func (l *list) add(kind Kind, value string) {
	t := Trace{kind, value}
	if value == "" || len(value) > maxValue || l.full() || l.seen[t] {
		return
	}
	l.seen[t] = true
	l.found = append(l.found, t)
}

// InPost gives the traces of a post's text and links, in the order of the text.
// Links within site, the registrable domain of the post's own address, are no
// trace; "" leaves none out.
func InPost(site, text string, links []string) []Trace {
	l := newList(Max)
	l.text(text, site)
	for _, link := range links {
		if l.full() {
			break
		}
		if len(link) <= maxURL && !l.links[link] {
			l.emails(link)
			l.phones(link)
			l.coins(link)
			l.link(link, site)
		}
	}
	return l.found
}

// maxURL is the length in bytes up to which an address is read.
const maxURL = 8 << 10

// text takes what stands in running text: addresses, with or without their
// scheme, and everything that is told by its own form.
func (l *list) text(text, site string) {
	if len(text) > MaxBytes {
		text = text[:MaxBytes]
	}
	l.emails(text)
	l.phones(text)
	l.coins(text)
	for word := range strings.FieldsFuncSeq(text, betweenAddresses) {
		if l.full() {
			return
		}
		if len(word) > maxURL || !strings.ContainsAny(word, "/:") && !strings.HasSuffix(word, ".t.me") {
			continue
		}
		word = strings.TrimLeft(strings.TrimRight(word, ".,;:!?)]}'*_~…»”’"), "([{'*_~«“‘")
		if l.links[word] {
			continue
		}
		if strings.Contains(word, "://") {
			// "see:https://…" and "(https://…": the address begins at its scheme.
			at := strings.Index(word, "://")
			from := at
			for from > 0 && (word[from-1]|0x20 >= 'a' && word[from-1]|0x20 <= 'z') {
				from--
			}
			l.link(word[from:], site)
		} else {
			l.contact(parse("https://" + word))
		}
	}
}

// betweenAddresses says what no address in running text holds: white space,
// quotes, angle brackets, and the marks of scripts that write without spaces.
func betweenAddresses(r rune) bool {
	if r < 0x80 {
		switch r {
		case '<', '>', '"', '`', '|', '\\', '^':
			return true
		}
		return r <= ' '
	}
	switch r {
	case '\u00a0', '\u200b', '\u2028', '\u3000', '，', '。', '、', '；', '：', '！', '？', '（', '）', '【', '】', '「', '」', '『', '』', '《', '》':
		return true
	}
	return false
}

// link takes the domain of an address of the web, and the contact that it or
// one of another scheme names.
func (l *list) link(raw, site string) {
	if l.links[raw] {
		return
	}
	l.links[raw] = true
	u := parse(raw)
	if u == nil {
		return
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		if host := urlform.Host(u); host != "" {
			if d := domainOf(host); d != "" && d != site {
				l.add(Domain, d)
			}
		}
	}
	l.contact(u)
}

// domainOf gives the registrable domain of a host, with or without a port; ""
// for names that are not of the public network.
func domainOf(host string) string {
	d := urlform.Site(&url.URL{Host: host})
	if _, err := netip.ParseAddr(d); err != nil && !strings.Contains(d, ".") {
		return ""
	}
	return d
}

// Site gives the registrable domain of an address, "" if it has none.
func Site(address string) string {
	u := parse(address)
	if u == nil {
		return ""
	}
	return domainOf(urlform.Host(u))
}

func parse(raw string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil
	}
	u.Scheme = strings.ToLower(u.Scheme)
	return u
}

// Named gives what a user may mean by words for one trace: every trace that is
// found in them, and of an address without scheme its domain.
func Named(words string) []Trace {
	l := newList(Max)
	if len(words) > maxURL {
		return nil
	}
	l.text(words, "")
	l.named(words)
	if !strings.ContainsAny(words, " @/:") && strings.Contains(words, ".") {
		l.link("https://"+words+"/", "")
	}
	if k, v, ok := strings.Cut(words, ":"); ok && slices.Contains(Kinds(), Kind(strings.ToLower(k))) {
		l.add(Kind(strings.ToLower(k)), v)
	}
	return l.found
}

// named takes the ids with a prefix of their own that stand in words.
func (l *list) named(words string) {
	page := []byte(words)
	l.ids(page, places(page), true)
}

// Tag writes an id of a page as a tag: "analytics:UA-1234567-1".
func (t Trace) Tag() string { return string(t.Kind) + ":" + t.Value }

// FromTag reads a tag that Tag wrote. It refuses other tags, also those that
// only begin like one.
func FromTag(tag string) (Trace, bool) {
	kind, value, ok := strings.Cut(tag, ":")
	if !ok || Kind(kind) != Analytics && Kind(kind) != Ads {
		return Trace{}, false
	}
	l := newList(maxIDs)
	l.named(value)
	t := Trace{Kind(kind), value}
	if len(l.found) == 1 && l.found[0] == t {
		return t, true
	}
	for _, form := range []string{"facebook-pixel-", "yandex-metrica-"} {
		if id, ok := strings.CutPrefix(value, form); ok && t.Kind == Analytics && number(id, 5, 20) {
			return t, true
		}
	}
	if rest, ok := strings.CutPrefix(value, "matomo-"); ok && t.Kind == Analytics {
		if id, host, ok := strings.Cut(rest, "@"); ok && number(id, 1, 9) && strings.Contains(host, ".") && !strings.ContainsAny(host, " \t\n") {
			return t, true
		}
	}
	return Trace{}, false
}

func number(s string, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
