package web

import (
	"bytes"
	"html"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/urlform"
)

// linkedData is what a page's JSON-LD says of the page's own item.
type linkedData struct {
	types               []string // of every item, as they stand in the page
	article             bool     // the item is an article of some kind
	headline            string
	published, modified string
	authors             []author
	keywords            []string
	lang, body          string
	site                string // publisher
	images              []string
	description         string
}

type author struct{ name, url string }

// readLD reads JSON-LD scripts. A page may describe many things: its own item
// is the article (or else the dated thing) that names the page's address, or
// else the first one that has a headline or date. Items that only stand in a
// list or under another item are not looked at.
func readLD(scripts []string, page ...string) linkedData {
	var items []jsonx.Value
	byID := map[string]jsonx.Value{}
	for _, script := range scripts {
		value, err := jsonx.Parse(cleanLD(script))
		if err != nil {
			continue
		}
		items = appendItems(items, value, 0)
	}
	var out linkedData
	var best jsonx.Value
	bestRank := 0
	for _, item := range items {
		if id := item.Get("@id").String(); id != "" && !byID[id].Exists() {
			byID[id] = item
		}
		types := typesOf(item)
		out.types = append(out.types, types...)
		if rank := rankOf(item, types, page); rank > bestRank {
			best, bestRank = item, rank
		}
	}
	if bestRank == 0 {
		return out
	}
	for _, t := range typesOf(best) {
		out.article = out.article || isArticleType(t)
	}
	out.headline = plain(firstOf(best.Get("headline").String(), best.Get("name").String()))
	out.published = firstOf(best.Get("datePublished").String(), best.Get("dateCreated").String(), best.Get("uploadDate").String())
	out.modified = best.Get("dateModified").String()
	out.lang = firstOf(best.Get("inLanguage").String(), best.Get("inLanguage", "alternateName").String(), best.Get("inLanguage", "name").String())
	out.body = best.Get("articleBody").String()
	out.description = plain(best.Get("description").String())
	out.authors = people(best.Get("author"), byID)
	if len(out.authors) == 0 {
		out.authors = people(best.Get("creator"), byID)
	}
	if publisher := people(best.Get("publisher"), byID); len(publisher) > 0 {
		out.site = publisher[0].name
	}
	out.keywords = keywords(best.Get("keywords"))
	out.images = images(best.Get("image"), byID)
	return out
}

// cleanLD cuts off what old templates put around JSON in a script, and mends
// line breaks within strings, which many generators leave in.
func cleanLD(script string) []byte {
	s := strings.TrimSpace(script)
	for _, wrap := range [][2]string{{"<!--", "-->"}, {"//<![CDATA[", "//]]>"}, {"/*<![CDATA[*/", "/*]]>*/"}, {"<![CDATA[", "]]>"}} {
		if strings.HasPrefix(s, wrap[0]) {
			s = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(s, wrap[0]), wrap[1]))
		}
	}
	s = strings.TrimSuffix(s, ";")
	if !strings.ContainsAny(s, "\n\r\t") {
		return []byte(s)
	}
	data := []byte(s)
	inString := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString && c < ' ':
			data[i] = ' '
		}
	}
	return bytes.TrimSpace(data)
}

// appendItems lists the items at the top: of an array, and of @graph.
func appendItems(items []jsonx.Value, v jsonx.Value, depth int) []jsonx.Value {
	if depth > 4 || len(items) > 500 {
		return items
	}
	if v.IsArray() {
		for _, e := range v.Array() {
			items = appendItems(items, e, depth+1)
		}
		return items
	}
	if !v.IsObject() {
		return items
	}
	if graph := v.Get("@graph"); graph.Exists() {
		items = appendItems(items, graph, depth+1)
	}
	if v.Has("@type") {
		items = append(items, v)
	}
	if main := v.Get("mainEntity"); main.IsObject() { // of a page or profile
		items = appendItems(items, main, depth+1)
	}
	return items
}

func typesOf(item jsonx.Value) []string {
	t := item.Get("@type")
	if t.IsArray() {
		var types []string
		for _, e := range t.Array() {
			if s := typeName(e.String()); s != "" {
				types = append(types, s)
			}
		}
		return types
	}
	if s := typeName(t.String()); s != "" {
		return []string{s}
	}
	return nil
}

func typeName(s string) string {
	s = strings.TrimPrefix(s, "schema:")
	return s[strings.LastIndexAny(s, "/#")+1:]
}

