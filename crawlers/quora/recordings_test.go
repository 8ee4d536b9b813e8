package quora

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/sharedtest"
	"github.com/refrain-archive/refrain/post"
)

// A fact is what the dumb extraction, or the eye, knows of a post. Counts that
// the file does not carry are -1.
type fact struct {
	author                    string // handle
	created                   time.Time
	upvotes, views, followers int64
}

var recordings = map[string]struct {
	address string
	status  int
	outcome post.Outcome
	total   int64
	facts   func(t *testing.T, data string) map[string]fact
	untaken string
}{
	"question_page_2026.html":             {"https://www.quora.com/How-should-I-start-learning-Python-1", 200, post.OKPartial, 910, facts2026, "related questions, advertisements, galleryData (the same pictures), credibilityFacts of authors, viewer and tracking members"},
	"question_1_2015.html":                {"https://www.quora.com/Is-there-a-proof-of-the-Four-Color-Theorem-that-does-not-involve-substantial-computation", 200, post.OK, 4, facts2015, "names of voters, related questions"},
	"wall_cloudflare_challenge_2026.html": {"https://www.quora.com/How-should-I-start-learning-Python-1", 403, post.Challenge, 0, func(*testing.T, string) map[string]fact { return nil }, ""},
}

// facts2026 undoes the escapes by text replacement and looks for single members
// after each aid.
func facts2026(t *testing.T, data string) map[string]fact {
	flat := strings.ReplaceAll(data, `\"`, `"`)
	facts := map[string]fact{"question:1070353": {"", time.Time{}, -1, -1, 7256}} // followers by eye
	for _, at := range regexp.MustCompile(`"aid": ?(\d+), ?"(?:id|isDeleted|originalQ)`).FindAllStringSubmatchIndex(flat, -1) {
		part := flat[at[0]:]
		number := func(key string) int64 {
			m := regexp.MustCompile(`"` + key + `": ?(\d+)`).FindStringSubmatch(part)
			if m == nil {
				t.Fatalf("no %s after %s", key, flat[at[2]:at[3]])
			}
			n, _ := strconv.ParseInt(m[1], 10, 64)
			return n
		}
		who := regexp.MustCompile(`"profileUrl": ?"/profile/([^"]+)"`).FindStringSubmatch(part)[1]
		facts[flat[at[2]:at[3]]] = fact{who, time.UnixMicro(number("creationTime")), number("numUpvotes"), number("numViews"), -1}
	}
	return facts
}

// facts2015 pairs the aids with the times by the order in the page's script, and
// with the authors by the order of the permanent links.
func facts2015(t *testing.T, data string) map[string]fact {
	all := func(expr string) (list []string) {
		for _, m := range regexp.MustCompile(expr).FindAllStringSubmatch(data, -1) {
			list = append(list, m[1])
		}
		return list
	}
	targets, times := all(`QuoteSelector\)\("[^"]*","",\{"target": \{"aid": (\d+)`), all(`"epoch_us": (\d+)`)
	ids, authors := all(`<a name="answer_(\d+)"`), all(`class="answer_permalink" href="[^"]*/answer/([^"]+)"`)
	votes := all(`class="vote_item_link add_upvote"[^>]*>Upvote<span class="[a-z_]*count">(\d+)<`)
	facts := map[string]fact{"question:3039949": {"", time.Time{}, -1, -1, 1}}
	for i, id := range ids {
		f := fact{author: authors[i], views: -1, followers: -1}
		f.upvotes, _ = strconv.ParseInt(votes[i], 10, 64)
		for j, target := range targets {
			if target == id {
				us, _ := strconv.ParseInt(times[j], 10, 64)
				f.created = time.UnixMicro(us)
			}
		}
		facts[id] = f
	}
	return facts
}

