package livejournal

import (
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// readHTML reads a page: an entry with its comments, or a list of entries.
func readHTML(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	h := pagescan.ReadHead(ex.Body)
	journal, _ := site(ex.Body, "Site.journal")
	if journal.Get("is_suspended").Bool() {
		return crawlers.Page{Outcome: post.Suspended, Reason: "Site.journal.is_suspended"}
	}
	data, _ := site(ex.Body, "Site.page")
	entry, _ := site(ex.Body, "Site.entry")
	if !entry.Exists() {
		entry = data.Get("entry")
	}
	name, number := strings.ToLower(entry.Get("journal").String()), entry.Get("ditemid").String()
	if name == "" || number == "" || number == "0" {
		number = ""
		for _, raw := range []string{h.Link("canonical"), h.Meta("og:url"), ex.URL} {
			if ref, ok := refOf(raw); ok && (ref.Kind == crawlers.RefPost || ref.Kind == crawlers.RefComment) {
				name, number = ref.Of, strings.Split(ref.ID, ":")[1]
				break
			}
		}
	}
	var page crawlers.Page
	jname, _ := clean(journal.Get("username").String())
	if id := journal.Get("id").String(); id != "" && id != "0" && jname != "" {
		page.Identities = append(page.Identities, crawlers.Identity{Kind: crawlers.RefAccount, Alias: jname, ID: id, URL: journalURL(jname)})
	}
	if number == "" || !nameForm.MatchString(name) {
		return readList(s, st, ex, h, page)
	}
	ref := postRef(name, number)
	p, whole := readEntry(ex, h, journal, entry, data, ref)
	comments, next := readComments(data, ref, st)
	if !whole && len(comments) == 0 {
		if !entry.Exists() && !journal.Exists() && p.Title == "" {
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page without an entry: " + h.Title}
		}
		page.Outcome, page.Reason = post.OKMetaOnly, "no element that is known to hold the entry's text"
	}
	asked := s.Ref
	if asked.Kind == crawlers.RefPost || asked.Kind == crawlers.RefComment {
		id := strings.Join(strings.Split(asked.ID, ":")[:2], ":")
		switch {
		case id == ref.ID:
		case name != asked.Of: // the page of a repost shows the original
			stub := postRef(asked.Of, strings.Split(asked.ID, ":")[1])
			page.Posts = append(page.Posts, repostStub(stub, p))
		default:
			return crawlers.Page{Outcome: post.LayoutChanged, Reason: fmt.Sprintf("the page is entry %s, %s was asked for", ref.ID, id)}
		}
	}
	if whole || len(comments) == 0 {
		page.Posts = append(page.Posts, p)
		page.Assets = append(page.Assets, assets(p)...)
	}
	page.Posts = append(page.Posts, comments...)
	loaded := 0
	for i := range comments {
		if comments[i].Outcome != post.OKMetaOnly {
			loaded++
		}
		page.Assets = append(page.Assets, assets(comments[i])...)
	}
	page.Next = append(page.Next, next...)
	if n := nextComments(h, data, st, ref); n > 0 {
		page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeHTML, Role: crawlers.RoleComments, State: state{Page: n}.encode()})
	}
	total, known := data.Get("replycount").Int()
	page.Coverage = crawlers.Coverage{Served: 1, Oldest: oldest(page.Posts), End: "one entry"}
	if s.Role == crawlers.RoleComments {
		page.Coverage = crawlers.Coverage{Served: loaded, Total: max(total, 0), Known: known && total >= 0, End: "the comments of this page"}
	}
	if page.Outcome == "" && known && int64(loaded) < total {
		page.Outcome, page.Reason = post.OKPartial, fmt.Sprintf("%d of %d comments are on this page", loaded, total)
	}
	return page
}

