package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/narrative/account"
	"github.com/refrain-archive/refrain/post"
)

type accountsCmd struct {
	Name      string `arg:"" optional:"" help:"An account, by URL, id, handle or PLATFORM:NAME: when it posts, and who appears with it. Without one: all."`
	Narrative string `placeholder:"ID" help:"Only accounts of that narrative, the first first, and what they have in common."`
	Platform  string `placeholder:"NAME" help:"Only accounts of that platform."`
	Limit     int    `short:"n" default:"50" help:"At most so many; 0 is all."`
	CSV       bool   `name:"csv" help:"Write a table."`
}

func (accountsCmd) Help() string {
	return `Accounts are listed with those that are in the most narratives with others first. What accounts of a
narrative have in common (made in one go, handles of one pattern, the same picture) and the clock by which
an account posts are shown with their figures, and nothing is merged on them: each is weak on its own.
"refrain show ACCOUNT" has its names over time, contacts and links.

Examples:
  refrain accounts -n 20
  refrain accounts --narrative q5xk3a
  refrain accounts x:ana
` + exitCodes
}

// An accountLine is one account, as JSON.
type accountLine struct {
	Account    string     `json:"account"` // PLATFORM:KEY
	Handle     string     `json:"handle,omitempty"`
	Name       string     `json:"name,omitempty"`
	Posts      int        `json:"posts"`
	Oldest     *time.Time `json:"oldest,omitempty"` // creation of its oldest and newest post here
	Newest     *time.Time `json:"newest,omitempty"`
	Narratives int        `json:"narratives"` // that other accounts are in too
	// Of --narrative: its posts there, and its first one.
	In    int       `json:"posts_in,omitempty"`
	First *firstIn  `json:"first_in,omitempty"`
	With  []company `json:"with,omitempty"` // of one account: who is in the same narratives

	Clock *account.Clock `json:"clock,omitempty"` // of one account
}

