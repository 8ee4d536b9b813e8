package quora

import (
	"bytes"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/pagescan"
	"github.com/refrain-archive/refrain/post"
)

// tagAround gives the tag that position i stands in.
func tagAround(page []byte, i int) []byte {
	start := bytes.LastIndexByte(page[max(0, i-8192):i], '<')
	end := bytes.IndexByte(page[i:min(len(page), i+8192)], '>')
	if start < 0 || end < 0 {
		return nil
	}
	return page[max(0, i-8192)+start : i+end+1]
}

// attr reads an attribute of one tag, quoted or not.
func attr(tag []byte, name string) string {
	i := bytes.Index(tag, []byte(" "+name+"="))
	if i < 0 {
		return ""
	}
	v := tag[i+len(name)+2:]
	if len(v) == 0 {
		return ""
	}
	end := -1
	if v[0] == '"' || v[0] == '\'' {
		end = bytes.IndexByte(v[1:], v[0])
		v = v[1:]
	} else {
		end = bytes.IndexAny(v, " >\t\r\n")
	}
	if end < 0 {
		return ""
	}
	return html.UnescapeString(string(v[:end]))
}

var (
	answerAnchor = regexp.MustCompile(`<a name="answer_(\d+)"`)
	epoch        = regexp.MustCompile(`DateTimeComponent\)\("([A-Za-z0-9_-]+)",[^{}]{0,40}\{"epoch_us": ?(\d{15,17})`)
	questionID   = regexp.MustCompile(`(?:QuestionArea"?\)\([^{}]{0,60}\{"qid": ?|action_target="\{'qid': )(\d+)`)
	thumbID      = regexp.MustCompile(`/main-thumb-(\d+)-\d+-`)
	wholeNumber  = regexp.MustCompile(`[0-9][0-9.,]*[kKmM]?\+?`)
)

// page2015 reads a class-based page of 2015. Each answer starts at an anchor
// named answer_AID; its exact time stands in a script, for a component whose
// parent is the link with the words "Written …". It gives false where the page
// is no such page.
func (r *reader) page2015(page []byte) bool {
	starts := answerAnchor.FindAllSubmatchIndex(page, -1)
	qid := ""
	for rest := page; qid == ""; { // the expression is slow on a whole page
		const before, behind = 100, 40 // bytes that it takes beside the word
		i := bytes.Index(rest, []byte("qid"))
		if i < 0 {
			break
		}
		at := len(page) - len(rest) + i
		if m := questionID.FindSubmatch(page[max(at-before, 0):min(at+behind, len(page))]); m != nil {
			qid = string(m[1])
		}
		rest = rest[i+len("qid"):]
	}
	if qid == "" && len(starts) == 0 || !bytes.Contains(page, []byte("__w2_")) {
		return false
	}
	ref, hasRef := canonical(page)
	if want := r.step.Ref; want.Kind == crawlers.RefQuestion && hasRef && ref.Kind == crawlers.RefQuestion && !sameSlug(ref.ID, want.ID) && want.ID != qid {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is about "+ref.ID)
		return true
	}
	head := page
	if len(starts) > 0 {
		head = page[:starts[0][0]]
	}
	q := post.Post{Kind: post.KindQuestion, Outcome: post.OK}
	if qid != "" {
		q.ID = "question:" + qid
	}
	if hasRef && ref.Kind == crawlers.RefQuestion {
		q.URL = ref.URL
	}
	total, known := r.question2015(&q, head)
	if q.ID != "" {
		r.add(q)
	}
	moments := moments2015(page)
	served := 0
	for i, at := range starts {
		end := len(page)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		part := page[at[0]:end]
		for _, stop := range []string{`class="logged_out_related_questions_container`, `class="grid_page_right_col`, "<script"} {
			if cut := bytes.Index(part, []byte(stop)); cut > 0 {
				part = part[:cut]
			}
		}
		p, ok := answer2015(string(page[at[2]:at[3]]), part, moments)
		if !ok {
			continue
		}
		if q.ID != "" {
			p.Refs = []post.Ref{{Role: post.RoleReplyTo, ID: q.ID, URL: q.URL}}
			p.Thread, p.Title = q.ID, q.Title
		}
		served++
		r.add(p)
	}
	if len(r.page.Posts) == 0 {
		return false
	}
	cov := &r.page.Coverage
	cov.Served, cov.Total, cov.Known = served, total, known
	cov.End = "all answers"
	if !known || total > int64(served) {
		cov.End = "the page carries the first answers only"
		r.fail(post.OKPartial, strconv.Itoa(served)+" of "+strconv.FormatInt(total, 10)+" answers")
	}
	return true
}

