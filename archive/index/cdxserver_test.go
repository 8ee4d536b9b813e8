package index

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
)

func TestCDXServer(t *testing.T) {
	a := folder(t, archive.Options{})
	same := strings.Repeat("the same page ", 100)
	for i := range 5 {
		text := same
		if i == 2 {
			text = "other"
		}
		record(t, a, "http://example.com/", text, noon.AddDate(0, i, 0))
	}
	record(t, a, "http://example.com/a b", "blank", noon)
	record(t, a, "http://blog.example.com/style.css", "css", noon)
	rotate(t, a)
	x := openIndex(t, a, t.TempDir())
	server := httptest.NewServer(x.CDXServer())
	defer server.Close()
	get := func(query string) (int, string) {
		t.Helper()
		res, err := http.Get(server.URL + "/cdx?" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	home := []string{"20261123120000", "20261223120000", "20270123120000", "20270223120000", "20270323120000"}
	for _, test := range []struct {
		query string
		want  []string // fl=timestamp,url
	}{
		{"url=example.com&fl=timestamp", home},
		{"url=example.com&from=2027&fl=timestamp", home[2:]},
		{"url=example.com&to=202612&fl=timestamp", home[:2]},
		{"url=example.com&from=20261223120000&to=20270123&fl=timestamp", home[1:3]},
		{"url=example.com&limit=2&fl=timestamp", home[:2]},
		{"url=example.com&sort=reverse&limit=2&fl=timestamp", []string{home[4], home[3]}},
		{"url=example.com&closest=20270122&limit=2&fl=timestamp", []string{home[2], home[1]}},
		{"url=example.com&closest=20270122&sort=closest&limit=1&fl=timestamp", home[2:3]},
		{"url=*.example.com&filter=~url:.*%5C.css$&fl=url", []string{"http://blog.example.com/style.css"}},
		{"url=http://example.com/*&filter=!=mime:warc/revisit&fl=timestamp,url", []string{home[0] + " http://example.com/", home[2] + " http://example.com/", home[0] + " http://example.com/a%20b"}},
		{"url=example.com&matchType=domain&collapse=urlkey&fl=urlkey", []string{"com,example)/", "com,example)/a%20b", "com,example,blog)/style.css"}},
		{"url=example.com&collapse=timestamp:4&fl=timestamp", []string{home[0], home[2]}},
		{"url=example.com&collapse=timestamp:4&limit=1&fl=timestamp", home[:1]},
		{"url=example.com&collapseTime=4&fl=timestamp", []string{home[0], home[2]}},
		{"url=example.com&filter=mime:revisit&resolveRevisits=true&fl=orig.filename,mimetype,statuscode&limit=1", []string{one(t, x, Query{URL: "example.com"}).Filename + " text/html 200"}},
		{"url=example.org", nil},
		{"url=example.com&page=0&fl=timestamp&limit=1", home[:1]},
	} {
		status, got := get(test.query + "&output=text")
		var lines []string
		if got != "" {
			lines = strings.Split(strings.TrimSuffix(got, "\n"), "\n")
		}
		if status != 200 || !slices.Equal(lines, test.want) {
			t.Errorf("%s: %d\n%s\nwant\n%s", test.query, status, got, strings.Join(test.want, "\n"))
		}
	}
	// cdxj is what the index of a WARC has; json is the same as objects.
	_, got := get("url=example.com")
	sc := bufio.NewScanner(strings.NewReader(got))
	n := 0
	for ; sc.Scan(); n++ {
		l, err := cdx.ParseLine(sc.Bytes())
		if err != nil || l.Key != "com,example)/" || l.URL != "http://example.com/" || l.Filename == "" || l.Offset <= 0 {
			t.Errorf("%s: %+v, %v", sc.Text(), l, err)
		}
	}
	if n != 5 {
		t.Errorf("cdxj: %s", got)
	}
	_, got = get("url=http://example.com/a%20b&output=json&fl=urlkey,original,offset,nothing")
	var object map[string]string
	if err := json.Unmarshal([]byte(got), &object); err != nil || object["urlkey"] != "com,example)/a%20b" || object["url"] != "http://example.com/a b" || object["offset"] == "" || len(object) != 3 {
		t.Errorf("json: %s, %v", got, err)
	}
	_, got = get("url=example.com&showNumPages=true")
	if got != `{"blocks": 1, "pages": 1, "pageSize": 5}`+"\n" {
		t.Errorf("showNumPages: %s", got)
	}
	for _, query := range []string{"", "url=", "url=x&matchType=near", "url=x&limit=0", "url=x&limit=a", "url=x&from=20", "url=x&from=20261399", "url=x&sort=closest", "url=x&sort=up", "url=x*&closest=2026",
		"url=x&filter=~url:(", "url=x&output=xml", "url=x&page=-1", "url=x&page=1", "url=x&pageSize=0", "url=x&collapse=a:b", "url=x&fliter=a", "url=x&url=y", "url=urn:x&matchType=host", "%zz"} {
		status, got := get(query)
		var answer struct{ Message string }
		if err := json.Unmarshal([]byte(got), &answer); status != 400 || err != nil || answer.Message == "" {
			t.Errorf("%q: %d %s", query, status, got)
		}
	}
	if res, err := http.Post(server.URL, "text/plain", nil); err != nil || res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", res, err)
	}
}

// TestCDXPages reads a large answer page by page.
func TestCDXPages(t *testing.T) {
	x := benchIndex(t, 12_345)
	ask := func(query string) string {
		w := httptest.NewRecorder()
		x.CDXServer().ServeHTTP(w, httptest.NewRequest("GET", "/cdx?url=*.plaza.example&fl=url,timestamp&output=text&pageSize=2&"+query, nil))
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return w.Body.String()
	}
	if got := ask("showNumPages=true"); got != `{"blocks": 13, "pages": 7, "pageSize": 2}`+"\n" {
		t.Fatal(got)
	}
	pages := ""
	for page := range 7 {
		pages += ask(fmt.Sprint("page=", page))
	}
	if whole := ask(""); pages != whole || strings.Count(whole, "\n") != 12_345 {
		t.Errorf("the pages have %d lines, the whole answer %d", strings.Count(pages, "\n"), strings.Count(whole, "\n"))
	}
}

func TestParseTimestamp(t *testing.T) {
	for _, test := range []struct {
		text string
		last bool
		want string
	}{{"2024", false, "20240101000000"}, {"2024", true, "20241231235959"}, {"202402", true, "20240229235959"}, {"20240229", true, "20240229235959"},
		{"2024022923", true, "20240229235959"}, {"202402292358", true, "20240229235859"}, {"20240229235958", true, "20240229235958"}} {
		got, err := ParseTimestamp(test.text, test.last)
		if err != nil || cdx.Timestamp(got) != test.want {
			t.Errorf("%s, %v: %v, %v", test.text, test.last, got, err)
		}
	}
	for _, text := range []string{"", "1", "20231", "20230229", "2024-01", "202401011200000"} {
		if got, err := ParseTimestamp(text, false); err == nil {
			t.Errorf("%q is %v", text, got.Format(time.RFC3339))
		}
	}
}

// FuzzCDXRequest asks with any parameters: each is answered, and nothing that was
// not asked for comes.
func FuzzCDXRequest(f *testing.F) {
	x := benchIndex(f, 100)
	for _, seed := range []string{"url=*.plaza.example", "url=https://h1.plaza.example/*&filter=~url:.*&limit=3&sort=reverse", "url=a&closest=2026&fl=a,b&output=json", "url=urn:x&matchType=host", "url=%00&page=1&pageSize=2&showNumPages=1", "url=x&collapse=timestamp:3&collapseTime=2&resolveRevisits=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/cdx", nil)
		r.URL.RawQuery = query
		x.CDXServer().ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 {
			t.Fatalf("%q: %d", query, w.Code)
		}
		values, err := url.ParseQuery(query)
		if err == nil && w.Code == 200 && values.Get("limit") == "1" && strings.Count(w.Body.String(), "\n") > 1 {
			t.Fatalf("%q: more than one line\n%s", query, w.Body)
		}
	})
}
