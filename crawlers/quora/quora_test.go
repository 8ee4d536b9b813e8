package quora

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(address string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: address, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

const (
	fog  = "https://www.quora.com/Why-does-fog-gather-in-a-harbour"
	mira = "https://www.quora.com/profile/Mira-Okafor-2"
)

// cases are our own files, each of a real shape, with the outcome they stand
// for; those with a dot in their name have a golden file.
func cases(t testing.TB) []crawlertest.Case {
	page := func(title, words string) []byte {
		return []byte("<!DOCTYPE html><html><head><title>" + title + "</title></head><body><p>" + words + "</p></body></html>")
	}
	return []crawlertest.Case{
		{Name: "question.html", Exchange: exchange(fog, 200, file(t, "question.html")), Outcome: post.OKPartial, Posts: 7},
		{Name: "question_2021.html", Exchange: exchange(fog, 200, file(t, "question_2021.html")), Outcome: post.OK, Posts: 2},
		{Name: "question_2015.html", Exchange: exchange(fog, 200, file(t, "question_2015.html")), Outcome: post.OKPartial, Posts: 4},
		{Name: "question_qapage.html", Exchange: exchange(fog, 200, file(t, "question_qapage.html")), Outcome: post.OKPartial, Posts: 2},
		{Name: "question_saved.html", Exchange: exchange(fog, 0, file(t, "question_saved.html")), Outcome: post.OKPartial, Posts: 3},
		{Name: "question_deleted.html", Exchange: exchange(fog, 200, file(t, "question_deleted.html")), Outcome: post.Deleted, Posts: 1},
		{Name: "answer.html", Exchange: exchange(fog+"/answer/Mira-Okafor-2", 200, file(t, "answer.html")), Outcome: post.OK, Posts: 1},
		{Name: "answer_gated.html", Exchange: exchange(fog+"/answer/Mira-Okafor-3", 200, file(t, "answer_gated.html")), Outcome: post.MembersOnly, Posts: 1},
		{Name: "profile.html", Exchange: exchange(mira, 200, file(t, "profile.html")), Outcome: post.OK, Posts: 1},
		{Name: "profile_banned.html", Exchange: exchange("https://www.quora.com/profile/Bad-Actor-1", 200, file(t, "profile_banned.html")), Outcome: post.Suspended, Posts: 1},
		{Name: "topic.html", Exchange: exchange("https://www.quora.com/topic/Weather", 200, file(t, "topic.html")), Outcome: post.OKMetaOnly},
		{Name: "space_post.html", Exchange: exchange("https://harbourlog.quora.com/Morning-log", 200, file(t, "space_post.html")), Outcome: post.OK, Posts: 2},
		{Name: "graphql.json", Exchange: exchange("https://www.quora.com/graphql/gql_para_POST?q=QuestionPagedListPaginationQuery", 200, file(t, "graphql.json")), Outcome: post.OK, Posts: 1},

		{Name: "another question", Step: crawlers.Step{Ref: questionRef("", "Another-question")}, Exchange: exchange("https://www.quora.com/Another-question", 200, file(t, "question.html")), Outcome: post.LayoutChanged},
		{Name: "another answer", Step: crawlers.Step{Ref: answerRef("", "Another-question", "Jon")}, Exchange: exchange("https://www.quora.com/Another-question/answer/Jon", 200, file(t, "answer.html")), Outcome: post.LayoutChanged},
		{Name: "another profile", Step: crawlers.Step{Ref: accountRef("", "Jon-Reyes-4")}, Exchange: exchange("https://www.quora.com/profile/Jon-Reyes-4", 200, file(t, "profile.html")), Outcome: post.LayoutChanged},
		{Name: "a merged answer", Step: crawlers.Step{Ref: answerRef("", "What-makes-harbour-fog", "Mira-Okafor-2")}, Exchange: exchange("https://www.quora.com/What-makes-harbour-fog/answer/Mira-Okafor-2", 200, file(t, "answer.html")), Outcome: post.OK, Posts: 1},
		{Name: "challenge", Exchange: exchange(fog, 403, []byte(crawlertest.ChallengePage), "Cf-Mitigated", "challenge"), Outcome: post.Challenge},
		{Name: "rate limited", Exchange: exchange(fog, 429, page("Slow down", "")), Outcome: post.RateLimited},
		{Name: "a shell", Exchange: exchange(fog, 200, page("Quora", "")), Outcome: post.LayoutChanged},
		{Name: "removed", Exchange: exchange(fog, 200, page("Question", "This question was deleted.")), Outcome: post.Removed},
		{Name: "banned", Exchange: exchange(mira, 200, page("Profile", "This account is banned.")), Outcome: post.Suspended},
		{Name: "not found", Exchange: exchange(fog, 404, page("(1) Error", "Page Not Found")), Outcome: post.NotFound},
		{Name: "server error", Exchange: exchange(fog, 502, page("Bad gateway", "")), Outcome: post.ServerError},
		{Name: "login", Exchange: exchange(fog, 302, nil, "Location", "/login?next=x"), Outcome: post.LoginWall},
		{Name: "renamed question", Exchange: exchange(fog, 301, nil, "Location", "/What-makes-harbour-fog"), Outcome: post.OK},
		{Name: "an old profile", Exchange: exchange("https://www.quora.com/Mira-Okafor-2", 301, nil, "Location", "/profile/Mira-Okafor-2"), Outcome: post.OK},
		{Name: "short link", Exchange: exchange("https://qr.ae/AbCdEf", 302, nil, "Location", fog+"?ch=17&oid=1&share=ab&srid=x&target_type=question"), Outcome: post.OK},
		{Name: "short link to nothing", Exchange: exchange("https://qr.ae/AbCdEf", 302, nil, "Location", "https://www.quora.com/"), Outcome: post.NotFound},
		{Name: "an empty query", Exchange: exchange(fog, 200, []byte(`<html><script>window.ansFrontendGlobals.data.inlineQueryResults.results["a"].push("{\"data\":{\"question\":null,\"viewer\":{\"id\":\"x\"}}}");</script></html>`)), Outcome: post.NotFound},
		{Name: "cut within the data", Exchange: exchange(fog, 200, file(t, "question_2021.html")[:2400]), Outcome: post.CutBody},
	}
}

func TestContract(t *testing.T) {
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{fog, "http://quora.com/Why-does-fog-gather-in-a-harbour/?share=1&srid=x&ch=3&oid=4", "https://www.quora.com/unanswered/Why-does-fog-gather-in-a-harbour", "https://www.quora.com/Weather/Why-does-fog-gather-in-a-harbour", "https://m.quora.com/Why-does-fog-gather-in-a-harbour#x", "https://www.quora.com/Why-does-fog-gather-in-a-harbour/log"},
			{"https://es.quora.com/Por-qu%C3%A9-hay-niebla", "https://es.quora.com/Por-qué-hay-niebla?share=1"},
			{"https://jp.quora.com/Why-does-fog-gather-in-a-harbour"},
			{fog + "/answer/Mira-Okafor-2", "https://www.quora.com/Weather/Why-does-fog-gather-in-a-harbour/answer/Mira-Okafor-2?ch=1", fog + "/answer/Mira-Okafor-2/comment/7"},
			{fog + "/answers/8000203", fog + "/answers/8000203?share=1"},
			{mira, mira + "/answers", mira + "/questions?x=1", "http://quora.com/profile/Mira-Okafor-2/"},
			{"https://www.quora.com/topic/Weather", "https://www.quora.com/topic/Weather/top_questions"},
			{"https://harbourlog.quora.com/", "https://harbourlog.quora.com", "https://www.quora.com/q/harbourlog", "https://harbourlog.quora.com/about"},
			{"https://harbourlog.quora.com/Morning-log", "https://www.quora.com/q/harbourlog/Morning-log?share=1"},
			{"https://qr.ae/AbCdEf", "http://qr.ae/AbCdEf/"},
		},
		ForeignURLs: []string{"https://www.quora.com/", "https://www.quora.com/search?q=fog", "https://www.quora.com/about", "https://www.quora.com/login", "https://help.quora.com/hc", "https://log.quora.com/x", "https://www.quora.com/robots.txt", "https://notquora.com/A-b", "https://quora.example/A-b", "https://www.quora.com.example.org/A-b", "https://www.quora.com/graphql/gql_para_POST", "https://qr.ae/", "https://www.quora.com/profile/", "https://qph.cf2.quoracdn.net/main-qimg-x"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			{URL: "https://ana.example/q", Body: file(t, "question.html")},
			{Body: []byte(`<html><head><link rel="canonical" href="https://www.quora.com/A-b"></head><body>A copy</body></html>`)},
			{Body: []byte(`{"data":{"children":[{"data":{"id":"abc"}}]}}`)}, {Body: []byte(`{"uid":"12345","name":"x"}`)}, {Body: []byte(`{"cid":5,"content":"x"}`)}, {Body: []byte(`[]`)},
		},
	})
}

