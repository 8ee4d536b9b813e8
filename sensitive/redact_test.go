package sensitive

import (
	"encoding/json"
	"html"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/traces"
)

func redactor(t testing.TB, list string) *Redactor {
	t.Helper()
	r := &Redactor{}
	for _, kind := range []string{RedactEmail, RedactPhone} {
		if err := r.Kind(kind); err != nil {
			t.Fatal(err)
		}
	}
	if list != "" {
		if err := r.Read(strings.NewReader(list)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestRedact(t *testing.T) {
	r := redactor(t, "# people\nAna Müller\nana_m99\n/case-[0-9]{4}/\n")
	for _, c := range []struct{ in, want string }{
		{"nothing here", "nothing here"},
		{"write to Ana.Mueller@Example.org, or call +49 (561) 123-456 78.", "write to redacted-email-1, or call redacted-phone-1."},
		{`{"text":"line\nana.mueller@example.org\"x"}`, `{"text":"lineredacted-email-1\"x"}`},
		{`<a href="mailto:ana.mueller&#64;example.org">`, `<a href="mailto:redacted-email-1">`},
		{"/s?to=ana.mueller%40example.org&x=1", "/s?to=redacted-email-1&x=1"},
		{`"ana.mueller\u0040example.org"`, `"redacted-email-1"`},
		{`"ana.mueller&amp;#64;example.org"`, `"redacted-email-1"`},
		{"ANA  MÜLLER and Ana+M%C3%BCller and Ana M&uuml;ller and Ana M\\u00fcller", "redacted-name-1 and redacted-name-2 and redacted-name-3 and redacted-name-3"},
		{"https://ana_m99.tumblr.com/", "https://redacted-name-4.tumblr.com/"},
		{"file CASE-1234!", "file redacted-name-5!"},
		{"desk [at] news [dot] example", "redacted-email-2"},
		{"https://wa.me/4915112345678 2+2=4 a+123456789012", "https://redacted-phone-2 2+2=4 a+123456789012"},
	} {
		out, found, err := r.Redact([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		n := 0
		for _, v := range found {
			n += v
		}
		if n != strings.Count(string(out), "redacted-") {
			t.Errorf("%s: %v found, %s", c.in, found, out)
		}
		// The numbers depend on how a string was written; what is around them not.
		if got, want := numberless(string(out)), numberless(c.want); got != want {
			t.Errorf("%s\n gives %s\n want  %s", c.in, out, c.want)
		}
	}
}

func numberless(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}

func TestRedactListsThatAreRefused(t *testing.T) {
	for _, list := range []string{"", "# only\n", "ab\n", "/(/\n", "/x*/\n", "red\n", "/[a-z]+/\n", "name-1\n"} {
		if err := (&Redactor{}).Read(strings.NewReader(list)); err == nil {
			t.Errorf("%q is taken", list)
		}
	}
	if err := (&Redactor{}).Kind("faces"); err == nil {
		t.Error("faces is a kind")
	}
}

// Whatever stands around it and however it is written, nothing that is on the list
// and no mail address or number is left, at any level of escapes.
func TestRedactLeavesNothing(t *testing.T) {
	r := redactor(t, "Ana Müller\nbridge.watch\n")
	random := rand.New(rand.NewPCG(1, 2))
	secrets := []string{"Ana Müller", "bridge.watch", "ana@mail.example.org", "+49 561 1234567"}
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) }
	numeric := func(s string) string {
		var b strings.Builder
		for _, c := range s {
			if c > 126 || random.IntN(3) == 0 {
				b.WriteString("&#")
				b.WriteString(strings.TrimLeft(strings.Repeat("0", 2), "x"))
				b.WriteString(itoa(int(c)))
				b.WriteString(";")
			} else {
				b.WriteRune(c)
			}
		}
		return b.String()
	}
	forms := []func(string) string{func(s string) string { return s }, html.EscapeString, quote, url.PathEscape, url.QueryEscape, numeric, strings.ToUpper}
	pieces := []string{"", " ", "<b>", `\`, `\n`, "&", "%", "&amp;", `"`, "+", "@", ".", "x", "ü", "\xff", "\x00", "1", "-", "//"}
	for range 4000 {
		var b strings.Builder
		for range 1 + random.IntN(6) {
			b.WriteString(pieces[random.IntN(len(pieces))])
			s := secrets[random.IntN(len(secrets))]
			for range random.IntN(3) {
				s = forms[random.IntN(len(forms))](s)
			}
			b.WriteString(s)
		}
		in := b.String()
		out, _, err := r.Redact([]byte(in))
		if err != nil {
			t.Fatalf("%q: %v", in, err)
		}
		s := string(out)
		for range maxLevels {
			lower := strings.ToLower(s)
			for _, secret := range []string{"ana müller", "bridge.watch", "ana@mail.example.org"} {
				if strings.Contains(lower, secret) {
					t.Fatalf("%q is left of %q: %q", secret, in, out)
				}
			}
			for _, tr := range traces.InPost("", s, nil) {
				if tr.Kind == traces.Email || tr.Kind == traces.Phone {
					t.Fatalf("%v is left of %q: %q", tr, in, out)
				}
			}
			s = html.UnescapeString(s)
			if u, err := url.PathUnescape(s); err == nil {
				s = u
			}
		}
		if again, found, err := r.Redact(out); err != nil || len(found) > 0 || string(again) != string(out) {
			t.Fatalf("a second time: %v %q", found, again)
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"a":"b\u0040c.de"}`, "a%40b.example &amp;#43;49 561 1234567", `\\u0041na M&uuml;ller`, "\\ud83d\\ude00 Ana\tMüller"} {
		f.Add([]byte(s))
	}
	r := redactor(f, "Ana Müller\n")
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(r.numbers) > 10_000 {
			r.numbers = nil
		}
		out, _, err := r.Redact(in)
		if err != nil {
			return // said, and such a text is left out
		}
		if left := r.hits(out); len(left) > 0 {
			t.Errorf("%d places are left in %q", len(left), out)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	r := redactor(b, "Ana Müller\nbridge.watch\n")
	page := []byte(strings.Repeat(`<p class="a">The bridge over the river &amp; the road will close on Monday, says <a href="https://example.org/%C3%BCber">a post</a>.</p>`+"\n", 1000))
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		if _, _, err := r.Redact(page); err != nil {
			b.Fatal(err)
		}
	}
}
