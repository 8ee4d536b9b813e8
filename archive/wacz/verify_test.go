package wacz

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
)

// rezip writes a WACZ anew with some entries changed; nil removes one.
func rezip(t *testing.T, data []byte, change func(e *entry) bool, more ...entry) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var list []entry
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		e := entry{f.Name, string(b), f.Method}
		if change(&e) {
			list = append(list, e)
		}
	}
	return zipOf(t, append(list, more...)...)
}

func TestVerifyFinds(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(write(t, WriterOptions{Key: key, PlainIndex: 1, BlockLines: 4}, 20))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(name, old, new string) func(*entry) bool {
		return func(e *entry) bool {
			if e.name == name {
				if !strings.Contains(e.content, old) {
					t.Errorf("%s has no %q", name, old)
				}
				e.content = strings.Replace(e.content, old, new, 1)
			}
			return true
		}
	}
	signedBy := func(change func(d *signedData)) func(*entry) bool {
		return func(e *entry) bool {
			if e.name == digestName {
				var d struct {
					Path       string      `json:"path"`
					Hash       string      `json:"hash"`
					SignedData *signedData `json:"signedData"`
				}
				if err := json.Unmarshal([]byte(e.content), &d); err != nil {
					t.Fatal(err)
				}
				change(d.SignedData)
				b, _ := json.Marshal(d)
				e.content = string(b)
			}
			return true
		}
	}
	all := func(*entry) bool { return true }
	for _, c := range []struct {
		what   string
		data   []byte
		code   string
		damage bool
	}{
		{"page changed", rezip(t, data, replace(PagesName, "Bread", "Broad")), "hash", true},
		{"manifest changed", rezip(t, data, replace(manifestName, "refrain test", "refrain best")), "digest", true},
		{"file added", rezip(t, data, all, entry{name: "archive/more.warc.gz", content: ""}), "unlisted", true},
		{"file removed", rezip(t, data, func(e *entry) bool { return e.name != "archive/single.warc.gz" }), "missing", true},
		{"index without its file", rezip(t, data, func(e *entry) bool { return e.name != "archive/single.warc.gz" }), "index-line", true},
		{"block moved", rezip(t, data, replace("indexes/index.idx", `"offset": 0`, `"offset": 9`)), "idx", true},
		{"signature exchanged", rezip(t, data, signedBy(func(d *signedData) { s, _ := sign(key, "sha256:00"); d.Signature = s.Signature })), "signature", true},
		{"signature by another key", rezip(t, data, signedBy(func(d *signedData) {
			other, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			s, _ := sign(other, d.Hash)
			d.Signature = s.Signature
		})), "signature", true},
		{"domain without a chain", rezip(t, data, signedBy(func(d *signedData) { d.Domain = "example.org" })), "signature-chain", true},
		{"signature in DER", rezip(t, data, signedBy(func(d *signedData) {
			sum := sha256.Sum256([]byte(d.Hash))
			der, _ := ecdsa.SignASN1(rand.Reader, key, sum[:])
			d.Signature = base64.StdEncoding.EncodeToString(der)
		})), "signature-der", false},
		{"WARC deflated", rezip(t, data, func(e *entry) bool { e.method = zip.Deflate; return true }), "not-stored", false},
		{"no digest", rezip(t, data, func(e *entry) bool { return e.name != digestName }), "no-package-digest", false},
	} {
		r := verdict(t, c.data)
		if !r.has(c.code) || (r.Verdict == warc.Damaged) != c.damage {
			t.Errorf("%s: %s, %v", c.what, r.Verdict, r.Findings)
		}
	}
	if r := verdict(t, rezip(t, data, all)); r.Verdict != warc.Sound {
		t.Errorf("unchanged: %s, %v", r.Verdict, r.Findings)
	}
}

// Every code that Verify uses says what it means.
func TestMeanings(t *testing.T) {
	for code, m := range meanings {
		if m.text == "" || m.severity == "" {
			t.Errorf("%s says nothing", code)
		}
	}
	src, err := os.ReadFile("verify.go")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := os.ReadFile("sign.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, before := range []string{`addf("`, `bad("`, `code := "`, `code = "`} {
		for part := range strings.SplitSeq(string(src)+string(sig), before) {
			code, _, ok := strings.Cut(part, `"`)
			if ok && !strings.ContainsAny(code, " \n/\t") && meanings[code].text == "" {
				t.Errorf("the code %q has no meaning", code)
			}
		}
	}
}