// readEntry reads the entry of a page, and whether its text was found.
func readEntry(ex crawlers.Exchange, h *pagescan.Head, journal, entry, data jsonx.Value, ref crawlers.Ref) (post.Post, bool) {
	p := post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL}
	base, _ := url.Parse(ref.URL)
	body, whole := entryBody(ex.Body)
	if whole {
		fill(&p, string(body.Inner), base)
	} else {
		p.Text, p.Outcome = h.Meta("og:description"), post.OKMetaOnly
	}
	og := h.Meta("og:title")
	p.Title = entry.Get("title").String()
	switch {
	case entry.Has("title") && og != p.Title: // titles in scripts carry character references
		p.Title = html.UnescapeString(p.Title)
	case !entry.Has("title"):
		p.Title = og
		if t, ok := strings.CutPrefix(h.Title, ref.Of+": "); ok && og == "" { // "NAME: TITLE" of old styles
			p.Title = t
		}
	}
	p.Title = strings.Join(strings.Fields(p.Title), " ")
	poster, ok := clean(entry.Get("poster").String())
	if !ok {
		poster = ref.Of
	}
	p.Account = account(poster, "")
	if jname, _ := clean(journal.Get("username").String()); jname == poster {
		p.Account.ID = journal.Get("id").String()
	}
	if pic := entry.Get("poster_userpic_url").String(); strings.HasPrefix(pic, "http") {
		p.Account.Avatar = pic
	}
	for _, t := range h.All("article:tag") {
		if t = strings.TrimSpace(t); t != "" && !has(p.Tags, t) {
			p.Tags = append(p.Tags, t)
		}
	}
	p.Created = entryTime(ex.Body, h)
	if n, ok := data.Get("replycount").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("comments", n))
	}
	if n, ok := data.Get("is_adult").Int(); ok && n > 0 {
		p.Tags = append(p.Tags, "adult")
	}
	return p, whole
}

// entryBody finds the element with an entry's text: the new scheme's, the old
// ones', and those of the styles before them.
func entryBody(page []byte) (pagescan.Element, bool) {
	for _, class := range []string{"", "aentry-post__text", "b-singlepost-body", "entry-content", "e-content", "j-e-text", "entry_text", "asset-body", "entry-body", "entryText", "entry_body", "entry-text", "post-text", "asset-content", "entry"} {
		if e, ok := pagescan.First(page, func(tag string, a pagescan.Attrs) bool {
			switch tag {
			case "div", "article", "section", "td", "p", "span":
			default:
				return false
			}
			if class == "" {
				return strings.Contains(a.Get("itemprop"), "articleBody")
			}
			return a.HasClass(class)
		}); ok {
			return e, true
		}
	}
	return pagescan.Element{}, false
}

// entryTime finds when an entry was written.
func entryTime(page []byte, h *pagescan.Head) post.Time {
	for _, o := range h.LD {
		if t := exact(o.Get("datePublished").String()); !t.IsZero() {
			return t
		}
	}
	if t := exact(h.Meta("article:published_time", "datepublished")); !t.IsZero() {
		return t
	}
	for _, match := range []func(tag string, a pagescan.Attrs) bool{
		func(tag string, a pagescan.Attrs) bool { return a.Get("itemprop") == "datePublished" && tag != "meta" },
		func(tag string, a pagescan.Attrs) bool {
			return a.HasClass("published") || a.HasClass("dt-published") || a.HasClass("b-singlepost-author-date")
		},
		func(tag string, a pagescan.Attrs) bool {
			for _, c := range []string{"aentry-head__date", "j-e-date", "entry-date", "entry_date", "asset-entry-date", "date-entry", "entry-header-date", "datesubject", "entryunit__date"} {
				if a.HasClass(c) {
					return true
				}
			}
			return false
		},
	} {
		for _, e := range pagescan.Find(page, match) {
			for _, raw := range []string{e.Attrs.Get("datetime"), e.Attrs.Get("content"), e.Attrs.Get("title"), e.Text()} {
				if t := exact(raw); !t.IsZero() {
					return t
				}
				if t := local(raw); !t.IsZero() {
					return t
				}
			}
		}
	}
	return post.Time{}
}

// readComments reads Site.page.comments, and gives the steps to what it
// misses.
func readComments(data jsonx.Value, on crawlers.Ref, st state) ([]post.Post, []crawlers.Step) {
	rows := data.Get("comments").Array()
	var all []post.Post
	missing := map[string]bool{}
	var threads []string
	want := func(id string) {
		if id == "" || id == "0" || id == st.Thread || has(threads, id) {
			return
		}
		threads = append(threads, id)
	}
	for _, r := range rows {
		id, parent := r.Get("dtalkid").String(), r.Get("parent").String()
		if id == "" || id == "0" { // "28 more comments": they hang under parent
			if n, _ := r.Get("more").Int(); n > 0 && !missing[parent] {
				want(parent)
			}
			continue
		}
		p := readComment(r, on, id, parent)
		if p.Outcome == post.OKMetaOnly {
			if !missing[parent] { // those below come with its thread
				want(id)
			}
			missing[id] = true
		}
		all = append(all, p)
	}
	var next []crawlers.Step
	for _, id := range threads {
		next = append(next, crawlers.Step{Ref: on, Route: routeHTML, Role: crawlers.RoleComments, State: state{Thread: id}.encode()})
	}
	return all, next
}

// truthy reads the site's flags: 1, "1" or true.
func truthy(v jsonx.Value) bool {
	n, ok := v.Int()
	return ok && n != 0 || v.Bool()
}

