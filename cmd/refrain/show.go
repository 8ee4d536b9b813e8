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
	return `Shows each version of a post with what changed and the aliases that it was found under; the handles,
names, hosts, pictures and ids of an account over time, the domains that it links to, its contacts and
the analytics and ad ids of its pages; and every fetch of a URL with its outcome and the record that
proves it, or, of a URL that was not fetched, its captures in files that were imported or linked. A short link, custom domain or other alias leads to what the archive learned it names.

Examples:
  refrain show https://www.tumblr.com/ana/712345678
  refrain show tumblr:ana
  refrain show https://redd.it/abc12
` + exitCodes
}

// shown is what --json writes for one name.
type shown struct {
	Posts    []corpus.View     `json:"posts"`
	Accounts []corpus.Account  `json:"accounts"`
	Aliases  []corpus.Alias    `json:"aliases,omitempty"` // that led to these, and of what is neither post nor account
	Fetches  []json.RawMessage `json:"fetches"`
	Captures []capturedRow     `json:"captures,omitempty"` // of a URL, the latest first: in segments, imported and linked files
}

func (c showCmd) Run(ctx context.Context, a *app) (err error) {
	store, err := a.freshCorpus(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	s, err := look(ctx, store, c.names(a.collectors()))
	if err != nil {
		return err
	}
	if s.Captures, err = a.captured(ctx, c.Name); err != nil {
		return fmt.Errorf("show: %w", err)
	}
	if len(s.Posts)+len(s.Accounts)+len(s.Fetches)+len(s.Aliases)+len(s.Captures) == 0 {
		return fmt.Errorf("show: the corpus has nothing of %s: was it collected into this archive? (`refrain search` finds posts by their words)", c.Name)
	}
	if a.JSON {
		return a.writeJSON(s)
	}
	return a.printShown(s)
}

// A name is what something may be known as in the corpus.
type name struct {
	platform string // that the name is of; empty is any
	text     string
	alias    bool // only the table of aliases knows it
}

// look gathers what the corpus has under names, the best first. What none of
// them names directly, one may name as an alias.
func look(ctx context.Context, store *corpus.Store, names []name) (shown, error) {
	var s shown
	var err error
	for _, n := range names {
		if n.alias {
			continue
		}
		if len(s.Posts)+len(s.Accounts) == 0 {
			if s.Posts, err = store.Posts(ctx, n.text); err != nil {
				return shown{}, err
			}
			if s.Accounts, err = store.Accounts(ctx, n.text); err != nil {
				return shown{}, err
			}
		}
		if len(s.Fetches) == 0 {
			if s.Fetches, err = store.Fetches(ctx, n.text); err != nil {
				return shown{}, err
			}
		}
	}
	for _, n := range names {
		if len(s.Posts)+len(s.Accounts)+len(s.Aliases) > 0 {
			break
		}
		if s.Aliases, err = store.Aliases(ctx, n.platform, n.text); err != nil {
			return shown{}, err
		}
		seen := map[string]bool{}
		for _, a := range s.Aliases {
			key := a.Platform + ":" + a.ID
			if seen[a.Kind+" "+key] {
				continue
			}
			seen[a.Kind+" "+key] = true
			if a.Kind != string(crawlers.RefAccount) {
				posts, err := store.Posts(ctx, key)
				if err != nil {
					return shown{}, err
				}
				s.Posts = append(s.Posts, posts...)
				continue
			}
			accounts, err := store.Accounts(ctx, key)
			if err != nil {
				return shown{}, err
			}
			for _, account := range accounts {
				if account.Key == a.ID || account.Key == "@"+strings.ToLower(a.ID) {
					s.Accounts = append(s.Accounts, account)
				}
			}
		}
	}
	return s, nil
}

// names gives what c.Name may be known as: itself, then the target that its URL
// names, then what only the table of aliases may know.
func (c showCmd) names(collectors []crawlers.Collector) []name {
	names := []name{{text: c.Name}}
	u, err := url.Parse(c.Name)
	if err != nil || u.Host == "" {
		if platform, id, ok := strings.Cut(c.Name, ":"); ok {
			names = append(names, name{platform: platform, text: id, alias: true})
		}
		return names
	}
	if _, ref, ok := crawlers.Match(collectors, u); ok {
		if ref.URL != c.Name {
			names = append(names, name{text: ref.URL})
		}
		switch ref.Kind {
		case crawlers.RefPost, crawlers.RefComment, crawlers.RefAccount, crawlers.RefQuestion:
			names = append(names, name{text: ref.Platform + ":" + ref.ID})
		}
		names = append(names, name{text: ref.Key()}, name{platform: ref.Platform, text: ref.ID, alias: true})
	}
	// A custom domain: the address does not tell the platform, but an exchange
	// may have.
	host := strings.ToLower(u.Hostname())
	if path := strings.TrimSuffix(u.EscapedPath(), "/"); path != "" {
		return append(names, name{text: host + path, alias: true})
	}
	return append(names, name{text: host})
}

func (a *app) printShown(s shown) error {
	var b strings.Builder
	for _, v := range s.Posts {
		writeView(&b, v)
	}
	for _, acc := range s.Accounts {
		fmt.Fprintf(&b, "account %s:%s, %s\n", acc.Platform, acc.Key, plural(int64(acc.Posts), "post"))
		for _, f := range acc.Facts {
			fmt.Fprintf(&b, "  %-9s %-40s %s … %s  %s\n", f.Kind, f.Value, f.FirstSeen.Format("2006-01-02 15:04"), f.LastSeen.Format("2006-01-02 15:04"), f.Record)
		}
		a.writeTraces(&b, acc.Traces)
		b.WriteByte('\n')
	}
	if len(s.Posts)+len(s.Accounts) == 0 && len(s.Aliases) > 0 {
		writeAliases(&b, s.Aliases)
		b.WriteByte('\n')
	}
	if len(s.Posts)+len(s.Accounts) == 0 || a.Verbose {
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
	if len(s.Posts)+len(s.Accounts)+len(s.Fetches) == 0 || a.Verbose {
		writeCaptured(&b, s.Captures)
	}
	return a.printf("%s", strings.TrimRight(b.String(), "\n"))
}

// maxTraces is how many traces of one kind are printed without --verbose.
const maxTraces = 30

// writeTraces lists what an account's posts carry, each kind the most carried
// first.
func (a *app) writeTraces(b *strings.Builder, list []corpus.Trace) {
	n := map[string]int{}
	for _, t := range list {
		n[t.Kind]++
		switch {
		case n[t.Kind] == 1:
			fmt.Fprintf(b, "  %s:\n", traceTitle(t.Kind))
		case n[t.Kind] == maxTraces+1 && !a.Verbose:
			b.WriteString("    … more with --verbose\n")
		}
		if n[t.Kind] <= maxTraces || a.Verbose {
			fmt.Fprintf(b, "    %-47s %s … %s  %s, first in %s\n", t.Value, t.FirstSeen.Format("2006-01-02 15:04"), t.LastSeen.Format("2006-01-02 15:04"), plural(int64(t.Posts), "post"), t.Record)
		}
	}
}

func traceTitle(kind string) string {
	switch kind {
	case "domain":
		return "links to"
	case "analytics", "ads":
		return kind + " ids of its pages"
	}
	return kind
}

func writeAliases(b *strings.Builder, list []corpus.Alias) {
	for _, x := range list {
		fmt.Fprintf(b, "  %s %s is %s:%s  %s … %s  %s\n", x.Kind, x.Alias, x.Platform, x.ID, x.FirstSeen.Format("2006-01-02 15:04"), x.LastSeen.Format("2006-01-02 15:04"), x.Record)
	}
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
	writeAliases(b, v.Aliases)
	fmt.Fprintf(b, "\nseen %s:\n", plural(int64(len(v.Observations)), "time"))
	var before *post.Post
	for _, o := range v.Observations {
		back := ""
		if o.Back {
			back = "back  "
		}
		fmt.Fprintf(b, "  %s  %-12s %s%s  %s\n", seenAt(o.FetchedAt), o.Outcome, back, counts(o.Counts), recordName(o))
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
