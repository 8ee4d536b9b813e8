package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/post"
)

type searchCmd struct {
	Query  []string `arg:"" optional:"" help:"Words that must all occur, \"words in quotes\" together, -word for none, and platform: account: kind: outcome: lang: tag: trace: has: url: from: until: with a value. Nothing finds everything."`
	Limit  int      `short:"n" default:"50" help:"At most so many posts; 0 is all."`
	Offset int      `help:"Leave out the first so many."`
	Oldest bool     `help:"Oldest first."`
}

func (searchCmd) Help() string {
	return `Examples:
  refrain search harbour bridge
  refrain search '"the bridge will close" platform:tumblr,reddit from:2026-11'
  refrain search 香港
  refrain search --json outcome:deleted > gone.jsonl
  refrain search trace:harbour.example
  refrain search trace:UA-7654321-1
  refrain search has:telegram,whatsapp account:ana

trace: finds posts that carry a linked domain, a mail address, a phone number with its +, a handle or
invitation of Telegram, WhatsApp, Discord or WeChat (the address will do), a Bitcoin, Ethereum or Tron
address, or an analytics or ad id of a web page. has: finds posts with any trace of a kind: link, contact,
wallet, email, phone, telegram, whatsapp, discord, wechat, bitcoin, ethereum, tron, analytics, ads.
` + exitCodes
}

func (c searchCmd) Run(ctx context.Context, a *app) (err error) {
	q, err := corpus.ParseQuery(strings.Join(c.Query, " "))
	if err != nil {
		return &exitError{exitUsage, err}
	}
	q.Limit, q.Offset, q.Oldest = c.Limit, c.Offset, c.Oldest
	if c.Limit == 0 {
		q.Limit = -1
	}
	store, err := a.freshCorpus(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	hits, total, err := store.Search(ctx, q)
	if err != nil {
		return err
	}
	for _, h := range hits {
		if a.JSON {
			err = a.writeJSON(h)
		} else {
			err = a.printHit(h)
		}
		if err != nil {
			return err
		}
	}
	if !a.JSON {
		shown := ""
		if len(hits) < total {
			shown = fmt.Sprintf(", %d shown (--limit, --offset)", len(hits))
		}
		return a.printf("%s found%s", plural(int64(total), "post"), shown)
	}
	return nil
}

func (a *app) printHit(h corpus.Hit) error {
	p := &h.Post
	state := ""
	if h.Standing != post.OK && h.Standing != "" {
		state = "  [" + string(h.Standing) + "]"
	}
	text := p.Title
	if p.Text != "" && p.Title != "" {
		text += " · "
	}
	text += p.Text
	return a.printf("%s  %-11s %-20s %s%s\n    %s\n    %s", when(p.Created), p.Platform, shorten(author(p.Account), 20), p.Key(), state, shorten(text, 160), p.URL)
}

// author names an account as people know it.
func author(acc post.Account) string {
	for _, name := range []string{acc.Handle, acc.Name, acc.ID, acc.URL} {
		if name != "" {
			return name
		}
	}
	return "(no author)"
}

// when writes a time as exactly as it is known.
func when(t post.Time) string {
	switch {
	case !t.Time.IsZero():
		return t.Time.Format("2006-01-02 15:04:05")
	case !t.From.IsZero() && !t.To.IsZero():
		if t.To.Sub(t.From) <= 49*time.Hour {
			return "about " + t.From.Add(t.To.Sub(t.From)/2).Format("2006-01-02") + "   "
		}
		return t.From.Format("2006-01-02") + "…" + t.To.Format("01-02") + "  "
	case !t.From.IsZero():
		return "after " + t.From.Format("2006-01-02") + "   "
	case !t.To.IsZero():
		return "before " + t.To.Format("2006-01-02") + "  "
	}
	return "time not known     "
}