type firstIn struct {
	Post     string    `json:"post"`
	Earliest time.Time `json:"earliest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
}

// A company is an account that is in narratives together with another.
type company struct {
	Account    string   `json:"account"`
	Narratives []string `json:"narratives"`
}

// commonLine is what accounts of a narrative have in common, as JSON.
type commonLine struct {
	Batch *account.Batch `json:"batch,omitempty"`
	Group *account.Group `json:"group,omitempty"`
	Clock *account.Clock `json:"clock,omitempty"`
}

func (c accountsCmd) Run(ctx context.Context, a *app) (err error) {
	if c.Name != "" && c.Narrative != "" {
		return usage("accounts: give an account, or --narrative")
	}
	r, err := a.read(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, r)
	all, err := r.corpus.Accounts(ctx, "")
	if err != nil {
		return err
	}
	switch {
	case c.Name != "":
		return c.one(ctx, a, r)
	case c.Narrative != "":
		return c.ofNarrative(ctx, a, r, all)
	}
	in := map[string]int{} // narratives that others are in too
	for _, s := range r.Narratives(2, 2) {
		for name := range r.AccountsOf(s.ID) {
			in[name]++
		}
	}
	var list []accountLine
	for _, acc := range all {
		if c.Platform == "" || strings.EqualFold(acc.Platform, c.Platform) {
			l := lineOf(acc)
			l.Narratives = in[l.Account]
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(x, y accountLine) int {
		return cmp.Or(cmp.Compare(y.Narratives, x.Narratives), cmp.Compare(y.Posts, x.Posts))
	})
	return c.write(a, list)
}

func lineOf(acc corpus.Account) accountLine {
	l := accountLine{Account: acc.Platform + ":" + acc.Key, Posts: acc.Posts}
	if !acc.Oldest.IsZero() {
		l.Oldest = &acc.Oldest
	}
	if !acc.Newest.IsZero() {
		l.Newest = &acc.Newest
	}
	l.Handle, _ = newestFact(acc, "handle", "host")
	l.Name, _ = newestFact(acc, "name")
	return l
}

// newestFact gives the value of a kind that was seen last.
func newestFact(acc corpus.Account, kinds ...string) (value string, seen time.Time) {
	for _, f := range acc.Facts {
		if slices.Contains(kinds, f.Kind) && (value == "" || f.LastSeen.After(seen)) {
			value, seen = f.Value, f.LastSeen
		}
	}
	return value, seen
}

func (c accountsCmd) write(a *app, list []accountLine) error {
	all := len(list)
	if c.Limit > 0 && len(list) > c.Limit {
		list = list[:c.Limit]
	}
	if c.CSV {
		w := csv.NewWriter(a.out)
		rows := [][]string{{"account", "handle", "name", "posts", "oldest", "newest", "narratives", "posts_in", "first_in"}}
		for _, l := range list {
			first := ""
			if l.First != nil {
				first = stamp(l.First.Latest)
			}
			rows = append(rows, []string{cell(l.Account), cell(l.Handle), cell(l.Name), strconv.Itoa(l.Posts), stampOf(l.Oldest), stampOf(l.Newest), strconv.Itoa(l.Narratives), strconv.Itoa(l.In), first})
		}
		return w.WriteAll(rows)
	}
	for _, l := range list {
		var err error
		if a.JSON {
			err = a.writeJSON(l)
		} else {
			err = a.printf("%s", l.words())
		}
		if err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	shown := ""
	if len(list) < all {
		shown = fmt.Sprintf(", %d shown (--limit)", len(list))
	}
	return a.printf("%s%s", plural(int64(all), "account"), shown)
}

func stampOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

func (l accountLine) words() string {
	var b strings.Builder
	b.WriteString(l.Account)
	if l.Handle != "" && !strings.HasSuffix(strings.ToLower(l.Account), strings.ToLower(l.Handle)) {
		b.WriteString(" @" + printable(l.Handle))
	}
	if l.Name != "" {
		fmt.Fprintf(&b, " (%s)", shorten(printable(l.Name), 40))
	}
	fmt.Fprintf(&b, "\n    %s", plural(int64(l.Posts), "post"))
	if l.Oldest != nil && l.Newest != nil {
		fmt.Fprintf(&b, ", %s to %s", l.Oldest.Format("2006-01-02"), l.Newest.Format("2006-01-02"))
	}
	if l.Narratives > 0 {
		fmt.Fprintf(&b, ", in %s with others", plural(int64(l.Narratives), "narrative"))
	}
	if l.First != nil {
		fmt.Fprintf(&b, "; %d in this one, the first %s at %s", l.In, l.First.Post, momentWords(l.First.Earliest, l.First.Latest))
	}
	return b.String()
}

// ofNarrative lists the accounts of a narrative and what they have in common.
func (c accountsCmd) ofNarrative(ctx context.Context, a *app, r *reading, all []corpus.Account) error {
	g, err := r.Find(c.Narrative)
	if err != nil {
		return err
	}
	members, err := r.Members(ctx, g)
	if err != nil {
		return err
	}
	first, n := map[string]*firstIn{}, map[string]int{}
	for _, m := range members { // by time
		if n[m.Account]++; first[m.Account] == nil {
			first[m.Account] = &firstIn{m.Post, m.Earliest, m.Latest}
		}
	}
	var list []accountLine
	var group, others []account.Account
	for _, acc := range all {
		l := lineOf(acc)
		l.In, l.First = n[l.Account], first[l.Account]
		if l.In == 0 {
			others = append(others, signalsOf(acc))
			continue
		}
		group = append(group, signalsOf(acc))
		list = append(list, l)
	}
	slices.SortStableFunc(list, func(x, y accountLine) int { return x.First.Latest.Compare(y.First.Latest) })
	if err := c.write(a, list); err != nil || c.CSV {
		return err
	}
	return a.printCommon(ctx, r, group, others, append(slices.Clone(group), others...))
}

// signalsOf is an account as package account reads it.
func signalsOf(acc corpus.Account) account.Account {
	out := account.Account{Key: acc.Platform + ":" + acc.Key, Platform: acc.Platform}
	out.Handle, _ = newestFact(acc, "handle")
	out.Name, _ = newestFact(acc, "name")
	out.Avatar, _ = newestFact(acc, "avatar")
	if created, _ := newestFact(acc, "created"); created != "" {
		from, to, interval := strings.Cut(created, "/")
		if t, err := time.Parse(time.RFC3339, from); err == nil && !interval {
			out.Created = post.Exact(t, "")
		} else if u, uerr := time.Parse(time.RFC3339, to); interval && err == nil && uerr == nil {
			out.Created = post.Between(t, u, "", post.SourceField)
		}
	}
	return out
}

// printCommon says what a group of accounts has in common.
func (a *app) printCommon(ctx context.Context, r *reading, group, others, all []account.Account) error {
	in := map[string]bool{}
	for _, acc := range group {
		in[acc.Key] = true
	}
	var lines []commonLine
	for _, b := range account.Batches(all) {
		k := 0
		for _, key := range b.Accounts {
			if in[key] {
				k++
			}
		}
		if k >= 3 {
			lines = append(lines, commonLine{Batch: &b})
		}
	}
	for _, groups := range [][]account.Group{account.Shapes(group, others), account.Stems(group), account.Shared(group, nil)} {
		for _, found := range groups {
			lines = append(lines, commonLine{Group: &found})
		}
	}
	times, err := r.timesOf(ctx, in)
	if err != nil {
		return err
	}
	var each [][]time.Time
	for _, key := range sortedKeys(times) {
		each = append(each, times[key])
	}
	clock := account.ClockOf(each...)
	lines = append(lines, commonLine{Clock: &clock})
	for _, l := range lines {
		switch {
		case a.JSON:
			err = a.writeJSON(l)
		case l.Batch != nil:
			err = a.printf("made in one go: %s of %s between %s and %s, %.2g expected, p %.2g: %s", plural(int64(len(l.Batch.Accounts)), "account"), l.Batch.Platform,
				stamp(l.Batch.From), stamp(l.Batch.To), l.Batch.Expected, l.Batch.P, shorten(strings.Join(l.Batch.Accounts, ", "), 200))
		case l.Group != nil:
			rest := ""
			if l.Group.OthersOf > 0 {
				rest = fmt.Sprintf(" (and %d of %d others), p %.2g", l.Group.Others, l.Group.OthersOf, l.Group.P)
			}
			err = a.printf("the same %s %s: %s%s: %s", l.Group.Kind, shorten(printable(l.Group.Value), 80), plural(int64(len(l.Group.Accounts)), "account"), rest, shorten(strings.Join(l.Group.Accounts, ", "), 200))
		default:
			err = a.printf("their clock: %s", l.Clock.Why())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// timesOf gives the exact times of all posts of accounts.
func (r *reading) timesOf(ctx context.Context, accounts map[string]bool) (map[string][]time.Time, error) {
	times := map[string][]time.Time{}
	err := r.corpus.Briefs(ctx, nil, func(b corpus.Brief) error {
		if accounts[b.Account] && b.Exact() {
			times[b.Account] = append(times[b.Account], b.Earliest)
		}
		return nil
	})
	return times, err
}

// one shows one account: its clock, and who is in the same narratives.
func (c accountsCmd) one(ctx context.Context, a *app, r *reading) error {
	var found []corpus.Account
	for _, n := range (showCmd{Name: c.Name}).names(a.collectors()) {
		list, err := r.corpus.Accounts(ctx, n.text)
		if err != nil {
			return err
		}
		for _, acc := range list {
			if !slices.ContainsFunc(found, func(f corpus.Account) bool { return f.Platform == acc.Platform && f.Key == acc.Key }) {
				found = append(found, acc)
			}
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("there is no account %s in the corpus", c.Name)
	}
	of := map[string][]string{} // account → narratives
	for _, s := range r.Narratives(2, 2) {
		for name := range r.AccountsOf(s.ID) {
			of[name] = append(of[name], s.ID)
		}
	}
	for _, acc := range found {
		l := lineOf(acc)
		l.Narratives = len(of[l.Account])
		times, err := r.timesOf(ctx, map[string]bool{l.Account: true})
		if err != nil {
			return err
		}
		clock := account.ClockOf(times[l.Account])
		l.Clock, l.With = &clock, together(of, l.Account, c.Limit)
		if a.JSON {
			if err := a.writeJSON(l); err != nil {
				return err
			}
			continue
		}
		if err := a.printf("%s\n    clock: %s", l.words(), clock.Why()); err != nil {
			return err
		}
		for _, w := range l.With {
			if err := a.printf("    with %s in %s: %s", w.Account, plural(int64(len(w.Narratives)), "narrative"), shorten(strings.Join(w.Narratives, ", "), 80)); err != nil {
				return err
			}
		}
	}
	return nil
}

// together gives the accounts that are in the most narratives together with one.
func together(of map[string][]string, name string, limit int) []company {
	mine := map[string]bool{}
	for _, id := range of[name] {
		mine[id] = true
	}
	var list []company
	for _, other := range sortedKeys(of) {
		w := company{Account: other}
		for _, id := range of[other] {
			if mine[id] && other != name {
				w.Narratives = append(w.Narratives, id)
			}
		}
		if len(w.Narratives) > 0 {
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(x, y company) int { return cmp.Compare(len(y.Narratives), len(x.Narratives)) })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list
}
