package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"strings"

	"github.com/refrain-archive/refrain/archive/export"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers"
)

// A selected is what an export is of: posts by their keys, and queries.
type selected struct {
	store   *corpus.Store
	keys    []string
	queries []corpus.Query
	words   string // what the user asked for
}

// selection reads what the user asked for.
func (c exportCmd) selection(ctx context.Context, a *app, store *corpus.Store) (*selected, error) {
	s := &selected{store: store}
	var names, terms []string
	for _, what := range c.What {
		if namesSomething(a.collectors(), what) {
			names = append(names, what)
		} else {
			terms = append(terms, what)
		}
	}
	for _, file := range c.List {
		listed, err := readNames(file, a.in)
		if err != nil {
			return nil, fmt.Errorf("export: %w", err)
		}
		names = append(names, listed...)
	}
	narrow, err := corpus.ParseQuery(strings.Join([]string{field("from:", c.Since), field("until:", c.Until)}, " "))
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	if len(terms) > 0 || len(c.Account) > 0 || c.All || len(names)+len(c.Narrative) == 0 && (c.Since != "" || c.Until != "") {
		q, err := corpus.ParseQuery(strings.Join(terms, " "))
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		for _, name := range c.Account {
			q.Account = append(q.Account, strings.TrimLeft(name, "@"))
		}
		s.queries = append(s.queries, within(q, narrow))
	}
	found, err := c.narratives(ctx, a, s)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 && len(s.queries) == 0 && len(c.Narrative) == 0 {
		return nil, usage("export: say which posts: a query, posts or accounts, --narrative ID, --list FILE, --since, --until, or --all")
	}
	if err := s.named(ctx, a, names, narrow); err != nil {
		return nil, err
	}
	s.words = c.words(names, terms, found)
	return s, nil
}

// narratives adds the posts of the narratives that are named, and gives what the
// narratives are called. The times of --since and --until do not narrow them: a
// part of a narrative would pass for the whole.
func (c exportCmd) narratives(ctx context.Context, a *app, s *selected) (called []string, err error) {
	if len(c.Narrative) == 0 {
		return nil, nil
	}
	r, err := a.read(ctx)
	if err != nil {
		return nil, err
	}
	defer closing(&err, r)
	for _, words := range c.Narrative {
		g, err := r.Find(words)
		if err != nil {
			return nil, usage("export: %w", err)
		}
		s.keys = append(s.keys, r.PostsOf(g)...)
		sum := r.Summary(g)
		name := "narrative " + sum.ID
		if sum.Name != "" {
			name += fmt.Sprintf(" (%s)", sum.Name)
		}
		called = append(called, name)
	}
	return called, nil
}

func field(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

// within narrows q by the times of another query.
func within(q, narrow corpus.Query) corpus.Query {
	if narrow.From.After(q.From) {
		q.From = narrow.From
	}
	if !narrow.Until.IsZero() && (q.Until.IsZero() || narrow.Until.Before(q.Until)) {
		q.Until = narrow.Until
	}
	return q
}

// words says what was asked for.
func (c exportCmd) words(names, terms, narratives []string) string {
	var parts []string
	if c.All {
		parts = append(parts, "all posts")
	}
	if len(terms) > 0 {
		parts = append(parts, "search "+strings.Join(terms, " "))
	}
	parts = append(parts, narratives...)
	for _, name := range c.Account {
		parts = append(parts, "account "+name)
	}
	switch {
	case len(names) > 10:
		parts = append(parts, fmt.Sprintf("%s and %d more posts or accounts", strings.Join(names[:10], " "), len(names)-10))
	case len(names) > 0:
		parts = append(parts, strings.Join(names, " "))
	}
	if c.Since != "" {
		parts = append(parts, "since "+c.Since)
	}
	if c.Until != "" {
		parts = append(parts, "until "+c.Until)
	}
	return strings.Join(parts, ", ")
}

// namesSomething reports whether an argument is a URL, or PLATFORM: and a name.
func namesSomething(collectors []crawlers.Collector, what string) bool {
	if u, err := url.Parse(what); err == nil && u.Host != "" {
		return true
	}
	platform, id, ok := strings.Cut(what, ":")
	return ok && id != "" && !strings.ContainsAny(what, " \"") && crawlers.ByPlatform(collectors, platform) != nil
}

// readNames reads a list of posts and accounts: one a line, # begins a remark.
func readNames(file string, stdin io.Reader) ([]string, error) {
	r := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // only read
		r = f
	}
	var list []string
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.ContainsAny(line, " \t") || !strings.Contains(line, ":") {
			return nil, usage("%s line %d: %q is not one URL, PLATFORM:ID or PLATFORM:NAME", file, n, shorten(line, 80))
		}
		list = append(list, line)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(list) == 0 {
		return nil, usage("%s lists nothing", file)
	}
	return list, nil
}

// named finds the posts and accounts that were named. A name that leads to
// nothing is an error: nobody would notice what is missing.
func (s *selected) named(ctx context.Context, a *app, names []string, narrow corpus.Query) error {
	var unknown []string
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := look(ctx, s.store, showCmd{Name: name}.names(a.collectors()))
		if err != nil {
			return err
		}
		for _, v := range found.Posts {
			s.keys = append(s.keys, v.Post.Key())
		}
		if len(found.Posts) == 0 {
			for _, acc := range found.Accounts {
				s.queries = append(s.queries, within(corpus.Query{Platform: []string{acc.Platform}, Account: []string{strings.TrimPrefix(acc.Key, "@")}}, narrow))
			}
		}
		if len(found.Posts)+len(found.Accounts) == 0 {
			unknown = append(unknown, name)
		}
	}
	if n := len(unknown); n > 0 {
		return usage("export: the corpus has no post or account %s%s", strings.Join(unknown[:min(n, 5)], ", "), map[bool]string{true: fmt.Sprintf(" and %d more", n-5)}[n > 5])
	}
	return nil
}

// errStop ends an iteration that its reader has left.
var errStop = errors.New("stopped")

// posts gives the selected posts.
func (s *selected) posts(ctx context.Context) iter.Seq2[*export.Post, error] {
	return func(yield func(*export.Post, error) bool) {
		give := func(c *corpus.Captured) error {
			p := &export.Post{Post: c.Post, FirstSeen: c.FirstSeen, LastSeen: c.LastSeen, Seen: c.Seen, Standing: c.Standing, Captures: c.Captures}
			if !yield(p, nil) {
				return errStop
			}
			return nil
		}
		err := s.store.CapturedOf(ctx, s.keys, give)
		for _, q := range s.queries {
			if err == nil {
				err = s.store.EachCaptured(ctx, q, give)
			}
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}
