package textenc_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/transform"

	"github.com/refrain-archive/refrain/internal/textenc"
)

func encode(t testing.TB, name, s string) []byte {
	t.Helper()
	e, _ := charset.Lookup(name)
	if e == nil {
		t.Fatalf("no charset %s", name)
	}
	b, _, err := transform.Bytes(e.NewEncoder(), []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHTML(t *testing.T) {
	const (
		russian  = "Съешь ещё этих мягких французских булок, да выпей чаю. Широкая электрификация южных губерний даст мощный толчок подъёму сельского хозяйства."
		chinese  = "這是一個測試頁面,用來檢查編碼。"
		mainland = "这是一个测试页面,用来检查编码。"
		japanese = "これは文字コードを確かめるためのページです。"
		german   = "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."
	)
	meta := func(name string) string { return `<html><head><meta charset="` + name + `"></head><p>` }
	for _, test := range []struct {
		name        string
		body        []byte
		contentType string
		want        string
		charset     string
	}{
		{"header", encode(t, "big5", "<p>"+chinese), "text/html; charset=Big5", chinese, "big5"},
		{"quoted header", encode(t, "shift_jis", "<p>"+japanese), `text/html; charset="Shift_JIS"`, japanese, "shift_jis"},
		{"meta", encode(t, "gb18030", meta("gb18030")+mainland), "text/html", mainland, "gb18030"},
		{"gb2312 is gbk", encode(t, "gbk", meta("gb2312")+mainland), "", mainland, "gbk"},
		{"http-equiv", encode(t, "windows-1251", `<META HTTP-EQUIV=Content-Type CONTENT="text/html; charset=windows-1251"><p>`+russian), "", russian, "windows-1251"},
		{"koi8-r", encode(t, "koi8-r", meta("koi8-r")+russian), "", russian, "koi8-r"},
		{"meta in a comment does not count", []byte(`<!-- <meta charset="koi8-r"> -->` + meta("utf-8") + russian), "", russian, "utf-8"},
		{"header wins over meta", encode(t, "windows-1251", meta("koi8-r")+russian), "text/html; charset=windows-1251", russian, "windows-1251"},
		{"a header of utf-8 that the bytes belie", encode(t, "windows-1251", meta("windows-1251")+russian), "text/html; charset=utf-8", russian, "windows-1251"},
		{"a server's default over UTF-8", []byte("<p>" + german), "text/html; charset=ISO-8859-1", german, "utf-8"},
		{"nothing declared, UTF-8", []byte("<p>" + russian), "", russian, "utf-8"},
		{"nothing declared, Cyrillic", encode(t, "windows-1251", "<p>"+russian+russian), "", russian, "windows-1251"},
		{"BOM", append([]byte("\xef\xbb\xbf"), "<p>"+german...), "text/html; charset=windows-1252", german, "utf-8"},
		{"UTF-16", append([]byte("\xff\xfe"), encode(t, "utf-16le", "<p>"+russian)...), "", russian, "utf-16le"},
	} {
		text, name := textenc.HTML(test.body, test.contentType)
		if name != test.charset || !strings.Contains(string(text), test.want) {
			t.Errorf("%s: charset %s, text %.80q", test.name, name, text)
		}
	}
}

func TestXML(t *testing.T) {
	const want = "Жизнь хороша"
	for _, test := range []struct {
		name        string
		body        []byte
		contentType string
		charset     string
	}{
		{"declaration", encode(t, "windows-1251", `<?xml version="1.0" encoding="windows-1251"?><a>`+want+`</a>`), "text/xml", "windows-1251"},
		{"us-ascii is nobody's wish", encode(t, "koi8-r", `<?xml version='1.0' encoding='KOI8-R'?><a>`+want+`</a>`), "text/xml; charset=us-ascii", "koi8-r"},
		{"declares Latin, is UTF-8", []byte(`<?xml version="1.0" encoding="iso-8859-1"?><a>` + want + `</a>`), "", "utf-8"},
		{"cut in a letter", []byte(`<?xml version="1.0" encoding="utf-8"?><a>` + want + `</a>` + "\xd0"), "", "utf-8"},
	} {
		text, name := textenc.XML(test.body, test.contentType)
		if name != test.charset || !strings.Contains(string(text), want) {
			t.Errorf("%s: charset %s, text %.80q", test.name, name, text)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add([]byte(`<meta charset="big5"><p>x`), "text/html; charset=x")
	f.Add([]byte("\xff\xfe<\x00"), "")
	f.Add([]byte("<?xml version='1.0' encoding='koi8-r'?>\xd0\xff"), "text/xml;charset=utf-8")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		for _, read := range []func([]byte, string) ([]byte, string){textenc.HTML, textenc.XML, textenc.Text} {
			if text, name := read(body, contentType); !utf8.Valid(text) || name == "" {
				t.Errorf("charset %q, valid %v", name, utf8.Valid(text))
			}
		}
	})
}