func (r *reader) question2015(q *post.Post, head []byte) (total int64, known bool) {
	if e, ok := pagescan.First(head, func(tag string, a pagescan.Attrs) bool { return tag == "div" && a.HasClass("question_text_edit") }); ok {
		q.Title = e.Text()
	}
	if q.Title == "" {
		q.Title = strings.TrimSuffix(html.UnescapeString(crawlers.Title(head)), " - Quora")
	}
	if e, ok := pagescan.First(head, func(tag string, a pagescan.Attrs) bool { return a.HasClass("question_details_text") }); ok {
		c := htmltext.Fragment(string(e.Inner), quoraBase())
		q.Text, q.Links, q.Media = c.Text, c.Links, c.Media
	}
	for _, e := range pagescan.Find(head, func(tag string, a pagescan.Attrs) bool { return tag == "span" && a.Get("itemprop") == "title" }) {
		if t := e.Text(); t != "" {
			q.Tags = appendNew(q.Tags, t)
		}
	}
	for _, e := range pagescan.Find(head, func(tag string, a pagescan.Attrs) bool {
		return a.HasClass("answer_count") || tag == "a" && (a.HasClass("follow_button") || a.HasClass("view_comments"))
	}) {
		n, rounded, ok := number(e)
		if !ok {
			continue
		}
		name := "followers"
		switch {
		case e.Attrs.HasClass("answer_count"):
			name, total, known = "answers", n, true
		case e.Attrs.HasClass("view_comments"):
			name = "comments"
		}
		addCount(q, name, n, rounded)
	}
	return total, known
}

// quoraBase is what relative links of a page are resolved against.
func quoraBase() *url.URL { return &url.URL{Scheme: "https", Host: "www.quora.com", Path: "/"} }

// number reads the count in an element: its part of class count, else its text.
func number(e pagescan.Element) (n int64, rounded, ok bool) {
	text := e.Text()
	if c, found := pagescan.First(e.Inner, func(_ string, a pagescan.Attrs) bool { return a.HasClass("count") }); found {
		text = c.Text()
	}
	return readNumber(wholeNumber.FindString(text))
}

// readNumber reads 1,204 and, rounded, 1.2k and 2+.
func readNumber(s string) (n int64, rounded, ok bool) {
	s, plus := strings.CutSuffix(s, "+")
	s = strings.ReplaceAll(s, ",", "")
	factor := 1.0
	switch {
	case strings.HasSuffix(strings.ToLower(s), "k"):
		factor = 1e3
	case strings.HasSuffix(strings.ToLower(s), "m"):
		factor = 1e6
	}
	f, err := strconv.ParseFloat(strings.TrimRight(s, "kKmM"), 64)
	if err != nil || f < 0 || f > 1e12 {
		return 0, false, false
	}
	return int64(f*factor + 0.5), plus || factor > 1, true
}

func addCount(p *post.Post, name string, n int64, rounded bool) {
	for _, c := range p.Counts {
		if c.Name == name {
			return
		}
	}
	c := post.ExactCount(name, n)
	if rounded {
		c = post.RoundedCount(name, n)
	}
	p.Counts = append(p.Counts, c)
}

// moments2015 maps the components of a page to the times that stand below them.
func moments2015(page []byte) map[string]time.Time {
	list := map[string]time.Time{}
	for _, m := range epoch.FindAllSubmatch(page, -1) {
		us, err := strconv.ParseInt(string(m[2]), 10, 64)
		if err != nil {
			continue
		}
		t := time.UnixMicro(us).UTC()
		list[string(m[1])] = t
		// "CHILD": "PARENT" in the script's table of components.
		if rest, ok := behindKey(page, append(bytes.Clone(m[1]), `": "`...)); ok {
			if end := bytes.IndexByte(rest[:min(len(rest), 64)], '"'); end > 0 {
				list[string(rest[:end])] = t
			}
		}
	}
	return list
}

