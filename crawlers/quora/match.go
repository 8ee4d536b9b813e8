package quora

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
)

func hostOf(u *url.URL) string { return strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")) }

func segments(path string) []string {
	var list []string
	for s := range strings.SplitSeq(path, "/") {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// ownHost splits a host of Quora: the language site or Space before quora.com,
// "" of www. It gives false for other hosts and for Quora's services.
func ownHost(host string) (sub string, ok bool) {
	switch host {
	case "quora.com", "www.quora.com", "m.quora.com":
		return "", true
	}
	sub, ok = strings.CutSuffix(host, ".quora.com")
	if !ok || sub == "" || strings.Trim(sub, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", false
	}
	switch sub {
	case "log", "help", "careers", "business", "api", "tch", "about", "ads", "status", "engineering", "mail", "link", "links", "static", "poe", "insights", "investors":
		return "", false
	}
	return sub, !strings.HasPrefix(sub, "tch")
}

// isLanguage reports whether a subdomain is a language site. Japanese is jp, not
// ja.
func isLanguage(sub string) bool {
	switch sub {
	case "ar", "bn", "da", "de", "es", "fi", "fr", "gu", "he", "hi", "id", "it", "jp", "kn", "ko", "ml", "mr", "nl", "no", "pl", "pt", "sv", "ta", "te", "tr", "zh":
		return true
	}
	return false
}

func base(sub string) string {
	if sub == "" {
		return site
	}
	return "https://" + sub + ".quora.com"
}

// Match reports what u names on Quora.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return none, false
	}
	parts := segments(u.Path)
	for _, p := range parts {
		if !isSlug(p) {
			return none, false
		}
	}
	host := hostOf(u)
	if host == "qr.ae" || host == "www.qr.ae" {
		if len(parts) == 1 {
			return newRef(crawlers.RefShort, parts[0], "", shortener+url.PathEscape(parts[0]), true), true
		}
		return none, false
	}
	sub, ok := ownHost(host)
	if !ok {
		return none, false
	}
	if sub != "" && !isLanguage(sub) {
		return matchSpace(sub, parts)
	}
	if len(parts) == 0 {
		return none, false
	}
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	switch first := strings.ToLower(parts[0]); {
	case first == "profile":
		if get(1) == "" {
			return none, false
		}
		return accountRef(sub, get(1)), true
	case first == "topic":
		if get(1) == "" {
			return none, false
		}
		return newRef(crawlers.RefTag, get(1), sub, base(sub)+"/topic/"+url.PathEscape(get(1)), true), true
	case first == "q":
		if get(1) == "" {
			return none, false
		}
		return matchSpace(strings.ToLower(get(1)), parts[2:])
	case first == "unanswered":
		if get(1) == "" {
			return none, false
		}
		return questionRef(sub, get(1)), true
	case isReserved(first):
		return none, false
	}
	return matchQuestion(sub, parts)
}

// matchQuestion reads /Slug, /Slug/answer/Author, /Slug/answers/AID, a topic
// before the slug as in old addresses, and a question's other tabs.
func matchQuestion(sub string, parts []string) (crawlers.Ref, bool) {
	slug := parts[0]
	if len(parts) > 1 {
		switch strings.ToLower(parts[1]) {
		case "answer":
			if len(parts) > 2 {
				return answerRef(sub, slug, parts[2]), true
			}
		case "answers":
			if len(parts) > 2 && isNumber(parts[2]) {
				return numberRef(sub, slug, parts[2]), true
			}
		case "log", "comments", "comment", "followers", "links", "best_questions", "all_questions", "share", "redirect":
		default:
			if !strings.Contains(parts[1], "-") || len(parts) > 2 && parts[2] != "answer" {
				return crawlers.Ref{}, false
			}
			return matchQuestion(sub, parts[1:]) // /Topic/Slug
		}
	}
	if strings.Contains(slug, ".") && !strings.Contains(slug, "-") {
		return crawlers.Ref{}, false // robots.txt, favicon.ico
	}
	return questionRef(sub, slug), true
}

// matchSpace reads NAME.quora.com and /q/NAME.
func matchSpace(name string, parts []string) (crawlers.Ref, bool) {
	if name == "" || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return crawlers.Ref{}, false
	}
	home := "https://" + name + ".quora.com"
	if len(parts) == 0 {
		return newRef(crawlers.RefGroup, name, "", home+"/", true), true
	}
	switch strings.ToLower(parts[0]) {
	case "about", "questions", "posts", "people", "followers", "top", "recent":
		return newRef(crawlers.RefGroup, name, "", home+"/", true), true
	case "robots.txt", "favicon.ico", "graphql", "ajax", "_":
		return crawlers.Ref{}, false
	}
	slug := parts[0]
	return newRef(crawlers.RefPost, name+":"+slug, name, home+"/"+url.PathEscape(slug), true), true
}

