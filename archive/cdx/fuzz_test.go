package cdx

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
)

func newGzip(w io.Writer) *gzip.Writer { return gzip.NewWriter(w) }

// FuzzCDXJLine reads any bytes as a line. What can be read is written and read
// again as the same.
func FuzzCDXJLine(f *testing.F) {
	for _, seed := range []string{
		`com,example)/ 20260131101112 {"url": "http://example.com/", "mime": "text/html", "status": "200", "length": "12", "offset": "0", "filename": "x"}`,
		`a 1 {"offset":7,"length":1e3,"x":{"y":[null]},"":""}`, `a 1 {"url":"\ud800","url":"b"}`, "a 1 {}\r\n", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := ParseLine(data)
		if err != nil {
			return
		}
		text := l.String()
		again, err := ParseLine([]byte(text))
		if err != nil {
			t.Fatalf("%q is written as %q: %v", data, text, err)
		}
		if got := again.String(); got != text {
			t.Fatalf("%q, and again %q", text, got)
		}
	})
}

// FuzzSURT makes keys of any text. A key can stand in a line: no blanks and line
// ends, and not empty.
func FuzzSURT(f *testing.F) {
	for _, seed := range []string{
		"http://www.example.com:80/A//b/../c;x?b=2&a=1#f", "https://[::1]:8080/", "http://0x7f.1/", "urn:x:y z", "http://例え.jp/%E3%81%82",
		"mailto:a@b", "example.com:8080/x", "http:///", "//a", "http://user@www.www2.example.com./?&&=", "http://1.2.3/", "http://%77ww.a%2eb/%25%32%35", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if key, ok := plainSURT(url); ok && key != fullSURT(url) {
			t.Fatalf("the key of %q is %q in the short way, %q in the full one", url, key, fullSURT(url))
		}
		for name, key := range map[string]string{"SURT": SURT(url), "WebrecorderKey": WebrecorderKey(url)} {
			if strings.ContainsAny(key, " \n\r\t") || key == "" {
				t.Fatalf("%s of %q is %q", name, url, key)
			}
		}
	})
}