// behindKey gives what stands behind key where it first stands in quotation
// marks; key is without the one before it, which is too common to look for.
func behindKey(page, key []byte) ([]byte, bool) {
	for from := 0; ; {
		i := bytes.Index(page[from:], key)
		if i < 0 {
			return nil, false
		}
		i += from
		from = i + len(key)
		if i > 0 && page[i-1] == '"' {
			return page[from:], true
		}
	}
}

// component takes the name out of an id: __w2_NAME_link.
func component(id string) string {
	id, ok := strings.CutPrefix(id, "__w2_")
	if !ok {
		return ""
	}
	return id[:max(strings.LastIndexByte(id, '_'), 0)]
}

func answer2015(aid string, part []byte, moments map[string]time.Time) (post.Post, bool) {
	p := post.Post{ID: aid, Kind: post.KindAnswer, Outcome: post.OK}
	words, found := []byte(nil), false
	anonymous := false
	for _, e := range pagescan.Find(part, func(tag string, a pagescan.Attrs) bool {
		switch {
		case tag == "span" && a.HasClass("feed_item_answer_user"), tag == "img" && a.HasClass("profile_photo_img"),
			tag == "div" && (a.HasClass("ExpandedAnswer") || a.HasClass("ExpandedQText")), tag == "a" && (a.HasClass("add_upvote") || a.HasClass("view_comments")):
			return true
		}
		return false
	}) {
		switch {
		case e.Tag == "img":
			// A picture of an account's own carries its id; others are the default.
			src := address(e.Attrs.Get("src"))
			if m := thumbID.FindStringSubmatch(src); m != nil && p.Account.Avatar == "" {
				p.Account.Avatar, p.Account.ID = src, m[1]
			}
		case e.Tag == "span" && p.Account.Name == "" && !anonymous:
			anonymous = !author2015(&p, e.Inner)
		case e.Attrs.HasClass("add_upvote"):
			if n, rounded, ok := number(e); ok {
				addCount(&p, "upvotes", n, rounded)
			}
		case e.Attrs.HasClass("view_comments"):
			if n, rounded, ok := number(e); ok {
				addCount(&p, "comments", n, rounded)
			}
		case e.Tag == "div" && !found:
			inner, ok := pagescan.First(e.Inner, func(tag string, a pagescan.Attrs) bool {
				return tag == "div" && strings.HasPrefix(a.Get("id"), "__w2_") && strings.HasSuffix(a.Get("id"), "_container")
			})
			if found = true; ok {
				words = inner.Inner
			} else {
				words = e.Inner
			}
		}
	}
	// The permanent link stands within the words or below them.
	if e, ok := pagescan.First(part, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.HasClass("answer_permalink") }); ok {
		if ref, ok := matchText(link(e.Attrs.Get("href"))); ok {
			p.URL = ref.URL
		}
		times2015(&p, e, moments)
	}
	if anonymous {
		p.Account = post.Account{}
		p.Tags = append(p.Tags, "anonymous")
	}
	if !found {
		return p, false
	}
	c := htmltext.Fragment(string(words), quoraBase())
	p.Text, p.Links, p.Media = c.Text, c.Links, c.Media
	return p, p.Text != "" || len(p.Media) > 0
}

// author2015 reads the author's link. It gives false where the answer names
// nobody.
func author2015(p *post.Post, part []byte) bool {
	e, ok := pagescan.First(part, func(tag string, a pagescan.Attrs) bool { return tag == "a" && a.HasClass("user") })
	if !ok {
		return !bytes.Contains(part, []byte("Anonymous")) && !bytes.Contains(part, []byte("Anon User"))
	}
	p.Account.Name = e.Text()
	if parts := segments(e.Attrs.Get("href")); len(parts) > 0 && isSlug(parts[len(parts)-1]) && strings.HasPrefix(e.Attrs.Get("href"), "/") {
		p.Account.Handle = parts[len(parts)-1]
		p.Account.URL = accountRef("", p.Account.Handle).URL
	}
	if bio, ok := pagescan.First(part, func(_ string, a pagescan.Attrs) bool { return a.HasClass("expanded_q_text") }); ok {
		if s := bio.Text(); s != "" {
			p.Tags = append(p.Tags, "credential:"+s)
		}
	}
	return true
}