func TestPure(t *testing.T) { crawlertest.Imports(t, ".") }

// TestGolden compares what Read gives with the golden files, with the address
// and without.
func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			ref, ok := New().Identify(k.Exchange)
			if !ok {
				t.Fatal("Identify refuses it")
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", " ")
			if err := enc.Encode(map[string]any{"ref": ref.Key(), "outcome": page.Outcome, "reason": page.Reason, "posts": page.Posts, "identities": page.Identities, "coverage": page.Coverage, "assets": page.Assets}); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("%s differs; run go test -update and look at the change\ngot:\n%s", path, b.Bytes())
			}
			bare := k.Exchange
			bare.URL = ""
			again, ok := New().Identify(bare)
			if !ok {
				t.Fatal("without an address it is not known as Quora's")
			}
			if p, err := crawlers.Read(New(), crawlers.Step{Ref: again}, bare); err != nil || len(p.Posts) != len(page.Posts) {
				t.Errorf("without an address: %d posts, want %d (%v)", len(p.Posts), len(page.Posts), err)
			}
		})
	}
}

// TestGated checks that words which the page marks as not open to the viewer
// are not taken.
func TestGated(t *testing.T) {
	for _, k := range cases(t) {
		ref, _ := New().Identify(k.Exchange)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
		if err != nil {
			t.Fatal(err)
		}
		if data, _ := json.Marshal(page); bytes.Contains(data, []byte("Words behind the wall")) {
			t.Errorf("%s: the words of a gated answer are in the page", k.Name)
		}
	}
}

