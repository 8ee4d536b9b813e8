package post

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("post.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("post.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, p Post) error {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func full() Post {
	return Post{
		Platform: "tumblr", ID: "9007199254740993", Kind: KindPost, URL: "https://www.tumblr.com/ana/9007199254740993",
		Account: Account{Platform: "tumblr", ID: "t:abc", Handle: "ana", Created: Between(time.Time{}, noon, "", SourceID), Counts: []Count{HiddenCount("followers")}},
		Text:    "hello", Lang: "pt-BR", Created: Exact(noon, ""), Edited: Between(noon, noon.Add(time.Hour), "an hour ago", SourceRelative), FetchedAt: noon,
		Counts: []Count{ExactCount("notes", 0), RoundedCount("views", 26000)}, Media: []Media{{Kind: MediaVideo, URL: "https://v.example/1.mp4", Duration: 1.5}},
		Links: []string{"https://a.example/"}, Hashtags: []string{"x"}, Mentions: []string{"bob"}, Tags: []string{"news"}, Thread: "1",
		Refs:    []Ref{{Role: RoleTrail, ID: "8", Account: "bob", Order: 1}},
		Outcome: OKPartial, Capture: Capture{RecordID: "urn:uuid:1", File: "a.warc.gz"}, Reader: "tumblr/1",
	}
}

func TestPostPassesItsSchema(t *testing.T) {
	s := compile(t)
	if err := valid(t, s, full()); err != nil {
		t.Error(err)
	}
	for _, k := range Kinds() {
		p := full()
		p.Kind = k
		if err := valid(t, s, p); err != nil {
			t.Errorf("kind %s: %v", k, err)
		}
	}
	for _, o := range Outcomes() {
		p := full()
		p.Outcome = o
		if err := valid(t, s, p); err != nil {
			t.Errorf("outcome %s: %v", o, err)
		}
	}
}

func TestSchemaRefuses(t *testing.T) {
	s := compile(t)
	for name, spoil := range map[string]func(*Post){
		"no id":            func(p *Post) { p.ID = "" },
		"unknown platform": func(p *Post) { p.Platform = "plaza" },
		"unknown kind":     func(p *Post) { p.Kind = "note" },
		"unknown outcome":  func(p *Post) { p.Outcome = "gone" },
		"exact and open":   func(p *Post) { p.Created.From = noon },
		"local time":       func(p *Post) { p.FetchedAt = noon.In(time.FixedZone("", 3600)) },
		"relative URL":     func(p *Post) { p.URL = "/a" },
		"empty link":       func(p *Post) { p.Links = []string{""} },
		"count word":       func(p *Post) { p.Counts[0].Name = "" },
		"reader":           func(p *Post) { p.Reader = "tumblr" },
		"media kind":       func(p *Post) { p.Media[0].Kind = "gif" },
		"ref role":         func(p *Post) { p.Refs[0].Role = "child" },
	} {
		p := full()
		spoil(&p)
		if valid(t, s, p) == nil {
			t.Errorf("%s: the schema accepts it", name)
		}
	}
}

func TestMissingIsNotZero(t *testing.T) {
	data, err := json.Marshal(Post{Platform: "web", ID: "1", Kind: KindPage})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"platform":"web","id":"1","kind":"page"}`; string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
}

func TestEveryOutcomeHasAScope(t *testing.T) {
	seen := map[Outcome]bool{}
	for _, o := range Outcomes() {
		if o.Scope() == "" || seen[o] {
			t.Errorf("outcome %s: scope %q, twice %v", o, o.Scope(), seen[o])
		}
		seen[o] = true
	}
	if Outcome("gone").Scope() != "" {
		t.Error("an unknown outcome has a scope")
	}
}

func TestTime(t *testing.T) {
	exact, open := Exact(noon, "x"), Between(time.Time{}, noon, strings.Repeat("x", 3), SourceRelative)
	if exact.Earliest() != noon || exact.Latest() != noon || !open.Earliest().IsZero() || open.Latest() != noon || (Time{}).IsZero() != true || open.IsZero() {
		t.Errorf("%+v %+v", exact, open)
	}
}
