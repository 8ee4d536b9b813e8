package words

import (
	"bytes"
	"strings"
	"testing"
)

func check(t *testing.T, list []string, text []byte) {
	t.Helper()
	set := New(list...)
	found, any := set.In(text), false
	for _, w := range list {
		want := bytes.Contains(text, []byte(w))
		any = any || want
		if found.Has(w) != want {
			t.Errorf("%q in %q: %v, want %v", w, text, !want, want)
		}
	}
	if set.Any(text) != any {
		t.Errorf("any of %q in %q: %v, want %v", list, text, !any, any)
	}
}

func TestIn(t *testing.T) {
	list := []string{"post_id", "post", "ost_ids", "x==", "time", "timestamp"}
	for _, text := range []string{"", "p", "post", "a post_id", "post_ids", "poposts", "x", "x=", "tim timestam time", "timestamp", "xx==", strings.Repeat("pos", 50) + "post_ids"} {
		check(t, list, []byte(text))
	}
	check(t, []string{strings.Repeat("a", 300), strings.Repeat("ab", 150)}, []byte(strings.Repeat("a", 700)))
	check(t, []string{strings.Repeat("a", 300), strings.Repeat("ab", 150)}, []byte(strings.Repeat("ab", 150)))
}

func TestHasOtherWord(t *testing.T) {
	found := New("abc").In([]byte("xy"))
	if !found.Has("xy") || found.Has("xyz") {
		t.Error("a word that is not of the set is not looked for")
	}
}

func TestRules(t *testing.T) {
	for name, f := range map[string]func(){
		"no words":     func() { New() },
		"a short word": func() { New("ab") },
		"twice":        func() { New("abc", "abc") },
		"too many":     func() { New(strings.Split(strings.Repeat("x", 66), "")...) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func FuzzIn(f *testing.F) {
	f.Add("post_id", "post", "ost_id", []byte("a post_ids"))
	f.Add("abc", "bca", "aab", []byte("aabcaab"))
	f.Fuzz(func(t *testing.T, a, b, c string, text []byte) {
		if len(a) < 3 || len(b) < 3 || len(c) < 3 || a == b || b == c || a == c {
			return
		}
		check(t, []string{a, b, c}, text)
	})
}

var page = bytes.Repeat([]byte(`<div class="_4bl9 post_idle"><script>{"creation":1,"__isNode":"Story","react":{"count":5}}</script></div>`), 5000)

var list = []string{`post_id":"`, "creation_time", "reaction_count", `delegate_page":{`, "profile_social_context", "legacy_fbid", "publish_time", `"userVanity"`}

func BenchmarkIn(b *testing.B) {
	set := New(list...)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if set.Any(page) {
			b.Fatal("found")
		}
	}
}

// BenchmarkContains is what it replaces.
func BenchmarkContains(b *testing.B) {
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		for _, w := range list {
			if bytes.Contains(page, []byte(w)) {
				b.Fatal("found")
			}
		}
	}
}