func TestRedirects(t *testing.T) {
	want := map[string]string{"renamed question": "https://www.quora.com/What-makes-harbour-fog", "an old profile": mira, "short link": fog}
	for _, k := range cases(t) {
		if want[k.Name] == "" {
			continue
		}
		ref, _ := New().Identify(k.Exchange)
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, k.Exchange)
		if err != nil || len(page.Next) != 1 {
			t.Fatalf("%s: %+v %v", k.Name, page, err)
		}
		if req, err := New().Request(page.Next[0]); err != nil || req.URL != want[k.Name] {
			t.Errorf("%s: next request %s %v, want %s", k.Name, req.URL, err, want[k.Name])
		}
	}
}

func TestReadItem(t *testing.T) {
	p, ok := ReadItem([]byte(`{"__typename":"Answer","aid":8000202,"content":"{\"sections\":[{\"spans\":[{\"text\":\"Fog\",\"modifiers\":{}}],\"type\":\"plain\"}]}","creationTime":1700000000123456,"author":{"uid":43,"profileUrl":"/profile/Jon","names":[{"givenName":"Jon ","familyName":"Reyes "}]}}`))
	if !ok || p.ID != "8000202" || p.Text != "Fog" || p.Account.Name != "Jon Reyes" || p.Created.Time.Nanosecond() != 123456000 {
		t.Errorf("%+v %v", p, ok)
	}
	for _, raw := range []string{"", "null", "{}", "[]", `{"aid":1}`, `{"qid":7,"id":"x"}`} {
		if p, ok := ReadItem([]byte(raw)); ok {
			t.Errorf("%s is taken for %+v", raw, p)
		}
	}
}

func TestLiteral(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{`"a\"b\\n\u003c\x3Ec" rest`, `a"b\n<>c`},
		{`'it\'s "fine"');`, `it's "fine"`},
		{`"\ud83d\ude00 \u2014"`, `\ud83d\ude00 \u2014`}, // left to the JSON in it
		{`{"a":"}"};x`, `{"a":"}"}`},
	} {
		got, size, ok := literal([]byte(test.in))
		if !ok || string(got) != test.want || size == 0 {
			t.Errorf("literal(%s) = %s, %d, %v, want %s", test.in, got, size, ok, test.want)
		}
	}
	for _, in := range []string{``, `"open`, `"a\`, `"\u12"`, `x`, "\"a\nb\""} {
		if got, _, ok := literal([]byte(in)); ok {
			t.Errorf("literal(%q) = %q", in, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Status, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, address string, status int, body []byte) {
		ex := crawlers.Exchange{URL: address, Status: status, Body: body}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = questionRef("", "A-b")
		}
		page, err := New().Read(crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Next {
			if _, err := New().Request(s); err != nil {
				t.Errorf("next step %s: %v", s.Key(), err)
			}
		}
		if _, err := json.Marshal(page); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkPage reads a question's page of the usual size, most of which is
// scripts without data.
func BenchmarkPage(b *testing.B) {
	filler := `<script type="text/javascript">window.manifest = {` + strings.Repeat(`"a":"https://qsbr.example/x.webpack",`, 4000) + `};</script>`
	body := bytes.Replace(file(b, "question.html"), []byte("<body>"), []byte("<body>"+filler), 1)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if page, err := crawlers.Read(New(), crawlers.Step{Ref: questionRef("", "Why-does-fog-gather-in-a-harbour")}, crawlers.Exchange{URL: fog, Status: 200, Body: body}); err != nil || len(page.Posts) != 7 {
			b.Fatal(err, len(page.Posts))
		}
	}
}

// BenchmarkAnswers reads data that is nothing but answers.
func BenchmarkAnswers(b *testing.B) {
	one := file(b, "graphql.json")
	var list [][]byte
	for i := range 50 {
		list = append(list, bytes.ReplaceAll(bytes.TrimSpace(one), []byte("8000202"), fmt.Appendf(nil, "80%02d", i)))
	}
	body := []byte("[" + string(bytes.Join(list, []byte(","))) + "]")
	b.SetBytes(int64(len(body)))
	n := 0
	for b.Loop() {
		page, err := crawlers.Read(New(), crawlers.Step{Ref: questionRef("", "A-b")}, crawlers.Exchange{Status: 200, Body: body})
		if err != nil || len(page.Posts) != 50 {
			b.Fatal(err, len(page.Posts))
		}
		n += len(page.Posts)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "posts/s")
}
