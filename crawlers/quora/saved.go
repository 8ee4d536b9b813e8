package quora

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// rendered reads a page as the browser showed it, saved without its scripts. The
// names that Quora gives for its own tests and logs hold over its builds:
// puppeteer_test_question_title, answer_timestamp (the answer's address and
// age), spacing_log_answer_content. An answer is the content after a timestamp;
// its author is the last profile link before it. It gives false where the page
// is no such page.
func (r *reader) rendered(page []byte) bool {
	if !bytes.Contains(page, []byte("answer_timestamp")) && !bytes.Contains(page, []byte("puppeteer_test_question_title")) {
		return false
	}
	ref, ok := canonical(page)
	if !ok {
		ref = r.step.Ref
	}
	var q post.Post
	var p *post.Post
	var answers []post.Post
	author := post.Account{}
	for _, e := range pagescan.Find(page, func(tag string, a pagescan.Attrs) bool {
		switch {
		case a.HasClass("puppeteer_test_question_title"), a.HasClass("spacing_log_answer_content"), a.HasClass("puppeteer_test_answer_content"):
			return true
		case tag == "a":
			return a.HasClass("answer_timestamp") || strings.Contains(a.Get("href"), "/profile/")
		}
		return false
	}) {
		switch {
		case e.Attrs.HasClass("puppeteer_test_question_title"):
			if q.Title == "" {
				q.Title = e.Text()
			}
		case e.Attrs.HasClass("answer_timestamp"):
			at, ok := matchText(link(strings.TrimSpace(e.Attrs.Get("href"))))
			if !ok || at.Kind != crawlers.RefPost {
				continue
			}
			answers = append(answers, post.Post{ID: at.ID, Kind: post.KindAnswer, URL: at.URL, Account: author, Outcome: post.OK})
			p = &answers[len(answers)-1]
			if _, name, ok := strings.Cut(at.ID, "/answer/"); ok && author.Handle != "" && author.Handle != name {
				p.Account = post.Account{} // the link before was another person's
			}
			if raw := e.Text(); raw != "" {
				p.Created = post.Time{Raw: raw, Source: post.SourceRelative}
			}
			author = post.Account{}
		case e.Tag == "a":
			if at, ok := matchText(link(e.Attrs.Get("href"))); ok && at.Kind == crawlers.RefAccount {
				if t := e.Text(); t != "" && (author.Handle != at.ID || author.Name == "") {
					author = post.Account{Handle: at.ID, Name: t, URL: accountRef("", at.ID).URL}
				}
			}
		default:
			if p == nil || p.Text != "" {
				continue
			}
			c := htmltext.Fragment(string(e.Inner), quoraBase())
			p.Text, p.Links, p.Media = c.Text, c.Links, c.Media
		}
	}
	if ref.Kind == crawlers.RefQuestion && q.Title != "" {
		q.ID, q.Kind, q.URL, q.Outcome = "question:"+ref.ID, post.KindQuestion, ref.URL, post.OK
		if want := r.step.Ref; want.Kind == crawlers.RefQuestion && !sameSlug(want.ID, ref.ID) && !isNumber(want.ID) {
			r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is about "+ref.ID)
			return true
		}
		r.add(q)
	}
	for _, a := range answers {
		if a.Text == "" && len(a.Media) == 0 {
			a.Outcome = post.OKMetaOnly
		}
		if at, ok := matchText(a.URL); ok && q.ID != "" && strings.HasPrefix(at.ID, strings.TrimPrefix(q.ID, "question:")+"/") {
			a.Refs, a.Thread, a.Title = []post.Ref{{Role: post.RoleReplyTo, ID: q.ID, URL: q.URL}}, q.ID, q.Title
		} else if q.ID != "" {
			a.Tags = append(a.Tags, "merged_into:"+q.ID)
		}
		r.add(a)
	}
	if len(r.page.Posts) == 0 {
		return false
	}
	r.page.Coverage.Served = len(answers)
	r.page.Coverage.End = "what the browser had loaded when the page was saved"
	r.fail(post.OKPartial, strconv.Itoa(len(answers))+" answers, of how many is not stated")
	return true
}
