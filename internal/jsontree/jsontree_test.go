package jsontree

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/jsonx"
)

// same reports the first difference between our reading of text and that of
// encoding/json.
func same(t *testing.T, v Value, w jsonx.Value, at string) {
	t.Helper()
	if v.Exists() != w.Exists() || v.IsObject() != w.IsObject() || v.IsArray() != w.IsArray() || v.IsString() != w.IsString() || v.Bool() != w.Bool() {
		t.Fatalf("%s: another type than encoding/json finds: %q", at, v.Raw())
	}
	if v.String() != w.String() {
		t.Fatalf("%s: %q, want %q", at, v.String(), w.String())
	}
	n, ok := v.Int()
	if m, okW := w.Int(); okW && ok && n != m {
		t.Fatalf("%s: %d, want %d", at, n, m)
	}
	for i, e := range w.Array() {
		same(t, v.At(i), e, at+"[]")
	}
	if len(v.Array()) != len(w.Array()) {
		t.Fatalf("%s: %d elements, want %d", at, len(v.Array()), len(w.Array()))
	}
	seen := map[string]bool{}
	twice := false
	v.Members(func(key string, _ Value) bool {
		twice = twice || seen[key]
		seen[key] = true
		return true
	})
	if twice { // encoding/json takes the last of equal keys
		return
	}
	if len(seen) != len(w.Keys()) {
		t.Fatalf("%s: %d keys, want %d", at, len(seen), len(w.Keys()))
	}
	for _, k := range w.Keys() {
		if strings.ContainsRune(k, '\uFFFD') { // a broken key is found by its bytes only
			continue
		}
		if !v.Has(k) {
			t.Fatalf("%s: no key %q", at, k)
		}
		same(t, v.Get(k), w.Get(k), at+"."+k)
	}
}

var samples = []string{
	`{"a":[1,2.5,-3e2,"x"],"b":{"c":null,"d":true,"e":false},"":"","\u0061b":"\ud83d\ude00\n\/"}`,
	`[]`, `{}`, ` [ { } , [ ] ] `, `"a\\"`, `"\""`, `null`, `12`, `{"a":{"a":{"a":[{"a":1}]}}}`, `"\ud800x"`, "\"\xff\"", `{"a b":"a b"}`,
}

func TestAsEncodingJSON(t *testing.T) {
	for _, s := range samples {
		v, err := Parse([]byte(s))
		w, errW := jsonx.Parse([]byte(s))
		if err != nil || errW != nil {
			t.Fatalf("%s: %v, encoding/json: %v", s, err, errW)
		}
		same(t, v, w, s)
	}
}

func TestRefuses(t *testing.T) {
	for _, s := range []string{"", " ", "{", "[", `"`, `"\`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[,1]`, `[1 2]`, `{1:2}`, `]`, `{]`, `[}`, `1 2`, `{"a":1]`, `<a>`, `{"a" 1}`,
		strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1)} {
		if v, err := Parse([]byte(s)); err == nil {
			t.Errorf("%.40q is read as %q", s, v.Raw())
		}
	}
}

func TestFindAndWalk(t *testing.T) {
	v, err := Parse([]byte(`{"x":"k","l":[{"k":null},{"m":{"k" : 7}},{"k":8}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := v.Find("k").Int(); n != 7 {
		t.Errorf("Find gives %d, want the first that is not null, 7", n)
	}
	if v.Get("l").At(2).Find("m").Exists() {
		t.Error("Find looks outside its value")
	}
	var keys []string
	v.Walk(func(key string, _ Value) bool {
		keys = append(keys, key)
		return key != "m"
	})
	if got := strings.Join(keys, " "); got != "x l k m k" {
		t.Errorf("Walk visits %s", got)
	}
	var none Value
	if none.Exists() || none.Get("a").At(1).String() != "" || none.Raw() != nil || none.Find("a").Exists() || none.Array() != nil {
		t.Error("a missing value is not empty")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if !json.Valid(text) {
			if err == nil {
				v.Walk(func(string, Value) bool { return true })
				_ = v.Find("a").String()
			}
			return
		}
		w, errW := jsonx.Parse(text)
		if errW != nil {
			return // deeper than either of us reads
		}
		if err != nil {
			if strings.Contains(err.Error(), "nested deeper") {
				return
			}
			t.Fatalf("%q: %v", text, err)
		}
		same(t, v, w, "")
	})
}

func BenchmarkParse(b *testing.B) {
	text := []byte("[" + strings.Repeat(`{"videoId":"abcdefghijk","title":{"runs":[{"text":"A title of some words"}]},"n":[1,2,3],"thumbnails":[{"url":"https://i.example/vi/abcdefghijk/hqdefault.jpg?x=1","width":336,"height":188}]},`, 1000) + "0]")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