// times2015 reads "Written Tue" and "Updated 3 Jan": the exact time of the
// script where there is one, else the words alone.
func times2015(p *post.Post, e pagescan.Element, moments map[string]time.Time) {
	raw := e.Text()
	t := post.Time{Raw: raw, Source: post.SourceRelative}
	if exact, ok := moments[component(e.Attrs.Get("id"))]; ok {
		t = post.Exact(exact, raw)
	}
	if raw == "" && t.Time.IsZero() {
		return
	}
	if strings.HasPrefix(raw, "Updated") {
		p.Edited = t
		if !t.Time.IsZero() {
			p.Created = post.Between(time.Time{}, t.Time, raw, post.SourceField)
		}
		return
	}
	p.Created = t
}

// qaPage reads ld+json of type QAPage, as pages of 2018 and after had it for
// search engines. Answers have addresses there, and no ids.
func (r *reader) qaPage(page []byte) bool {
	if !bytes.Contains(page, []byte("QAPage")) {
		return false
	}
	var q jsonx.Value
	for _, o := range pagescan.ReadHead(page).LD {
		if o.Get("@type").String() == "QAPage" && o.Get("mainEntity").IsObject() {
			q = o.Get("mainEntity")
			break
		}
	}
	if !q.Exists() {
		return false
	}
	ref, ok := canonical(page)
	if !ok {
		ref = r.step.Ref
	}
	if want := r.step.Ref; want.Kind == crawlers.RefQuestion && ref.Kind == crawlers.RefQuestion && !sameSlug(ref.ID, want.ID) && !isNumber(want.ID) {
		r.fail(post.LayoutChanged, "asked for "+want.ID+", the page is about "+ref.ID)
		return true
	}
	if ref.Kind != crawlers.RefQuestion && ref.Kind != crawlers.RefPost {
		return false
	}
	id := ref.ID
	if i := strings.Index(id, "/answer"); i >= 0 {
		id = id[:i]
	}
	qp := post.Post{ID: "question:" + id, Kind: post.KindQuestion, URL: ref.URL, Title: plain(q.Get("name").String()), Text: plain(q.Get("text").String()), Outcome: post.OK}
	if qp.Text == qp.Title {
		qp.Text = ""
	}
	ldCommon(&qp, q)
	total, known := q.Get("answerCount").Int()
	if known && total >= 0 {
		qp.Counts = append(qp.Counts, post.ExactCount("answers", total))
	}
	r.add(qp)
	served := 0
	for _, key := range []string{"acceptedAnswer", "suggestedAnswer"} {
		list := q.Get(key).Array()
		if q.Get(key).IsObject() {
			list = []jsonx.Value{q.Get(key)}
		}
		for _, a := range list {
			at, ok := matchText(link(a.Get("url").String()))
			if !ok || at.Kind != crawlers.RefPost {
				continue
			}
			p := post.Post{ID: at.ID, Kind: post.KindAnswer, URL: at.URL, Title: qp.Title, Text: plain(a.Get("text").String()), Outcome: post.OK, Thread: qp.ID,
				Refs: []post.Ref{{Role: post.RoleReplyTo, ID: qp.ID, URL: qp.URL}}}
			ldCommon(&p, a)
			served++
			r.add(p)
		}
	}
	cov := &r.page.Coverage
	cov.Served, cov.Total, cov.Known, cov.End = served, total, known, "all answers"
	if !known || total > int64(served) {
		cov.End = "the page carries the first answers only"
		r.fail(post.OKPartial, strconv.Itoa(served)+" of "+strconv.FormatInt(total, 10)+" answers")
	}
	return true
}

func plain(s string) string { return strings.TrimSpace(html.UnescapeString(s)) }

func ldCommon(p *post.Post, o jsonx.Value) {
	if t, err := time.Parse(time.RFC3339Nano, o.Get("dateCreated").String()); err == nil {
		p.Created = post.Exact(t, "")
	} else if t, err := time.Parse(time.RFC3339Nano, o.Get("datePublished").String()); err == nil {
		p.Created = post.Exact(t, "")
	}
	if n, ok := o.Get("upvoteCount").Int(); ok && n >= 0 {
		p.Counts = append(p.Counts, post.ExactCount("upvotes", n))
	}
	a := o.Get("author")
	p.Account.Name = plain(a.Get("name").String())
	if ref, ok := matchText(link(a.Get("url").String())); ok && ref.Kind == crawlers.RefAccount {
		p.Account.Handle, p.Account.URL = ref.ID, ref.URL
	}
	if p.Account.Handle == "" && p.Account.Name == "Anonymous" {
		p.Account = post.Account{}
		p.Tags = append(p.Tags, "anonymous")
	}
}
