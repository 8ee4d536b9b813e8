package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/post"
)

type showCmd struct {
	Name string `arg:"" help:"URL, PLATFORM:ID of a post, PLATFORM:NAME of an account, or a record id."`
}

func (showCmd) Help() string {
	return `Shows each version of a post with what changed, the names of an account over time, and every fetch of
a URL with its outcome and the record that proves it.

Examples:
  refrain show https://www.tumblr.com/ana/712345678
  refrain show tumblr:ana
` + exitCodes
}

// shown is what --json writes for one name.
type shown struct {
	Posts    []corpus.View     `json:"posts"`
	Accounts []corpus.Account  `json:"accounts"`
	Fetches  []json.RawMessage `json:"fetches"`
}

func (c showCmd) Run(ctx context.Context, a *app) (err error) {
	store, err := a.freshCorpus(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	var s shown
	for _, name := range c.names(a.collectors()) {
		posts, err := store.Posts(ctx, name)
		if err != nil {
			return err
		}
		s.Posts = append(s.Posts, posts...)
		accounts, err := store.Accounts(ctx, name)
		if err != nil {
			return err
		}
		s.Accounts = append(s.Accounts, accounts...)
		fetches, err := store.Fetches(ctx, name)
		if err != nil {
			return err
		}
		s.Fetches = append(s.Fetches, fetches...)
		if len(s.Posts)+len(s.Accounts)+len(s.Fetches) > 0 {
			break
		}
	}
	if len(s.Posts)+len(s.Accounts)+len(s.Fetches) == 0 {
		return fmt.Errorf("show: the corpus has nothing of %s: was it collected into this archive? (`refrain search` finds posts by their words)", c.Name)
	}
	if a.JSON {
		return a.writeJSON(s)
	}
	return a.printShown(s)
}

// names gives what c.Name may be known as: itself, then the target that its URL
// names.
func (c showCmd) names(collectors []crawlers.Collector) []string {
	names := []string{c.Name}
	u, err := url.Parse(c.Name)
	if err != nil || u.Host == "" {
		return names
	}
	_, ref, ok := crawlers.Match(collectors, u)
	if !ok {
		return names
	}
	if ref.URL != c.Name {
		names = append(names, ref.URL)
	}
	switch ref.Kind {
	case crawlers.RefPost, crawlers.RefComment, crawlers.RefAccount, crawlers.RefQuestion:
		names = append(names, ref.Platform+":"+ref.ID)
	}
	return append(names, ref.Key())
}

func (a *app) printShown(s shown) error {
	var b strings.Builder
	for _, v := range s.Posts {
		writeView(&b, v)
	}
	for _, acc := range s.Accounts {
		fmt.Fprintf(&b, "account %s:%s, %s\n", acc.Platform, acc.Key, plural(int64(acc.Posts), "post"))
		for _, f := range acc.Facts {
			fmt.Fprintf(&b, "  %-8s %-40s %s … %s  %s\n", f.Kind, f.Value, f.FirstSeen.Format("2006-01-02 15:04"), f.LastSeen.Format("2006-01-02 15:04"), f.Record)
		}
		b.WriteByte('\n')
	}
	if len(s.Posts) == 0 && len(s.Accounts) == 0 || a.Verbose {
		for _, raw := range s.Fetches {
			var line crawlers.Line
			if err := json.Unmarshal(raw, &line); err != nil {
				return fmt.Errorf("show: a stored fetch is not JSON (run `refrain rebuild`): %w", err)
			}
			fmt.Fprintf(&b, "fetch %s  %-14s %3d  %s\n  record %s\n", line.FetchedAt.Format("2006-01-02 15:04:05"), line.Outcome, line.Status, line.URL, line.Capture.RecordID)
			if line.Reason != "" {
				fmt.Fprintf(&b, "  %s\n", line.Reason)
			}
		}
	}
	return a.printf("%s", strings.TrimRight(b.String(), "\n"))
}

func writeView(b *strings.Builder, v corpus.View) {
	p := &v.Post
	fmt.Fprintf(b, "%s  %s by %s\n%s\n", p.Key(), p.Kind, author(p.Account), p.URL)
	fmt.Fprintf(b, "created %s", strings.TrimSpace(when(p.Created)))
	if p.Created.Raw != "" {
		fmt.Fprintf(b, " (%q, from %s)", p.Created.Raw, p.Created.Source)
	}
	fmt.Fprintf(b, "; first seen %s; standing: %s", seenAt(v.FirstSeen), v.Standing)
	if v.Gone > 0 {
		fmt.Fprintf(b, " (by %s)", plural(int64(v.Gone), "route"))
	}
	b.WriteByte('\n')
	if p.Title != "" {
		fmt.Fprintf(b, "\n%s\n", p.Title)
	}
	if p.Text != "" {
		fmt.Fprintf(b, "\n%s\n", p.Text)
	}
	list := func(name string, values []string) {
		for _, value := range values {
			fmt.Fprintf(b, "  %-8s %s\n", name, value)
		}
	}
	b.WriteByte('\n')
	for _, m := range p.Media {
		list(m.Kind, []string{m.URL})
	}
	list("link", p.Links)
	for _, r := range p.Refs {
		list(string(r.Role), []string{strings.TrimSpace(r.ID + " " + r.URL + " " + r.Account)})
	}
	fmt.Fprintf(b, "\nseen %s:\n", plural(int64(len(v.Observations)), "time"))
	var before *post.Post
	for _, o := range v.Observations {
		fmt.Fprintf(b, "  %s  %-12s %s  %s\n", seenAt(o.FetchedAt), o.Outcome, counts(o.Counts), recordName(o))
		if o.Changed && o.Post != nil && before != nil {
			writeDiff(b, before, o.Post)
		}
		if o.Post != nil {
			before = o.Post
		}
	}
	b.WriteByte('\n')
}

// seenAt writes when something was observed. Some files of other tools do not
// say it.
func seenAt(t time.Time) string {
	if t.Year() <= 1 {
		return "at a time not known"
	}
	return t.Format("2006-01-02 15:04:05")
}

// recordName says where an observation was read from.
func recordName(o corpus.Observation) string {
	if o.Post != nil && o.Post.Capture.Import != "" {
		c := o.Post.Capture
		if c.RecordID != "" {
			return fmt.Sprintf("imported, %s record %s", c.Import, c.RecordID)
		}
		return fmt.Sprintf("imported, %s line %d", c.Import, c.Line)
	}
	return "record " + o.Record
}

func counts(list []post.Count) string {
	var words []string
	for _, c := range list {
		switch {
		case c.State != post.StatePresent:
			words = append(words, c.Name+" "+string(c.State))
		case c.Precision == post.PrecisionRounded:
			words = append(words, fmt.Sprintf("%s ~%d", c.Name, c.Value))
		default:
			words = append(words, fmt.Sprintf("%s %d", c.Name, c.Value))
		}
	}
	return strings.Join(words, ", ")
}

// writeDiff shows what an edit changed, by words.
func writeDiff(b *strings.Builder, before, after *post.Post) {
	for _, field := range []struct{ name, before, after string }{{"title", before.Title, after.Title}, {"text", before.Text, after.Text}} {
		if field.before != field.after {
			fmt.Fprintf(b, "      %s: %s\n", field.name, diffWords(field.before, field.after))
		}
	}
	if before.Outcome != after.Outcome {
		fmt.Fprintf(b, "      state: [-%s-] {+%s+}\n", before.Outcome, after.Outcome)
	}
	for _, field := range []struct {
		name          string
		before, after []string
	}{{"link", before.Links, after.Links}, {"tag", before.Tags, after.Tags}, {"media", mediaURLs(before), mediaURLs(after)}} {
		gone, added := difference(field.before, field.after), difference(field.after, field.before)
		for _, v := range gone {
			fmt.Fprintf(b, "      %s: [-%s-]\n", field.name, v)
		}
		for _, v := range added {
			fmt.Fprintf(b, "      %s: {+%s+}\n", field.name, v)
		}
	}
}

func mediaURLs(p *post.Post) []string {
	var list []string
	for _, m := range p.Media {
		list = append(list, m.URL)
	}
	return list
}

// difference gives what a has and b has not.
func difference(a, b []string) []string {
	has := map[string]bool{}
	for _, v := range b {
		has[v] = true
	}
	var list []string
	for _, v := range a {
		if !has[v] {
			list = append(list, v)
		}
	}
	return list
}
