package livejournal

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

var (
	nameForm = regexp.MustCompile(`^[a-z0-9_]{1,25}$`)
	itemForm = regexp.MustCompile(`^(\d{1,12})\.html?$`)
	numForm  = regexp.MustCompile(`^\d{1,12}$`)
)

// siteHost are hosts under livejournal.com that are not journals.
func siteHost(name string) bool {
	switch name {
	case "www", "m", "users", "community", "communities", "syndicated", "stat", "l-stat", "p-stat", "files", "l-files", "userpic", "l-userpic", "userpics", "pics", "img", "imgprx", "api", "l-api", "embed", "xc3", "static", "cdn", "mail", "status", "dev", "ap", "post", "account", "accounts":
		return true
	}
	return strings.Contains(name, ".")
}

// journalURL is the address of a journal, with a slash.
func journalURL(name string) string {
	if strings.HasPrefix(name, "_") || strings.HasSuffix(name, "_") {
		return "https://users.livejournal.com/" + name + "/"
	}
	return "https://" + strings.ReplaceAll(name, "_", "-") + ".livejournal.com/"
}

func journalRef(name string) crawlers.Ref {
	return newRef(crawlers.RefAccount, name, "", journalURL(name), true)
}

func postRef(name, item string) crawlers.Ref {
	item = plain(item)
	return newRef(crawlers.RefPost, name+":"+item, name, journalURL(name)+item+".html", false)
}

func commentRef(name, item, thread string) crawlers.Ref {
	item, thread = plain(item), plain(thread)
	return newRef(crawlers.RefComment, name+":"+item+":"+thread, name, journalURL(name)+item+".html?thread="+thread, false)
}

// plain drops leading zeros.
func plain(n string) string {
	if v, err := strconv.ParseInt(n, 10, 64); err == nil {
		return strconv.FormatInt(v, 10)
	}
	return n
}

func boardRef(name, id string) crawlers.Ref {
	return newRef(crawlers.RefBoard, id, name, journalURL(name)+id+"/", false)
}

func tagRef(name, tag string) crawlers.Ref {
	tag = strings.Join(strings.Fields(strings.ReplaceAll(tag, "+", " ")), " ")
	return newRef(crawlers.RefTag, tag, name, journalURL(name)+"tag/"+url.PathEscape(tag), false)
}

// clean makes a journal's name of a host label or path part.
func clean(s string) (string, bool) {
	s = strings.ReplaceAll(strings.ToLower(s), "-", "_")
	return s, nameForm.MatchString(s)
}

// Match reports what u names on LiveJournal.
func (Collector) Match(u *url.URL) (crawlers.Ref, bool) {
	if u == nil || u.Scheme != "http" && u.Scheme != "https" {
		return crawlers.Ref{}, false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	parts := strings.Split(strings.Trim(path.Clean("/"+u.Path), "/"), "/")
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	below := func(i int, of string) (crawlers.Ref, bool) {
		name, ok := clean(of)
		if !ok {
			return crawlers.Ref{}, false
		}
		return matchJournal(u, parts[min(i, len(parts)):], name)
	}
	switch host {
	case "livejournal.com", "www.livejournal.com":
		switch get(0) {
		case "users", "community", "journal":
			return below(2, get(1))
		case "userinfo.bml", "profile", "profile.bml", "allpics.bml":
			if name, ok := clean(u.Query().Get("user")); ok {
				return journalRef(name), true
			}
			return crawlers.Ref{}, false
		case "misc", "adult_explicit.bml", "adult_concepts.bml":
			if to, err := url.Parse(u.Query().Get("ret")); err == nil && to.Host != "" && !strings.HasPrefix(strings.ToLower(to.Hostname()), "www.") {
				return (Collector{}).Match(to)
			}
			return crawlers.Ref{}, false
		}
		if name, ok := strings.CutPrefix(get(0), "~"); ok {
			return below(1, name)
		}
		return crawlers.Ref{}, false
	case "m.livejournal.com":
		if get(0) == "read" && (get(1) == "user" || get(1) == "community") {
			if name, ok := clean(get(2)); ok && numForm.MatchString(get(3)) {
				return withThread(u, name, get(3)), true
			}
			return below(3, get(2))
		}
		return crawlers.Ref{}, false
	case "users.livejournal.com", "community.livejournal.com", "communities.livejournal.com", "syndicated.livejournal.com":
		return below(1, get(0))
	}
	label, ok := strings.CutSuffix(host, ".livejournal.com")
	label = strings.TrimPrefix(label, "www.")
	if !ok || siteHost(label) {
		return crawlers.Ref{}, false
	}
	return below(0, label)
}

// withThread is an entry, or the comment of it that ?thread= names.
func withThread(u *url.URL, name, item string) crawlers.Ref {
	thread := u.Query().Get("thread")
	if i := strings.IndexByte(thread, '#'); i >= 0 {
		thread = thread[:i]
	}
	if numForm.MatchString(thread) {
		return commentRef(name, item, thread)
	}
	return postRef(name, item)
}

// matchJournal tells a path below one journal.
func matchJournal(u *url.URL, parts []string, name string) (crawlers.Ref, bool) {
	get := func(i int) string {
		if i < len(parts) {
			return parts[i]
		}
		return ""
	}
	q := u.Query()
	switch first := get(0); {
	case itemForm.MatchString(first):
		return withThread(u, name, itemForm.FindStringSubmatch(first)[1]), true
	case first == "tag" && get(1) != "":
		return tagRef(name, get(1)), true
	case first == "data" || first == "rss" || first == "atom":
		if item := q.Get("itemid"); numForm.MatchString(item) {
			return postRef(name, item), true
		}
		if tag := q.Get("tag"); tag != "" {
			return tagRef(name, tag), true
		}
	case first == "__rpc_get_thread" && numForm.MatchString(q.Get("itemid")):
		return withThread(u, name, q.Get("itemid")), true
	case first == "calendar":
		if year := get(1); len(year) == 4 && numForm.MatchString(year) {
			return boardRef(name, year), true
		}
		return boardRef(name, "calendar"), true
	case len(first) == 4 && numForm.MatchString(first):
		id := first
		for i := 1; i < 3 && i < len(parts); i++ {
			n, err := strconv.Atoi(parts[i])
			if err != nil || n < 1 || n > 31 || i == 1 && n > 12 {
				break
			}
			if n < 10 {
				id += "/0" + strconv.Itoa(n)
			} else {
				id += "/" + strconv.Itoa(n)
			}
		}
		return boardRef(name, id), true
	}
	return journalRef(name), true
}

// Identify reports whom an exchange is about. LiveJournal has no custom
// domains that are still served, so the address tells.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	return c.Match(u)
}