// isArticleType reports whether a schema.org type is an Article, by
// https://schema.org/Article and its subtypes.
func isArticleType(t string) bool {
	switch t {
	case "Article", "AdvertiserContentArticle", "SatiricalArticle", "NewsArticle", "AnalysisNewsArticle", "AskPublicNewsArticle",
		"BackgroundNewsArticle", "OpinionNewsArticle", "ReportageNewsArticle", "ReviewNewsArticle", "Report", "ScholarlyArticle",
		"MedicalScholarlyArticle", "SocialMediaPosting", "BlogPosting", "LiveBlogPosting", "DiscussionForumPosting", "TechArticle", "APIReference":
		return true
	}
	return false
}

// rankOf says how likely item is the page's own: 0 is not at all.
func rankOf(item jsonx.Value, types, page []string) int {
	rank := 0
	for _, t := range types {
		switch {
		case isArticleType(t):
			rank = max(rank, 30)
		case t == "WebPage" || t == "AboutPage" || t == "ItemPage" || t == "ProfilePage" || t == "CollectionPage":
			rank = max(rank, 5)
		case t == "VideoObject" || t == "Recipe" || t == "Product" || t == "Event" || t == "Question" || t == "HowTo" || t == "Review" || t == "CreativeWork" || t == "PodcastEpisode" || t == "MediaObject" || t == "Book" || t == "Movie":
			rank = max(rank, 10)
		}
	}
	if rank == 0 {
		return 0
	}
	if item.Get("datePublished").String() != "" {
		rank += 4
	}
	if item.Get("headline").String() != "" {
		rank += 2
	}
	for _, own := range []string{item.Get("url").String(), item.Get("@id").String(), item.Get("mainEntityOfPage").String(), item.Get("mainEntityOfPage", "@id").String(), item.Get("mainEntityOfPage", "url").String()} {
		own, _, _ = strings.Cut(own, "#")
		canonical, ok := urlform.CanonicalString(own)
		for _, p := range page {
			if ok && canonical == p {
				return rank + 50
			}
		}
	}
	return rank
}

// people reads an author or publisher: a name, an object, or a list of either.
// An object that only holds an @id stands elsewhere in the graph.
func people(v jsonx.Value, byID map[string]jsonx.Value) []author {
	if v.IsArray() {
		var all []author
		for _, e := range v.Array() {
			if len(all) < 20 && !e.IsArray() {
				all = append(all, people(e, byID)...)
			}
		}
		return all
	}
	if v.IsString() {
		if name := plain(v.String()); name != "" && !strings.Contains(name, "://") {
			return []author{{name: name}}
		}
		return nil
	}
	if id := v.Get("@id").String(); id != "" && !v.Has("name") {
		v = byID[id]
	}
	name := plain(v.Get("name").String())
	if name == "" && v.Get("name").IsArray() {
		name = plain(v.Get("name").At(0).String())
	}
	if name == "" {
		return nil
	}
	return []author{{name: name, url: strings.TrimSpace(v.Get("url").String())}}
}

func keywords(v jsonx.Value) []string {
	if !v.IsArray() {
		return splitTags(v.String())
	}
	var all []string
	for _, e := range v.Array() {
		if s := plain(firstOf(e.String(), e.Get("name").String())); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func images(v jsonx.Value, byID map[string]jsonx.Value) []string {
	if v.IsArray() {
		var all []string
		for _, e := range v.Array() {
			if len(all) < 20 && !e.IsArray() {
				all = append(all, images(e, byID)...)
			}
		}
		return all
	}
	if v.IsObject() {
		if id := v.Get("@id").String(); id != "" && !v.Has("url") {
			v = byID[id]
		}
		v = jsonx.Of(firstOf(v.Get("url").String(), v.Get("contentUrl").String()))
	}
	if s := strings.TrimSpace(v.String()); s != "" {
		return []string{s}
	}
	return nil
}

// plain is a value of JSON-LD as text: many generators leave HTML's character
// references in.
func plain(s string) string { return squeeze(html.UnescapeString(s)) }

// splitTags parts keywords at commas; semicolons where there is no comma.
func splitTags(s string) []string {
	by := ","
	if !strings.Contains(s, ",") && strings.Contains(s, ";") {
		by = ";"
	}
	var tags []string
	for t := range strings.SplitSeq(s, by) {
		if t = plain(t); t != "" && len(t) <= 100 && len(tags) < 100 {
			tags = append(tags, t)
		}
	}
	return tags
}

// absolute resolves an address of the page.
func absolute(s string, base *url.URL) string {
	if s == "" {
		return ""
	}
	to, ok := htmltext.Resolve(s, base)
	if !ok {
		return ""
	}
	return to
}
