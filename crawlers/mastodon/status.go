package mastodon

import (
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/htmltext"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one status as the client interface of host states it, for
// importers. It gives false for anything else.
func ReadItem(raw []byte, host string) (post.Post, bool) {
	v, err := jsonx.Parse(raw)
	if err != nil || !isStatus(v) {
		return post.Post{}, false
	}
	return readStatus(v, firstOf(host, hostOf(v.Get("account")))), true
}

func isStatus(v jsonx.Value) bool {
	return v.Get("id").String() != "" && v.Get("account").IsObject() && v.Has("content") && strings.Contains(v.Get("uri").String(), ":") && v.Get("created_at").String() != ""
}

func isAccount(v jsonx.Value) bool {
	return v.Get("id").String() != "" && v.Get("acct").String() != "" && v.Has("username") && v.Has("statuses_count")
}

// hostOf is the home of an account: in its acct, else in its address.
func hostOf(account jsonx.Value) string {
	if _, host := split(account.Get("acct").String()); host != "" {
		return strings.ToLower(host)
	}
	u, err := url.Parse(account.Get("url").String())
	if err != nil {
		return ""
	}
	return urlform.Host(u)
}

// isLocal reports whether an account or mention is of the asked server.
func isLocal(account jsonx.Value) bool {
	acct := account.Get("acct").String()
	return acct != "" && !strings.Contains(acct, "@")
}

// handle is USER@HOME.
func handle(acct, host string) string {
	if acct == "" || strings.Contains(acct, "@") || host == "" {
		return acct
	}
	return acct + "@" + host
}

// statusID is NUMBER@HOME where the addresses of a status tell it, else its uri.
func statusID(v jsonx.Value) string {
	for _, key := range []string{"uri", "url"} {
		u, err := url.Parse(v.Get(key).String())
		if err != nil || u.Host == "" {
			continue
		}
		parts := segments(u.Path)
		if n := len(parts); n > 0 && parts[n-1] == "activity" {
			parts = parts[:n-1]
		}
		n := len(parts)
		switch {
		case n >= 3 && parts[n-2] == "statuses" && isID(parts[n-1]), n == 2 && strings.HasPrefix(parts[0], "@") && isNumber(parts[1]):
			return parts[n-1] + "@" + urlform.Host(u)
		}
	}
	return v.Get("uri").String()
}

func readStatus(v jsonx.Value, host string) post.Post {
	p := post.Post{ID: statusID(v), Kind: post.KindPost, URL: address(firstOf(v.Get("url").String(), v.Get("uri").String())), Outcome: post.OK}
	p.Account = readAccount(v.Get("account"), host)
	p.Created = readTime(v.Get("created_at"))
	if t := readTime(v.Get("edited_at")); !t.IsZero() && !t.Time.Equal(p.Created.Time) {
		p.Edited = t
	}
	if v.Get("visibility").String() == "unlisted" {
		p.Tags = append(p.Tags, "unlisted")
	}
	if in := v.Get("reblog"); isStatus(in) {
		p.Refs = []post.Ref{{Role: post.RoleRepostOf, ID: statusID(in), URL: address(in.Get("url").String()), Account: handle(in.Get("account", "acct").String(), host)}}
		return p // what it shows is the other post
	}
	base, _ := url.Parse(p.URL)
	c := htmltext.Fragment(v.Get("content").String(), base)
	p.Title, p.Text = strings.TrimSpace(v.Get("spoiler_text").String()), c.Text
	p.Lang = v.Get("language").String()
	if len(p.Lang) < 2 {
		p.Lang = ""
	}
	skip := map[string]bool{}
	for _, m := range v.Get("mentions").Array() {
		skip[m.Get("url").String()] = true
		if h := handle(m.Get("acct").String(), host); h != "" {
			p.Mentions = appendNew(p.Mentions, h)
		}
	}
	for _, t := range v.Get("tags").Array() {
		skip[t.Get("url").String()] = true
		if n := t.Get("name").String(); n != "" {
			p.Hashtags = appendNew(p.Hashtags, n)
		}
	}
	for _, l := range append(c.Links, address(v.Get("card", "url").String())) {
		if l != "" && !skip[l] && !isTagLink(l) {
			p.Links = appendNew(p.Links, l)
		}
	}
	addMedia(&p, v)
	addRefs(&p, v, host)
	addCounts(&p, v)
	for _, f := range []string{"sensitive", "pinned"} {
		if v.Get(f).Bool() {
			p.Tags = append(p.Tags, f)
		}
	}
	if v.Get("account", "bot").Bool() {
		p.Tags = append(p.Tags, "bot")
	}
	if app := v.Get("application", "name").String(); app != "" {
		p.Tags = append(p.Tags, "app:"+app)
	}
	return p
}

// isTagLink reports whether a link is that of a hashtag: /tags/WORD on a server.
func isTagLink(l string) bool {
	u, err := url.Parse(l)
	if err != nil {
		return false
	}
	parts := segments(u.Path)
	return len(parts) == 2 && (parts[0] == "tags" || parts[0] == "tag") && u.RawQuery == ""
}

func addMedia(p *post.Post, v jsonx.Value) {
	for _, a := range v.Get("media_attachments").Array() {
		m := post.Media{URL: address(firstOf(a.Get("url").String(), a.Get("remote_url").String())), Alt: strings.TrimSpace(a.Get("description").String())}
		switch a.Get("type").String() {
		case "image":
			m.Kind = post.MediaImage
		case "video", "gifv":
			m.Kind = post.MediaVideo
		case "audio":
			m.Kind = post.MediaAudio
		default:
			m.Kind = post.MediaFile
		}
		size := a.Get("meta", "original")
		if w, ok := size.Get("width").Int(); ok && w > 0 && w < 1<<20 {
			m.Width = int(w)
		}
		if h, ok := size.Get("height").Int(); ok && h > 0 && h < 1<<20 {
			m.Height = int(h)
		}
		if d, ok := size.Get("duration").Float(); ok && d > 0 && d < 1e7 {
			m.Duration = d
		}
		if m.URL != "" {
			p.Media = append(p.Media, m)
		}
	}
}

// addRefs names the post that this one answers to, and the one that it quotes.
// The answered post is named by a number of the asked server, which is its own
// only where its author is at home there.
func addRefs(p *post.Post, v jsonx.Value, host string) {
	if id := v.Get("in_reply_to_id").String(); isID(id) {
		r := post.Ref{Role: post.RoleReplyTo}
		to := v.Get("in_reply_to_account_id").String()
		who := jsonx.Value{}
		if to == v.Get("account", "id").String() {
			who = v.Get("account")
		}
		for _, m := range v.Get("mentions").Array() {
			if m.Get("id").String() == to {
				who = m
			}
		}
		r.Account = handle(who.Get("acct").String(), host)
		switch {
		case isLocal(who) && host != "":
			r.ID = id + "@" + host
			r.URL = "https://" + host + "/@" + who.Get("acct").String() + "/" + id
		case host != "":
			r.URL = "https://" + host + "/web/statuses/" + id
		}
		if r.ID != "" || r.URL != "" || r.Account != "" {
			p.Refs = append(p.Refs, r)
		}
	}
	quote := v.Get("quote")
	if in := quote.Get("quoted_status"); in.IsObject() {
		quote = in
	}
	if isStatus(quote) {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleQuoteOf, ID: statusID(quote), URL: address(quote.Get("url").String()), Account: handle(quote.Get("account", "acct").String(), host)})
	}
}

