package corpus

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// part leaves of a post what Since says.
func part(p post.Post) post.Post {
	q := post.Post{Platform: p.Platform, ID: p.ID, Kind: p.Kind, Title: p.Title, Text: p.Text, Lang: p.Lang, Links: p.Links, Hashtags: p.Hashtags, Mentions: p.Mentions}
	for _, m := range p.Media {
		q.Media = append(q.Media, post.Media{Kind: m.Kind, URL: m.URL})
	}
	for _, r := range p.Refs {
		q.Refs = append(q.Refs, post.Ref{Role: r.Role, ID: r.ID})
	}
	return q
}

func full() post.Post {
	at := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	p := post.Post{Platform: "x", ID: "1790", Kind: post.KindPost, URL: "https://x.com/ana/status/1790", Account: post.Account{Platform: "x", ID: "7", Handle: "ana", Name: "Ana \"A\""},
		Title: "<b> & \u2028", Text: strings.Repeat("the harbour bridge\twill close \U0001f309 \\ \"quoted\"\n", 8) + "\x00\xff", Lang: "en", Created: post.Exact(at, "2026-03-02T11:00:00Z"), FetchedAt: at,
		Media:    []post.Media{{Kind: "image", URL: "https://cdn.example/a.jpg?s=1&t=2", Alt: "a bridge", Width: 3}, {}},
		Links:    []string{"https://example.com/?a=1&b=<2>", ""},
		Hashtags: []string{"Brücke"}, Mentions: []string{"bea"}, Tags: []string{"flair"}, Thread: "5",
		Refs: []post.Ref{{Role: post.RoleRepostOf, ID: "12", Account: "bea", Order: 1}}, Capture: post.Capture{RecordID: "urn:uuid:1"}}
	for _, name := range []string{"likes", "reposts", "views", "comments"} {
		p.Counts = append(p.Counts, post.Count{Name: name, Value: 12, Precision: post.PrecisionExact, State: post.StatePresent})
	}
	return p
}

// The part is what reading the whole gives.
func FuzzReadPart(f *testing.F) {
	for _, p := range []post.Post{full(), {}, {Platform: "web", ID: "ü", Text: "\ufeff"}} {
		body, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(`{"text":"\ud800 \/ \u0000","links":null,"media":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var whole, got post.Post
		if readWhole(body, &whole) != nil {
			_ = readPart(body, &got)
			return
		}
		again, err := json.Marshal(whole) // as Ingest stores it
		if err != nil {
			return
		}
		whole = post.Post{}
		if err := readWhole(again, &whole); err != nil {
			t.Skip()
		}
		if err := readPart(again, &got); err != nil {
			t.Fatal(err)
		}
		a, b := part(whole), got
		for _, l := range []*[]string{&a.Links, &a.Hashtags, &a.Mentions, &b.Links, &b.Hashtags, &b.Mentions} {
			if len(*l) == 0 {
				*l = nil
			}
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%+v\nread whole %+v", b, a)
		}
	})
}

func BenchmarkSincePart(b *testing.B)  { benchmarkRead(b, readPart) }
func BenchmarkSinceWhole(b *testing.B) { benchmarkRead(b, readWhole) }

func benchmarkRead(b *testing.B, read func([]byte, *post.Post) error) {
	body, err := json.Marshal(full())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var p post.Post
		if err := read(body, &p); err != nil {
			b.Fatal(err)
		}
	}
}
