package tiktok

import (
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// IDTime is what an id says of when a post was made: not before the moment in
// its upper 32 bits. It is zero for ids that hold none.
func IDTime(id string) post.Time {
	t, ok := idTime(id)
	if !ok {
		return post.Time{}
	}
	return post.Between(t, time.Time{}, "", post.SourceID)
}

// seconds reads a time in seconds since 1970, as a number or a string. 0 is
// TikTok's word for none.
func seconds(v jsonx.Value) post.Time {
	n, ok := v.Int()
	if !ok || n <= 0 || n > 4102444800 {
		return post.Time{}
	}
	return post.Exact(time.Unix(n, 0), "")
}

// created is the time that a post states, or what its id says.
func created(id string, values ...jsonx.Value) post.Time {
	for _, v := range values {
		if t := seconds(v); !t.IsZero() {
			return t
		}
	}
	return IDTime(id)
}

// number gives the first of values that is an id.
func number(values ...jsonx.Value) string {
	for _, v := range values {
		if s := v.String(); isID(s) {
			return s
		}
	}
	return ""
}

// first is the first of values that states something.
func first(values ...jsonx.Value) string {
	for _, v := range values {
		if s := strings.TrimSpace(v.String()); s != "" {
			return s
		}
	}
	return ""
}

func add(list []string, s string) []string {
	if s == "" {
		return list
	}
	for _, x := range list {
		if x == s {
			return list
		}
	}
	return append(list, s)
}

func link(raw string) (string, bool) {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > 8192 {
		return "", false
	}
	if strings.HasPrefix(raw, "//") {
		raw = "https:" + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return raw, true
}

func size(v jsonx.Value) int {
	n, ok := v.Int()
	if !ok || n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

func length(v jsonx.Value) float64 {
	f, ok := v.Float()
	if !ok || f <= 0 || f > 1e9 {
		return 0
	}
	return f
}

// isRounded reports whether n is as TikTok rounds: from 10,000 on, to hundreds
// or more. One exact number in a hundred looks the same.
func isRounded(n int64) bool { return n >= 10000 && n%100 == 0 }

// count adds a count from the values that state it. Of several the most exact
// one is taken.
func count(list []post.Count, name string, exact bool, values ...jsonx.Value) []post.Count {
	best := post.Count{}
	for _, v := range values {
		n, ok := v.Int()
		if !ok || n < 0 {
			continue
		}
		c := post.ExactCount(name, n)
		if !exact && isRounded(n) {
			c = post.RoundedCount(name, n)
		}
		if best.Name == "" || best.Precision == post.PrecisionRounded && c.Precision == post.PrecisionExact {
			best = c
		}
	}
	if best.Name == "" {
		return list
	}
	for _, c := range list {
		if c.Name == name {
			return list
		}
	}
	return append(list, best)
}

// isLang keeps TikTok's mark for no language out of a field of BCP 47 codes.
func isLang(s string) bool {
	if len(s) < 2 || len(s) > 10 || s == "un" || s == "und" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' && i > 1) {
			return false
		}
	}
	return true
}

// region is a country as TikTok writes it.
func region(v jsonx.Value) string {
	if s := v.String(); len(s) == 2 && strings.ToUpper(s) == s {
		return "region:" + s
	}
	return ""
}
