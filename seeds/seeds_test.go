package seeds

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/reddit"
	"github.com/refrain-archive/refrain/crawlers/tumblr"
	"github.com/refrain-archive/refrain/crawlers/web"
)

func collectors() []crawlers.Collector {
	return []crawlers.Collector{reddit.Collector{}, tumblr.Collector{}, web.Collector{}}
}

// show writes what a list holds, one target or fault a line.
func show(l *List) string {
	var b strings.Builder
	for _, f := range l.Found {
		b.WriteString(f.Place + " " + f.Ref.Key())
		if len(f.Also) > 0 {
			b.WriteString(" also " + strings.Join(f.Also, ", "))
		}
		b.WriteByte('\n')
	}
	for _, f := range l.Faults {
		b.WriteString(f.Place + " ! " + f.Text + "\n")
	}
	return strings.TrimSpace(b.String())
}

func TestLists(t *testing.T) {
	for _, test := range []struct{ name, data, form, want string }{
		{"plain list", "# accounts\nhttps://ana.tumblr.com/\n\nr/bridges # a subreddit\nhttps://www.reddit.com/r/Bridges/\nsee https://old.reddit.com/user/ana, and more\nnot a seed at all\n", "text",
			"line 2 tumblr:account:ana\nline 4 reddit:group:bridges also line 5\nline 6 reddit:account:ana\nline 7 ! not a seed at all"},
		{"list with a heading", "accounts\nana.tumblr.com\n", "text", "line 2 tumblr:account:ana"},
		{"Windows and Mac line ends", "https://ana.tumblr.com/\r\nr/a_b\rr/c_d", "text", "line 1 tumblr:account:ana\nline 2 reddit:group:a_b\nline 3 reddit:group:c_d"},
		{"addresses in any column", "name,notes,where\nAna,\"a, friend\",https://ana.tumblr.com/\nBela,,n/a\nCleo,old,http://www.reddit.com/u/cleo/\n", "CSV",
			"line 2, column 3 tumblr:account:ana\nline 4, column 3 reddit:account:cleo"},
		{"several columns", "name;blog;forum\nAna;https://ana.tumblr.com/;r/bridges\nBela;;https://reddit.com/r/bridges\n", "CSV",
			"line 2, column 2 tumblr:account:ana\nline 2, column 3 reddit:group:bridges also line 3, column 3"},
		{"no names", "1\thttps://ana.tumblr.com/\tx\n2\thttps://bela.tumblr.com/\ty\n", "CSV", "line 1, column 2 tumblr:account:ana\nline 2, column 2 tumblr:account:bela"},
		{"platform and handle", "Platform,Handle,Followers\nTumblr,@ana,10\nreddit,@bela,20\nMySpace,@cleo,3\nTumblr,-,\nTumblr,dora,\nTumblr,eva,\nTumblr,eva,\nReddit,fay,\n", "CSV",
			"line 2, column 2 tumblr:account:ana\nline 3, column 2 reddit:account:bela\nline 6, column 2 tumblr:account:dora\nline 7, column 2 tumblr:account:eva also line 8, column 2\nline 9, column 2 reddit:account:fay\nline 4, column 1 ! MySpace"},
		{"texts of posts are no seeds", "author,text,url\nana,look at https://spam.example/ it is really a very good page,https://ana.tumblr.com/post/123\n", "CSV", "line 2, column 3 tumblr:post:123"},
		{"no seeds", "a,b\n1,2\n3,4\n", "CSV", "line 2, column 1 ! 1"},
		{"domains under a name", "website,n\nana.tumblr.com,1\nbela.tumblr.com/tagged/x,2\n", "CSV", "line 2, column 1 tumblr:account:ana\nline 3, column 1 tumblr:tag:x@bela"},
		{"utf-16", "\xff\xfer\x00/\x00a\x00b\x00\n\x00", "text", "line 1 reddit:group:ab"},
		{"empty", "", "text", ""},
	} {
		l, err := Read([]byte(test.data), collectors())
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := show(l); got != test.want || l.Form != test.form {
			t.Errorf("%s (%s): got\n%s\nwant\n%s", test.name, l.Form, got, test.want)
		}
	}
}

// workbook makes an XLSX file of its parts.
func workbook(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range parts {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var book = map[string]string{
	"[Content_Types].xml":        `<Types/>`,
	"xl/workbook.xml":            `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Accounts" sheetId="1" r:id="rId1"/><sheet name="Empty" sheetId="2" r:id="rId2"/></sheets></workbook>`,
	"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Target="/xl/worksheets/sheet2.xml"/></Relationships>`,
	"xl/sharedStrings.xml":       `<sst><si><t>name</t></si><si><t>page</t></si><si><r><t>https://ana.</t></r><r><t>tumblr.com/</t></r></si></sst>`,
	"xl/worksheets/sheet1.xml": `<worksheet xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>
<row r="3"><c r="A3" t="inlineStr"><is><t>Ana</t></is></c><c r="B3"><v>12</v></c><c r="C3" t="s"><v>2</v></c></row>
<row r="4"><c r="A4" t="inlineStr"><is><t>Bela</t></is></c><c r="C4" t="inlineStr"><is><t>Bela's page</t></is></c></row>
<row r="5"><c r="C5" t="str"><f>A1</f><v>r/bridges</v></c></row></sheetData>
<hyperlinks><hyperlink ref="C4" r:id="rId9"/></hyperlinks></worksheet>`,
	"xl/worksheets/_rels/sheet1.xml.rels": `<Relationships><Relationship Id="rId9" Target="https://bela.tumblr.com/" TargetMode="External"/></Relationships>`,
	"xl/worksheets/sheet2.xml":            `<worksheet><sheetData/></worksheet>`,
}

func TestXLSX(t *testing.T) {
	l, err := Read(workbook(t, book), collectors())
	if err != nil {
		t.Fatal(err)
	}
	want := "Accounts!C3 tumblr:account:ana\nAccounts!C4 tumblr:account:bela\nAccounts!C5 reddit:group:bridges"
	if got := show(l); got != want || l.Form != "XLSX" || strings.Join(l.Columns, ",") != "page" {
		t.Errorf("%s %v: got\n%s\nwant\n%s", l.Form, l.Columns, got, want)
	}
}

func TestRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"old Excel": {0xd0, 0xcf, 0x11, 0xe0, 0, 0}, "picture": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00"), "cut ZIP": workbook(t, book)[:200],
		"other ZIP":              workbook(t, map[string]string{"content.xml": "<x/>"}),
		"column beyond the last": workbook(t, map[string]string{"xl/workbook.xml": book["xl/workbook.xml"], "xl/_rels/workbook.xml.rels": book["xl/_rels/workbook.xml.rels"], "xl/worksheets/sheet1.xml": `<worksheet><sheetData><row r="1"><c r="ZZZ1"><v>1</v></c></row></sheetData></worksheet>`}),
	} {
		if l, err := Read(data, collectors()); err == nil {
			t.Errorf("%s is taken: %+v", name, l)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("https://ana.tumblr.com/\nr/bridges # x\n"))
	f.Add([]byte("Platform,Handle\nTumblr,@ana\n"))
	f.Add([]byte("a;b\n\"https://x.example/;\";2\n"))
	f.Add(workbook(f, book))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Read(data, collectors())
		if err != nil {
			return
		}
		for _, found := range l.Found {
			if found.Place == "" || found.Ref.Platform == "" || found.Seed.URL == nil {
				t.Errorf("%+v", found)
			}
		}
	})
}