func addCounts(p *post.Post, v jsonx.Value) {
	local := isLocal(v.Get("account"))
	add := func(name string, n jsonx.Value) {
		value, ok := n.Int()
		if !ok || value < 0 {
			return
		}
		c := post.ExactCount(name, value)
		if !local {
			c.Precision = post.PrecisionUnknown // what reached this server
		}
		p.Counts = append(p.Counts, c)
	}
	add("likes", v.Get("favourites_count"))
	add("reposts", v.Get("reblogs_count"))
	add("comments", v.Get("replies_count"))
	add("quotes", v.Get("quotes_count"))
	for _, o := range v.Get("poll", "options").Array() {
		name := "poll:" + o.Get("title").String()
		if !o.Get("votes_count").Exists() {
			p.Counts = append(p.Counts, post.HiddenCount(name)) // until the poll ends
			continue
		}
		add(name, o.Get("votes_count"))
	}
}

func readAccount(v jsonx.Value, host string) post.Account {
	a := post.Account{Handle: handle(v.Get("acct").String(), host), Name: strings.TrimSpace(v.Get("display_name").String()), URL: address(v.Get("url").String())}
	if id := v.Get("id").String(); isLocal(v) && id != "" && host != "" {
		a.ID = id + "@" + host
	}
	if pic := address(firstOf(v.Get("avatar_static").String(), v.Get("avatar").String())); !strings.HasSuffix(pic, "/avatars/original/missing.png") {
		a.Avatar = pic
	}
	// Servers cut the time off: the day is known.
	if t, err := time.Parse(time.RFC3339Nano, v.Get("created_at").String()); err == nil {
		if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
			a.Created = post.Between(t, t.Add(24*time.Hour-time.Second), v.Get("created_at").String(), post.SourceField)
		} else {
			a.Created = post.Exact(t, "")
		}
	}
	for _, c := range []struct{ name, key string }{{"followers", "followers_count"}, {"following", "following_count"}, {"posts", "statuses_count"}} {
		n, ok := v.Get(c.key).Int()
		switch {
		case !ok:
		case n < 0:
			a.Counts = append(a.Counts, post.HiddenCount(c.name))
		default:
			a.Counts = append(a.Counts, post.ExactCount(c.name, n))
		}
	}
	return a
}

// readProfile is an account as a post of its own.
func readProfile(v jsonx.Value, host string) post.Post {
	a := readAccount(v, host)
	p := post.Post{ID: firstOf(a.ID, a.Handle), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Outcome: post.OK}
	base, _ := url.Parse(a.URL)
	bio := htmltext.Fragment(v.Get("note").String(), base)
	p.Text = bio.Text
	for _, l := range bio.Links {
		if !isTagLink(l) {
			p.Links = appendNew(p.Links, l)
		}
	}
	for _, f := range v.Get("fields").Array() {
		in := htmltext.Fragment(f.Get("value").String(), base)
		p.Text = strings.TrimSpace(p.Text + "\n\n" + f.Get("name").String() + ": " + in.Text)
		for _, l := range in.Links {
			p.Links = appendNew(p.Links, l)
		}
	}
	if v.Get("bot").Bool() {
		p.Tags = append(p.Tags, "bot")
	}
	if moved := v.Get("moved"); moved.IsObject() {
		p.Tags = append(p.Tags, "moved_to:"+handle(moved.Get("acct").String(), host))
	}
	if v.Get("suspended").Bool() {
		p.Outcome = post.Suspended
	}
	return p
}

func readTime(v jsonx.Value) post.Time {
	t, err := time.Parse(time.RFC3339Nano, v.String())
	if err != nil || t.Year() < 2000 || t.Year() > 2200 {
		return post.Time{}
	}
	return post.Exact(t, "")
}

// address gives an absolute web address, "" for anything else.
func address(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

func appendNew(list []string, s string) []string {
	for _, e := range list {
		if e == s {
			return list
		}
	}
	return append(list, s)
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
