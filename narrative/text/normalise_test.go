package text

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func folded(s string) string {
	n := Normalise(s)
	var list []string
	for i := range n.Words {
		list = append(list, n.Folded(i))
	}
	return strings.Join(list, " ")
}

func TestNormalise(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"case", "Hello WORLD", "hello world"},
		{"apostrophe", "don't Don’t", "dont dont"},
		{"accents", "Café CAFE\u0301", "cafe cafe"},
		{"full width and mathematical letters", "Ｎｅｗｓ 𝐍𝐞𝐰𝐬 𝕹𝖊𝖜𝖘 ⓝⓔⓦⓢ", "news news news news"},
		{"ligature", "ﬁre ½ cup", "fire 1 cup"},
		{"zero width", "ne\u200bws \u2060ne\u00adws", "news news"},
		{"Cyrillic look-alikes", "Thе рареr", "the paper"},
		{"look-alike capitals", "ВОТ вот", "bot bot"},
		{"small capitals", "ɴᴇᴡꜱ", "news"},
		{"traditional Chinese", "這裡發生", "这 里 发 生"},
		{"emoji", "fire🔥🔥storm", "fire storm"},
		{"link before Chinese", "看https://t.co/abc转发", "看 转 发"},
		{"link", "see www.example.org/a?b (HTTPS://example.org) end", "see end"},
		{"name", "hi @some_one bye", "hi bye"},
		{"manual retweet", "RT @some_one: the words", "the words"},
		{"manual retweet without the sign", "RT some_one: the words", "the words"},
		{"RT that is none", "RT this now", "rt this now"},
		{"hashtag", "#BreakingNews now", "breakingnews now"},
		{"Arabic vowels and tatweel", "مُحَـمَّد", "محمد"},
		{"decomposed Hangul", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한 글"},
		{"Hindi keeps its vowels", "हिन्दी", "हिन्दी"},
		{"invalid UTF-8", "a\xffb\xc3", "a b"},
		{"nothing", "\u200b\u200c 🔥 !!! https://t.co/x", ""},
	} {
		if got := folded(c.in); got != c.want {
			t.Errorf("%s: %q is folded to %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestNormaliseKeepsPlaces(t *testing.T) {
	raw := "🔥Thе \u200bne\u200bws，這裡: @you RT @x: caf\u00e9 \xff end"
	n := Normalise(raw)
	var got []string
	for _, w := range n.Words {
		got = append(got, raw[w.From:w.To])
	}
	want := "Thе|ne\u200bws|這|裡|café|end"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("words stand at %q, want %q", s, want)
	}
	if len(n.Names) != 2 || raw[n.Names[1].From:n.Names[1].To] != "RT @x:" {
		t.Errorf("names %v", n.Names)
	}
}

func TestNormaliseLimits(t *testing.T) {
	n := Normalise(strings.Repeat("word ", MaxWords+10))
	if len(n.Words) != MaxWords || !n.Truncated {
		t.Errorf("%d words, truncated %v", len(n.Words), n.Truncated)
	}
	if n := Normalise(strings.Repeat("word ", MaxWords) + "!!"); n.Truncated {
		t.Error("truncated although nothing was left out")
	}
	long := strings.Repeat("x", 10<<20)
	a, b := Normalise(long), Normalise(long+"y")
	if len(a.Words) != 1 || a.Folded(0) == b.Folded(0) || len(a.Folded(0)) != maxWord {
		t.Errorf("long words: %q, %q", a.Folded(0), b.Folded(0))
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"", "Hello @you https://t.co/x", "這裡\u200bа\u0301", "RT @a: b½c", "\xff\u1112\u1161", "ﷺ ㎏ 🅰"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := Normalise(s)
		last := 0
		boundary := func(i int) bool {
			return i == len(s) || utf8.RuneStart(s[i]) || !utf8.ValidString(s)
		}
		for i, w := range n.Words {
			if w.From < last || w.To <= w.From || w.To > len(s) {
				t.Fatalf("word %d at %d:%d after %d of %d bytes", i, w.From, w.To, last, len(s))
			}
			if !boundary(w.From) || !boundary(w.To) {
				t.Fatalf("word %d at %d:%d cuts a character", i, w.From, w.To)
			}
			if n.Folded(i) == "" {
				t.Fatalf("word %d is empty", i)
			}
			last = w.To
		}
		for _, list := range [][]Range{n.Links, n.Names} {
			for _, r := range list {
				if r.From < 0 || r.To <= r.From || r.To > len(s) {
					t.Fatalf("range %v of %d bytes", r, len(s))
				}
			}
		}
		// What was folded folds to itself.
		if len(n.Words) < MaxWords {
			again := folded(folded(s))
			if once := folded(s); again != once && !strings.Contains(once, "http") && !strings.Contains(once, "www") && len(once) < maxWord {
				t.Fatalf("%q folds to %q and that to %q", s, once, again)
			}
		}
	})
}
