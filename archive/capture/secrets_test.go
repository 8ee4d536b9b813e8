package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

const key = "1234|abC/d+e&f\"g"

// withSecret is a request that carries key in a header and in its URL.
func withSecret(t testing.TB, address string, values ...string) (*http.Request, *fetchctx.Fetch) {
	req := newRequest(t, "GET", address, nil)
	ctx, f := fetchctx.New(context.Background())
	f.Add("key", "graph")
	for _, v := range values {
		f.AddSecret(v)
	}
	return req.WithContext(ctx), f
}

func jsonText(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestSecrets(t *testing.T) {
	link := "https://plaza.example/next?token=" + url.QueryEscape(key) + "&after=7"
	body := `{"raw":` + jsonText(key) + `,"slashes":"` + strings.ReplaceAll(strings.ReplaceAll(key, `"`, `\"`), "/", `\/`) +
		`","next":` + jsonText(link) + `,"html":"` + html.EscapeString(key) + `","twice":"` + url.QueryEscape(url.QueryEscape(key)) + `"}`
	noisy := strings.Repeat("noise ", 50000)
	for _, test := range []struct {
		name, send string
		same       bool // bytes that do not belong to the secret stay where they are
	}{
		{"with a length", "HTTP/1.1 200 OK\r\nX-Echo: " + key + "\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body, true},
		{"chunks cut through it", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(strings.SplitAfter(body, "1")...), true},
		{"chunks of one byte", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(strings.Split(body, "")...), true},
		{"spooled", plain(noisy + body + strings.Repeat(noisy, 6) + body), true},
		{"spooled and chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunkedBody(noisy[:150000]+body[:20], body[20:], strings.Repeat(noisy, 6)+body), true},
		{"early hints", "HTTP/1.1 103 Early Hints\r\nLink: <" + link + ">\r\n\r\n" + plain(body), true},
		{"nothing repeats it", plain("hello"), true},
		{"gzip although identity was asked for", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n" + chunkedBody(gzipped(body)), false},
		{"gzip without it", plainCoded(gzipped("hello")), true},
		{"a coding we do not know", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, false, func(r *http.Request) script { return script{send: test.send} })
			tr, m := setup(t, Options{})
			address := s.url("/a?token=" + url.QueryEscape(key))
			req, _ := withSecret(t, address, key, "bearer-token")
			req.Header.Set("Authorization", "Bearer bearer-token")
			got := get(t, tr, req)
			if got.err != nil {
				t.Fatal(got.err)
			}
			sent := s.sent()[0]
			ex := m.one(t)
			if strings.Contains(test.send, "|") != strings.Contains(got.body, "abC") && test.same {
				t.Errorf("the caller must get what was sent: %.200q", got.body)
			}
			for part, p := range map[string]string{"URL": ex.URL, "request": string(ex.request), "response": string(ex.response), "fields": fmt.Sprint(ex.Fields)} {
				for _, bad := range []string{"abC", "bearer-token", "1234"} {
					if strings.Contains(p, bad) {
						t.Errorf("%s holds %q: %.300q", part, bad, p)
					}
				}
			}
			if !bytes.Contains(sent, []byte("Accept-Encoding: identity\r\n")) || !bytes.Contains(sent, []byte(url.QueryEscape(key))) {
				t.Errorf("the server got %q", sent)
			}
			if len(ex.request) != len(sent) || len(ex.URL) != len(address) {
				t.Errorf("lengths changed: %q, %s", ex.request, ex.URL)
			}
			if ex.Request.SHA256 != sha256.Sum256(ex.request) || ex.Response.SHA256 != sha256.Sum256(ex.response) {
				t.Error("the digests are not of what is stored")
			}
			parts := map[string]Redaction{}
			for _, r := range ex.Redactions {
				parts[r.Part] = r
			}
			want := Redaction{"request-block", sha256.Sum256(sent), ex.Request.SHA256, 2, "key graph", ""}
			if parts["request-block"] != want {
				t.Errorf("redaction %v, want %v", parts["request-block"], want)
			}
			if want := fmt.Sprintf("request-block sha256:%x -> sha256:%x, reason key graph", sha256.Sum256(sent), ex.Request.SHA256); want != parts["request-block"].String() {
				t.Errorf("written as %q", parts["request-block"])
			}
			r, redacted := parts["response-block"]
			if redacted == (string(ex.response) == test.send) || redacted && (r.Before != sha256.Sum256([]byte(test.send)) || r.After != ex.Response.SHA256) {
				t.Errorf("redaction %v", r)
			}
			if test.same {
				if len(ex.response) != len(test.send) || r.Rewritten != "" {
					t.Errorf("length changed from %d to %d, %q", len(test.send), len(ex.response), r.Rewritten)
				}
				s := splitter{method: "GET"}
				if s.write(ex.response); !s.ended() {
					t.Error("what is stored is no whole response")
				}
			}
			switch {
			case strings.HasPrefix(test.name, "gzip although"):
				head, body, _ := strings.Cut(string(ex.response), "\r\n\r\n")
				if head != fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX: y\r\nContent-Length: %d", len(body)) || !strings.HasPrefix(body, `{"raw":"REDACTED`) {
					t.Errorf("stored %q", ex.response)
				}
				if !strings.Contains(r.String(), "stored without its content coding gzip") || ex.ContentEncoding != "" || ex.Response.PayloadSHA256 != sha256.Sum256([]byte(body)) {
					t.Errorf("redaction %v", r)
				}
			case strings.HasPrefix(test.name, "a coding"):
				if !strings.HasSuffix(string(ex.response), "\r\n\r\n") || r.Rewritten != withheld || ex.Truncated != "length" || got.body != "abcde" {
					t.Errorf("stored %q, %v", ex.response, r)
				}
			}
		})
	}
}

func TestSecretsInErrors(t *testing.T) {
	s := serve(t, false, func(r *http.Request) script { return script{send: "what is sesame-open here\r\n\r\n", close: true} })
	tr, m := setup(t, Options{})
	req, f := withSecret(t, s.url("/?k=sesame-open"), "sesame-open")
	got := get(t, tr, req)
	if got.err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", got.err, got.err, f.Result()), "sesame") || !strings.Contains(got.err.Error(), "REDACTED") {
		t.Errorf("error %q", got.err)
	}
	if ex := m.one(t); strings.Contains(ex.Error, "sesame") || strings.Contains(string(ex.response), "sesame") {
		t.Errorf("recorded error %q, response %q", ex.Error, ex.response)
	}
	req, _ = withSecret(t, s.url("/?k=abc"), "abc")
	if got := get(t, tr, req); got.err == nil || !strings.Contains(got.err.Error(), "longer key") || strings.Contains(got.err.Error(), "abc") {
		t.Errorf("short secret: %v", got.err)
	}
	if len(m.take()) > 0 {
		t.Error("recorded")
	}
}

func TestUserInformation(t *testing.T) {
	s := serve(t, false, func(r *http.Request) script { return script{send: plain("hello")} })
	tr, m := setup(t, Options{})
	c := http.Client{Transport: tr}
	resp, err := c.Get(strings.Replace(s.url("/"), "//", "//me:password@", 1))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	ex := m.one(t)
	if !bytes.Contains(s.sent()[0], []byte("Authorization: Basic bWU6cGFzc3dvcmQ=")) || bytes.Contains(ex.request, []byte("bWU6")) || strings.Contains(ex.URL, "@") {
		t.Errorf("recorded %s, %q", ex.URL, ex.request)
	}
}

// TestForms hides a secret in any mixture of forms.
func TestForms(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		value := rapid.StringMatching(`[a-z0-9|/+&"%\\ ]{0,6}[A-Z][A-Za-z0-9]{5}[|/+&"%\\ a-z]{0,6}`).Draw(r, "secret")
		s := newSecrets([]string{value})
		anchor, before := s.list[0].anchor, s.list[0].before
		var b strings.Builder
		for i := 0; i < len(value); i++ {
			c := value[i]
			forms := []string{string(c)}
			if i < before || i >= before+len(anchor) {
				forms = append(forms, fmt.Sprintf("%%%02X", c), fmt.Sprintf("%%%02x", c), fmt.Sprintf("%%25%02X", c),
					fmt.Sprintf(`\u%04x`, c), fmt.Sprintf("&#%d;", c), fmt.Sprintf("&#x%x;", c), html.EscapeString(string(c)), jsonText(string(c))[1:len(jsonText(string(c)))-1])
			}
			b.WriteString(rapid.SampledFrom(forms).Draw(r, "form"))
		}
		left, right := rapid.StringMatching(`[<>=:. -]{0,20}`).Draw(r, "left"), rapid.StringMatching(`[<>=:. -]{0,20}`).Draw(r, "right")
		text := left + b.String() + right
		got := s.hide(text)
		if len(got) != len(text) || strings.Contains(got, anchor) || !strings.HasPrefix(got, left) || !strings.HasSuffix(got, right) {
			r.Fatalf("%q in %q became %q", value, text, got)
		}
	})
}

func FuzzSecrets(f *testing.F) {
	f.Add("abc|def", "token=abc%7Cdef&x", "abc")
	f.Add("a\\b\"c/d", `"a\\b\"c\/d"`, "c/d")
	f.Add("||||", "%7c%7C||", "x")
	f.Fuzz(func(t *testing.T, value, text, other string) {
		if value == "" || other == "" {
			return
		}
		s := newSecrets([]string{value, other})
		got := s.hide(text)
		if len(got) != len(text) {
			t.Fatalf("length %d became %d", len(text), len(got))
		}
		if strings.Contains(got, value) && !strings.Contains(strings.Repeat(placeholder, len(value)), value) && !strings.Contains(text, placeholder) &&
			!strings.ContainsAny(value, "REDACTED") {
			t.Fatalf("%q still in %q", value, got)
		}
	})
}
