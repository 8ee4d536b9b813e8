package web

import (
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/traces"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// facts are the fields of a page's post that its markup states: all but the text.
type facts struct {
	title, site, description string
	lang                     string
	kind                     post.Kind
	url                      string // canonical, as the page says, if it is of the same site
	account                  post.Account
	created, edited          post.Time
	tags                     []string
	ld                       linkedData
}

// maxTags bounds the tags of one page.
const maxTags = 100

// facts decides which of the page's statements count. asked is the canonical
// address that answered.
func (d *document) facts(asked string) facts {
	var f facts
	canonical := ""
	if to, ok := urlform.CanonicalString(d.canonical); ok {
		canonical = to
	}
	f.ld = readLD(d.ld, asked, canonical)
	f.url = asked
	if canonical != "" {
		if u, err := url.Parse(canonical); err == nil && urlform.SameSite(u, d.address) && (u.Path != "/" || d.address.Path == "/" || d.address.Path == "") {
			f.url = canonical
		}
	}
	f.site = firstOf(d.first("og:site_name", "application-name"), f.ld.site)
	f.title = cut(squeeze(firstOf(f.ld.headline, d.first("og:title", "twitter:title", "dc.title"), d.firstProp("headline"), d.ownTitle(f.site), d.h1)), maxValue)
	f.description = squeeze(firstOf(d.first("og:description", "description", "twitter:description", "dc.description"), f.ld.description))
	f.kind = d.kind(f.ld)
	f.lang = d.language(f.ld)
	f.account = d.account(f.ld, f.site)
	f.created, f.edited = d.when(f.ld, f.kind)
	f.tags = d.tags(f.ld)
	return f
}

// ownTitle is the text of <title> without the site's name at its end.
func (d *document) ownTitle(site string) string {
	if site == "" || !strings.HasSuffix(d.title, site) {
		return d.title
	}
	rest := strings.TrimRight(strings.TrimSuffix(d.title, site), " ")
	for _, between := range []string{"|", "-", "–", "—", "·", "•", "»", "::", ":", "/"} {
		if short, ok := strings.CutSuffix(rest, " "+between); ok && strings.TrimSpace(short) != "" {
			return strings.TrimSpace(short)
		}
	}
	return d.title
}

func (d *document) kind(ld linkedData) post.Kind {
	if ld.article || strings.EqualFold(d.first("og:type"), "article") {
		return post.KindArticle
	}
	for _, t := range d.itemtypes {
		if isArticleType(t) {
			return post.KindArticle
		}
	}
	return post.KindPage
}

func (d *document) language(ld linkedData) string {
	for _, tag := range []string{d.lang, d.first("content-language"), ld.lang, d.first("og:locale", "dc.language")} {
		tag, _, _ = strings.Cut(tag, ",")
		tag = strings.ReplaceAll(strings.TrimSpace(tag), "_", "-")
		if isLanguage(tag) {
			return tag
		}
	}
	return ""
}

// isLanguage reports whether s has the form of a BCP 47 tag.
func isLanguage(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if len(part) < 1 || len(part) > 8 || i == 0 && (len(part) < 2 || len(part) > 3) {
			return false
		}
		for _, c := range part {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && c >= '0' && c <= '9') {
				return false
			}
		}
	}
	return true
}