func newRef(kind crawlers.RefKind, id, of, address string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: address, Alias: alias}
}

func questionRef(sub, slug string) crawlers.Ref {
	return newRef(crawlers.RefQuestion, slug, sub, base(sub)+"/"+url.PathEscape(slug), true)
}

func accountRef(sub, name string) crawlers.Ref {
	// A profile is one for all languages; its answers differ by site.
	return newRef(crawlers.RefAccount, name, sub, base(sub)+"/profile/"+url.PathEscape(name), true)
}

func answerRef(sub, slug, author string) crawlers.Ref {
	return newRef(crawlers.RefPost, answerPath(sub, slug, author), sub, base(sub)+"/"+url.PathEscape(slug)+"/answer/"+url.PathEscape(author), true)
}

// answerPath names an answer whose aid is not known.
func answerPath(sub, slug, author string) string {
	id := slug + "/answer/" + author
	if sub != "" {
		id = sub + ":" + id
	}
	return id
}

func numberRef(sub, slug, aid string) crawlers.Ref {
	return newRef(crawlers.RefPost, aid, sub, base(sub)+"/"+url.PathEscape(slug)+"/answers/"+aid, false)
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}

// isSlug accepts the words of an address in any script.
func isSlug(s string) bool {
	return s != "" && len(s) <= 500 && utf8.ValidString(s) && !strings.ContainsAny(s, "/\\<>\"' \t\r\n\x00") && s != "." && s != ".."
}

// isReserved reports whether a first part of a path is Quora's own.
func isReserved(s string) bool {
	switch s {
	case "_", "about", "ajax", "answer", "answers", "blogs", "bookmarks", "careers", "challenges", "content", "contact", "contests", "credits", "drafts", "following", "graphql", "home", "inbox",
		"invite", "journalists", "join", "login", "log", "logout", "messages", "mobile", "notifications", "opensearch", "partners", "policies", "press", "privacy", "q", "qemail", "quoraplus", "redirect", "robots.txt",
		"search", "sessions", "settings", "share", "signup", "sitemap", "spaces", "stats", "static", "terms", "tos", "topics", "unsubscribe", "widgets", "webnode2", "your_content":
		return true
	}
	return false
}

// Request says what to ask for to do s.
func (Collector) Request(s crawlers.Step) (crawlers.Request, error) {
	none := crawlers.Request{}
	r := s.Ref
	if r.Platform != platform {
		return none, fmt.Errorf("quora: request: a step of %q, not of quora", r.Platform)
	}
	if len(s.State) > 0 {
		return none, fmt.Errorf("quora: request %s: steps of quora have no state", r.URL)
	}
	switch s.Role {
	case "", crawlers.RolePage, crawlers.RoleHydrate, crawlers.RoleResolve:
	default:
		return none, fmt.Errorf("quora: request %s: there is nothing to ask for role %q", r.URL, s.Role)
	}
	if s.Route != "" && s.Route != routeHTML {
		return none, fmt.Errorf("quora: request %s: there is no route %q, only html", r.URL, s.Route)
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return none, fmt.Errorf("quora: request: %w", err)
	}
	if _, ok := ownHost(hostOf(u)); !ok && hostOf(u) != "qr.ae" {
		return none, fmt.Errorf("quora: request %q: not an address of quora", r.URL)
	}
	return crawlers.Request{URL: r.URL}, nil
}
