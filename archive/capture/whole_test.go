package capture

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/fetchctx"
)

// Coded bodies are the same whether they are unpacked as a whole or streamed, and
// their length is known before they are read where they are unpacked as a whole.
func TestWholeOrStreamed(t *testing.T) {
	random := make([]byte, 400<<10)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(random)
	page := strings.Repeat("<p>A page of some text, ünïcode and all.</p>\n", 1300)
	for _, test := range []struct {
		name, body, coded string
		known, cut        bool
	}{
		{name: "empty", known: true},
		{name: "short", body: "hello", known: true},
		{name: "page", body: page, known: true},
		{name: "random, small", body: string(random[:200<<10]), known: true},
		{name: "random, large", body: string(random)},
		{name: "large when unpacked", body: strings.Repeat("x", wholeDecoded+1)},
		{name: "of the limit's size", body: strings.Repeat("x", wholeDecoded), known: true},
		{name: "two members", body: page + page, coded: gzipped(page) + gzipped(page)},
		{name: "damaged at the end", body: page, coded: gzipped(page)[:len(gzipped(page))-8] + "12345678", cut: true},
		{name: "cut", body: "hell", coded: gzipped("hello")[:15], cut: true},
	} {
		if test.coded == "" {
			test.coded = gzipped(test.body)
		}
		s := serve(t, false, func(*http.Request) script { return script{send: plainCoded(test.coded)} })
		tr, m := setup(t, Options{})
		for _, ask := range []bool{false, true} {
			resp, err := tr.RoundTrip(newRequest(t, "GET", s.url("/"), nil))
			if err != nil {
				t.Fatal(err)
			}
			if ask {
				n, known := fetchctx.Rest(resp.Body)
				if known != test.known || known && n != len(test.body) {
					t.Errorf("%s: %d bytes are left, known %v; want %d, %v", test.name, n, known, len(test.body), test.known)
				}
			}
			got, err := io.ReadAll(resp.Body)
			if (err != nil) != test.cut || string(got) != test.body {
				t.Errorf("%s, asked %v: %d bytes, %v; want %d", test.name, ask, len(got), err, len(test.body))
			}
			if n, known := fetchctx.Rest(resp.Body); known {
				t.Errorf("%s: %d bytes left after the end", test.name, n)
			}
			resp.Body.Close()
			if ex := m.one(t); string(ex.response) != plainCoded(test.coded) {
				t.Errorf("%s: recorded %d bytes", test.name, len(ex.response))
			}
		}
	}
}