// account is the author, else the site.
func (d *document) account(ld linkedData, site string) post.Account {
	authors := ld.authors
	if len(authors) == 0 {
		var a author
		for _, name := range []string{"author", "article:author", "dc.creator", "dcterms.creator", "parsely-author", "sailthru.author", "byl"} {
			for _, m := range d.meta {
				switch {
				case m.name != name:
				case isAddress(m.value):
					a.url = firstOf(a.url, m.value)
				case a.name == "":
					a.name = strings.TrimPrefix(squeeze(m.value), "By ")
				}
			}
		}
		if a.name == "" {
			a.name = strings.TrimPrefix(d.firstProp("author"), "by ")
			a.url = firstOf(a.url, d.firstProp("author url"))
		}
		if a.name != "" || a.url != "" {
			authors = []author{a}
		}
	}
	switch len(authors) {
	case 0:
		home := d.address.ResolveReference(&url.URL{Path: "/"})
		home.RawQuery = ""
		address, _ := urlform.Canonical(home)
		return post.Account{Handle: urlform.Host(d.address), Name: cut(squeeze(site), 300), URL: address}
	case 1:
		address := absolute(authors[0].url, d.base)
		return post.Account{ID: address, Name: cut(authors[0].name, 300), URL: address}
	}
	var names []string
	for _, a := range authors {
		names = append(names, a.name)
	}
	return post.Account{Name: cut(strings.Join(names, ", "), 1000)}
}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "//")
}

// when gives the times of publication and of the last edit.
func (d *document) when(ld linkedData, kind post.Kind) (created, edited post.Time) {
	var said []string
	add := func(s string) {
		if s != "" {
			said = append(said, s)
		}
	}
	add(ld.published)
	for _, name := range []string{"article:published_time", "og:article:published_time", "og:published_time", "article:published", "datepublished", "dateposted", "parsely-pub-date", "sailthru.date",
		"dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date.created", "dc.date", "dcterms.date", "date", "pubdate", "publishdate", "publish-date", "publish_date", "publication_date",
		"article.published", "citation_publication_date", "citation_date", "video:release_date", "og:video:release_date", "datecreated"} {
		add(d.first(name))
	}
	add(d.firstProp("datepublished"))
	for _, t := range d.times {
		if t.published {
			add(t.value)
			break
		}
	}
	add(d.firstProp("datecreated"))
	if kind == post.KindArticle || len(d.times) == 1 {
		for _, t := range d.times {
			if t.article {
				add(t.value)
				break
			}
		}
	}
	created = firstTime(said)

	said = said[:0]
	add(ld.modified)
	for _, name := range []string{"article:modified_time", "og:article:modified_time", "og:updated_time", "og:modified_time", "datemodified", "dcterms.modified", "dc.date.modified", "last-modified", "lastmod"} {
		add(d.first(name))
	}
	add(d.firstProp("datemodified"))
	edited = firstTime(said)
	if !edited.IsZero() && !created.IsZero() && !edited.Latest().After(created.Earliest()) {
		edited = post.Time{} // the same moment written twice, or nonsense
	}
	if edited.Time.Equal(created.Time) && edited.From.Equal(created.From) && edited.To.Equal(created.To) {
		edited = post.Time{}
	}
	return created, edited
}

// firstTime gives the first date among said. Where that is an interval and a
// later one is exact and lies in it, the exact one is taken.
func firstTime(said []string) post.Time {
	var first post.Time
	for _, s := range said {
		t, ok := dates.Parse(s)
		switch {
		case !ok:
		case first.IsZero():
			if first = t; !t.Time.IsZero() {
				return t
			}
		case !t.Time.IsZero() && !t.Time.Before(first.Earliest()) && !t.Time.After(first.Latest()):
			return t
		}
	}
	return first
}

func (d *document) tags(ld linkedData) []string {
	var tags []string
	seen := map[string]bool{}
	add := func(t string) {
		t = squeeze(t)
		if t == "" || len(t) > 200 || seen[t] || len(tags) >= maxTags {
			return
		}
		if _, ok := traces.FromTag(t); ok {
			return // a keyword is not an id of the page
		}
		seen[t] = true
		tags = append(tags, t)
	}
	for _, t := range ld.keywords {
		add(t)
	}
	for _, m := range d.meta {
		switch m.name {
		case "article:tag", "article:section", "og:article:tag":
			add(m.value)
		case "keywords", "news_keywords", "parsely-tags", "sailthru.tags":
			for _, t := range splitTags(m.value) {
				add(t)
			}
		}
	}
	for _, p := range d.prop {
		if p.name == "tag" {
			add(strings.TrimPrefix(p.value, "#"))
		}
	}
	return tags
}
