package corpus

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// A Query is what to look for. The zero Query finds every post.
type Query struct {
	Words    []string // every one must occur in title or text; any case, any width
	Without  []string // none may
	Platform []string // any of these
	Account  []string // id, handle or name of the author; any of these
	Kind     []string
	Outcome  []string // newest outcome of the post: any of these
	Lang     []string
	Tag      []string
	Trace    []string  // carries any of these: a domain, contact or id, in any form that internal/traces reads
	Has      []string  // carries a trace of any of these kinds; contact, wallet and link stand for several
	URL      string    // the post's address contains this
	From     time.Time // created at or after; zero is open
	Until    time.Time // created before; zero is open
	Limit    int       // 0 is 50; negative is no limit
	Offset   int
	Oldest   bool // oldest first; the default is newest first
	Longest  bool // those not seen for the longest time first
}

// ParseQuery reads the query language of `refrain search`: words that must all
// occur, "words in quotes" that must occur together, -word for none, and
// platform: account: kind: outcome: lang: tag: trace: has: url: from: until:
// with a value, several values parted by commas. A colon in other words is part
// of the word.
func ParseQuery(text string) (Query, error) {
	var q Query
	for _, term := range terms(text) {
		name, value, isField := strings.Cut(term.text, ":")
		if term.quoted || !isField || value == "" {
			switch {
			case term.text == "":
			case term.not:
				q.Without = append(q.Without, term.text)
			default:
				q.Words = append(q.Words, term.text)
			}
			continue
		}
		var list *[]string
		switch strings.ToLower(name) {
		case "platform":
			list = &q.Platform
		case "account", "author", "by":
			list = &q.Account
		case "kind":
			list = &q.Kind
		case "outcome":
			list = &q.Outcome
		case "lang":
			list = &q.Lang
		case "tag", "hashtag":
			list = &q.Tag
		case "trace":
			list = &q.Trace
		case "has":
			for word := range strings.SplitSeq(value, ",") {
				if len(traceKinds(word)) == 0 {
					return Query{}, fmt.Errorf("search: has:%s: there is has:contact, has:wallet, has:link, and each kind of trace (email, phone, telegram, whatsapp, discord, wechat, bitcoin, ethereum, tron, analytics, ads)", word)
				}
			}
			list = &q.Has
		case "url":
			q.URL = value
			continue
		case "from", "since", "after":
			at, err := parseDay(value, false)
			if err != nil {
				return Query{}, fmt.Errorf("search: %s: %w", term.text, err)
			}
			q.From = at
			continue
		case "until", "before", "to":
			at, err := parseDay(value, strings.ToLower(name) != "before")
			if err != nil {
				return Query{}, fmt.Errorf("search: %s: %w", term.text, err)
			}
			q.Until = at
			continue
		default:
			if term.not {
				q.Without = append(q.Without, term.text)
			} else {
				q.Words = append(q.Words, term.text)
			}
			continue
		}
		if term.not {
			return Query{}, fmt.Errorf("search: -%s: only words can be excluded", term.text)
		}
		for v := range strings.SplitSeq(value, ",") {
			if v = strings.TrimLeft(v, "@#"); v != "" {
				*list = append(*list, v)
			}
		}
	}
	return q, nil
}

// parseDay reads 2026, 2026-11, 2026-11-23 or RFC 3339 as a moment in UTC; with
// end, the end of that year, month or day.
func parseDay(s string, end bool) (time.Time, error) {
	for _, form := range []struct {
		layout              string
		years, months, days int
	}{{"2006-01-02", 0, 0, 1}, {"2006-01", 0, 1, 0}, {"2006", 1, 0, 0}, {time.RFC3339, 0, 0, 0}} {
		t, err := time.Parse(form.layout, s)
		if err != nil {
			continue
		}
		if end {
			t = t.AddDate(form.years, form.months, form.days)
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a day: write 2026-11-23, 2026-11, 2026 or 2026-11-23T10:00:00Z", s)
}

type term struct {
	text        string
	quoted, not bool
}

func terms(s string) []term {
	var list []term
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		var t term
		if s[0] == '-' && len(s) > 1 && s[1] != ' ' {
			t.not, s = true, s[1:]
		}
		if s[0] == '"' {
			t.quoted = true
			t.text, s, _ = strings.Cut(s[1:], `"`)
		} else {
			// A field's value may be quoted: account:"Ana Lima".
			end := strings.IndexFunc(s, unicode.IsSpace)
			if q := strings.Index(s, `:"`); q >= 0 && (end < 0 || q < end) {
				if close := strings.IndexByte(s[q+2:], '"'); close >= 0 {
					t.text, s = s[:q+1]+s[q+2:q+2+close], s[q+2+close+1:]
					list = append(list, t)
					continue
				}
			}
			if end < 0 {
				end = len(s)
			}
			t.text, s = s[:end], s[end:]
		}
		list = append(list, t)
	}
	return list
}