func readComment(r jsonx.Value, on crawlers.Ref, id, parent string) post.Post {
	item := strings.Split(on.ID, ":")[1]
	ref := commentRef(on.Of, item, id)
	p := post.Post{ID: ref.ID, Kind: post.KindComment, URL: ref.URL + "#t" + id, Thread: on.ID}
	p.Refs = append(p.Refs, post.Ref{Role: post.RoleCommentOn, ID: on.ID, URL: on.URL})
	if parent != "" && parent != "0" {
		to := commentRef(on.Of, item, parent)
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: to.ID, URL: to.URL})
	}
	user := r.Get("username").At(0)
	name, ok := clean(first(r.Get("uname").String(), user.Get("username").String(), user.Get("journal").String()))
	if ok {
		p.Account = account(name, "")
	}
	if truthy(user.Get("is_identity")) && strings.HasPrefix(user.Get("profile_url").String(), "http") {
		p.Account.URL = first(user.Get("journal_url").String(), user.Get("profile_url").String())
	}
	if d := r.Get("dname").String(); d != "" && d != p.Account.Handle {
		p.Account.Name = html.UnescapeString(d)
	}
	if pic := r.Get("userpic").String(); strings.HasPrefix(pic, "http") {
		p.Account.Avatar = pic
	}
	if subject := r.Get("subject").String(); subject != "" {
		p.Title = pagescan.Text([]byte(subject))
	}
	base, _ := url.Parse(on.URL)
	p.Created, p.Edited = unix(r.Get("ctime_ts")), unix(r.Get("etime_ts"))
	if p.Created.IsZero() {
		p.Created = commentTime(r.Get("ctime").String())
	}
	switch {
	case truthy(r.Get("deleted")):
		p.Outcome = post.Deleted
	case truthy(r.Get("suspended")):
		p.Outcome = post.Suspended
	case r.Has("article") && r.Get("article").IsString():
		refs := p.Refs
		fill(&p, r.Get("article").String(), base)
		p.Refs = refs // "originally posted by" in a comment is a quotation
	case r.Has("loaded") && !truthy(r.Get("loaded")), !r.Has("article"), !r.Get("article").Exists():
		p.Outcome = post.OKMetaOnly
		if r.Has("shown") && !truthy(r.Get("shown")) {
			p.Outcome = post.Private // screened
		}
	}
	return p
}

var utcWords = regexp.MustCompile(`\bUTC\b`)

// commentTime reads "April 12 2018, 04:34:23 UTC", or local words.
func commentTime(words string) post.Time {
	t := local(words)
	if t.IsZero() || !utcWords.MatchString(words) || !clockWord.MatchString(words) {
		return t
	}
	return post.Exact(t.From.Add(14*3600*1e9), words)
}

// nextComments is the number of the next page of comments, 0 if there is none.
func nextComments(h *pagescan.Head, data jsonx.Value, st state, on crawlers.Ref) int {
	here, ok := data.Get("comments_page").Int()
	if !ok || here < 1 {
		here = int64(max(st.Page, 1))
	}
	if st.Thread != "" || here > 100_000 {
		return 0
	}
	for _, l := range h.Links {
		if l.Rel != "next" {
			continue
		}
		u, err := url.Parse(l.Href)
		if err != nil {
			continue
		}
		ref, ok := (Collector{}).Match(u)
		n, err := strconv.ParseInt(u.Query().Get("page"), 10, 32)
		if ok && err == nil && ref.ID == on.ID && n > here {
			return int(n)
		}
	}
	if last, ok := data.Get("comments_pages").Int(); ok && here < last && last < 100_000 {
		return int(here) + 1
	}
	return 0
}

// readThread reads the JSON that unfolds a thread (__rpc_get_thread).
func readThread(s crawlers.Step, st state, ex crawlers.Exchange, body []byte) crawlers.Page {
	v, err := jsonx.Parse(body)
	if err != nil {
		outcome := post.UnexpectedType
		if ex.Truncated {
			outcome = post.CutBody
		}
		return crawlers.Page{Outcome: outcome, Reason: err.Error()}
	}
	parts := strings.Split(s.Ref.ID, ":")
	if !v.Get("comments").IsArray() || len(parts) < 2 || s.Ref.Kind != crawlers.RefPost && s.Ref.Kind != crawlers.RefComment {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a JSON object without comments"}
	}
	on := postRef(s.Ref.Of, parts[1])
	comments, next := readComments(v, on, st)
	page := crawlers.Page{Posts: comments, Next: next}
	page.Coverage = crawlers.Coverage{Served: len(comments), End: "one thread"}
	return page
}