func TestRecordings(t *testing.T) {
	dir := sharedtest.Path(t, "recordings/quora")
	files, err := filepath.Glob(filepath.Join(dir, "*.html"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%-38s %5s  %-11s %s", "file", "posts", "outcome", "not taken")
	for _, path := range files {
		name := filepath.Base(path)
		rec, ok := recordings[name]
		if !ok {
			t.Errorf("%s is not known here", name)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		facts := rec.facts(t, string(data))
		for _, address := range []string{rec.address, ""} {
			ex := crawlers.Exchange{URL: address, Status: rec.status, Body: data}
			ref, ok := New().Identify(ex)
			if !ok {
				if address != "" || len(facts) > 0 {
					t.Errorf("%s at %q: Identify refuses it", name, address)
				}
				continue
			}
			page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
			if err != nil {
				t.Fatal(err)
			}
			if page.Outcome != rec.outcome || len(page.Posts) != len(facts) || page.Coverage.Total != rec.total {
				t.Errorf("%s: outcome %s (%s), %d posts of %d, want %s, %d of %d", name, page.Outcome, page.Reason, len(page.Posts), page.Coverage.Total, rec.outcome, len(facts), rec.total)
			}
			for i := range page.Posts {
				compare(t, &page.Posts[i], facts)
			}
			if address != "" {
				t.Logf("%-38s %5d  %-11s %s", name, len(page.Posts), page.Outcome, rec.untaken)
			}
		}
	}
}

func compare(t *testing.T, p *post.Post, facts map[string]fact) {
	t.Helper()
	f, ok := facts[p.ID]
	if !ok {
		t.Errorf("%s is not in the file", p.ID)
		return
	}
	if p.Account.Handle != f.author || p.Kind == post.KindAnswer && p.Account.Name == "" {
		t.Errorf("%s: account %+v, want %s", p.ID, p.Account, f.author)
	}
	if !p.Created.Time.Equal(f.created) {
		t.Errorf("%s: created %v, want %v", p.ID, p.Created, f.created)
	}
	counts := map[string]int64{"upvotes": -1, "views": -1, "followers": -1}
	for _, c := range p.Counts {
		counts[c.Name] = c.Value
	}
	if counts["upvotes"] != f.upvotes || counts["views"] != f.views || counts["followers"] != f.followers {
		t.Errorf("%s: counts %v, want %+v", p.ID, p.Counts, f)
	}
	if p.Title == "" || p.Kind == post.KindAnswer && p.Text == "" {
		t.Errorf("%s: no title or no text", p.ID)
	}
	if strings.Contains(p.Text, "suicide hotline") || strings.Contains(p.Text, "sections") || strings.Contains(p.Text, "Embed Quote") {
		t.Errorf("%s: text holds what is not the author's: %q", p.ID, p.Text)
	}
}

// TestRecordedDetails checks what was read by eye in the recordings.
func TestRecordedDetails(t *testing.T) {
	ex := crawlers.Exchange{Body: sharedtest.Read(t, "recordings/quora/question_page_2026.html")}
	ref, _ := New().Identify(ex)
	page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
	if err != nil {
		t.Fatal(err)
	}
	posts := map[string]post.Post{}
	for _, p := range page.Posts {
		posts[p.ID] = p
	}
	merged := posts["360473645"]
	if merged.Thread != "question:907" || !strings.Contains(strings.Join(merged.Tags, "|"), "merged_into:question:1070353") || len(merged.Media) != 2 || !merged.Edited.IsZero() {
		data, _ := json.Marshal(merged)
		t.Errorf("the merged answer: %s", data)
	}
	if machine := posts["1477743880833340"]; !strings.Contains(strings.Join(machine.Tags, "|"), "machine_answer") || !strings.Contains(machine.Text, "practice — condensed plan") {
		t.Errorf("the machine's answer: %v %.100q", machine.Tags, machine.Text)
	}
	if edited := posts["203667503"].Edited.Time; edited.UnixMicro() != 1584424575601395 {
		t.Errorf("edited %v", edited)
	}
}