// scrollback is how many entries a journal's page goes back by ?skip=
// ($MAX_SCROLLBACK_LASTN of the published code); older ones are in the
// calendar.
const scrollback = 100

var skipOf = regexp.MustCompile(`[?&]skip=(\d+)`)

// readList reads a page that lists entries: the journal's own, a tag's, a
// day's, a month's or a year's.
func readList(s crawlers.Step, st state, ex crawlers.Exchange, h *pagescan.Head, page crawlers.Page) crawlers.Page {
	name := nameOf(s.Ref)
	base, _ := url.Parse(ex.URL)
	if name == "" || base == nil {
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page without a journal: " + h.Title}
	}
	var posts []post.Post
	index := map[string]int{}
	var boards []string
	older := 0
	for _, e := range pagescan.Find(ex.Body, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.Get("href") != "" }) {
		u, err := base.Parse(strings.TrimSpace(e.Attrs.Get("href")))
		if err != nil {
			continue
		}
		ref, ok := (Collector{}).Match(u)
		if !ok || nameOf(ref) != name {
			continue
		}
		if m := skipOf.FindStringSubmatch(u.RawQuery + "?" + u.String()); m != nil && ref.Kind == s.Ref.Kind && ref.ID == s.Ref.ID {
			if n, err := strconv.Atoi(m[1]); err == nil && n > st.Skip && n < 100_000 && (older == 0 || n < older) {
				older = n
			}
			continue
		}
		switch ref.Kind {
		case crawlers.RefPost:
			i, seen := index[ref.ID]
			if !seen {
				i = len(posts)
				index[ref.ID] = i
				posts = append(posts, post.Post{ID: ref.ID, Kind: post.KindPost, URL: ref.URL, Outcome: post.OKMetaOnly})
			}
			// A link of the entry's subject is classed so; others are "12 comments", "link".
			class := e.Attrs.Get("class")
			if posts[i].Title == "" && u.RawQuery == "" && (strings.Contains(class, "subj") || strings.Contains(class, "title")) {
				posts[i].Title = e.Text()
			}
		case crawlers.RefBoard:
			boards = append(boards, ref.ID)
		}
	}
	for i := range posts {
		ref, _ := refOf(posts[i].URL)
		page.Next = append(page.Next, crawlers.Step{Ref: ref, Route: routeHTML, Role: crawlers.RoleHydrate})
	}
	page.Posts = posts
	page.Coverage = crawlers.Coverage{Served: len(posts)}
	step := crawlers.Step{Ref: s.Ref, Route: routeHTML, Role: s.Role}
	switch {
	case s.Ref.Kind == crawlers.RefBoard:
		for _, id := range deeper(s.Ref.ID, boards) {
			step.Ref = boardRef(name, id)
			page.Next = append(page.Next, step)
		}
	case older > 0:
		step.State = state{Skip: older}.encode()
		page.Next = append(page.Next, step)
	case s.Ref.Kind == crawlers.RefAccount && st.Skip >= scrollback-50 && len(posts) > 0:
		step.Ref = boardRef(name, "calendar")
		page.Next = append(page.Next, step)
	}
	if len(page.Next) == len(posts) {
		page.Coverage.End = "no older page is linked"
	}
	if len(page.Next) == 0 {
		if journalPage(ex.Body, h) {
			page.Coverage.End = "no entries"
			page.Outcome, page.Reason = post.OK, "a page of the journal without entries"
			return page
		}
		return crawlers.Page{Outcome: post.LayoutChanged, Reason: "a page that links to no entry: " + h.Title}
	}
	page.Outcome, page.Reason = post.OKMetaOnly, "a list: its entries are read from their own pages"
	return page
}

// journalPage reports whether a page is one of a journal at all.
func journalPage(body []byte, h *pagescan.Head) bool {
	if _, ok := site(body, "Site.journal"); ok {
		return true
	}
	if _, ok := site(body, "Site.current_journal"); ok {
		return true
	}
	return strings.Contains(h.Link("openid.server"), "livejournal.com")
}

// deeper gives, of the years, months and days that a calendar page links to,
// those within its own span, the finest of each branch, newest first.
func deeper(id string, boards []string) []string {
	var in []string
	for _, b := range boards {
		if b == id || b == "calendar" || has(in, b) {
			continue
		}
		if id == "calendar" || strings.HasPrefix(b, id+"/") {
			in = append(in, b)
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(in)))
	var finest []string
	for _, b := range in {
		covered := false
		for _, other := range in {
			// A year's page links to all its days: its months need not be asked.
			if strings.HasPrefix(other, b+"/") {
				covered = true
			}
		}
		if !covered {
			finest = append(finest, b)
		}
	}
	return finest
}
