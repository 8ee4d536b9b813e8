package mastodon

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/internal/urlform"
)

// identifyLimit bounds the JSON that is parsed to learn whose it is.
const identifyLimit = 32 << 20

// Identify reports whom an exchange is about. As any host may be a Mastodon
// server, the content decides; the address then names the target where it can.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	u, err := url.Parse(ex.URL)
	if err != nil || u.Host == "" && (u.Path != "" || u.Opaque != "") || otherSite(strings.ToLower(u.Hostname())) {
		return none, false
	}
	body := trim(ex.Body)
	switch {
	case len(body) == 0:
	case body[0] == '{' || body[0] == '[':
		if len(body) > identifyLimit || !bytes.Contains(body, []byte(`"acct"`)) && u.Host == "" {
			return none, false
		}
		api, isAPI := apiRef(u)
		v, err := jsonx.Parse(body)
		if err != nil || !isOurs(v) {
			return none, false
		}
		if isAPI {
			return api, true
		}
		return contentRef(v, urlform.Host(u))
	case bytes.Contains(body[:min(len(body), 1024)], []byte("<rss")):
		ref, ok := feedRef(body)
		if asked, named := c.Match(u); ok && named && asked.Kind == crawlers.RefAccount {
			return asked, true
		}
		return ref, ok
	case isMastodonPage(body):
		if ref, ok := c.Match(u); ok {
			return ref, true
		}
		if tag := bytes.Index(body, []byte("og:url")); tag >= 0 {
			return metaRef(body)
		}
	}
	return none, false
}

// isOurs reports whether JSON is a status, an account, a context, or a list that
// starts with a status.
func isOurs(v jsonx.Value) bool {
	switch {
	case isStatus(v):
		return v.Get("account").Has("acct")
	case v.IsArray():
		return isStatus(v.At(0)) && v.At(0).Get("account").Has("acct")
	case isAccount(v):
		return v.Has("followers_count")
	case v.Get("ancestors").IsArray() && v.Get("descendants").IsArray():
		return isStatus(v.Get("ancestors").At(0)) || isStatus(v.Get("descendants").At(0))
	}
	return false
}

// apiRef names the target of an address of the client interface.
func apiRef(u *url.URL) (crawlers.Ref, bool) {
	parts, host := segments(u.Path), urlform.Host(u)
	if len(parts) < 4 || parts[0] != "api" || parts[1] != "v1" || host == "" {
		return crawlers.Ref{}, false
	}
	switch {
	case parts[2] == "accounts" && parts[3] == "lookup":
		name, at := split(strings.TrimPrefix(u.Query().Get("acct"), "@"))
		if isUser(name) && (at == "" || at == host) {
			return accountRef(name, host), true
		}
	case parts[2] == "accounts" && isID(parts[3]):
		return crawlers.Ref{Platform: platform, Kind: crawlers.RefAccount, ID: parts[3] + "@" + host, URL: "https://" + host + "/web/accounts/" + parts[3]}, true
	case parts[2] == "statuses" && isID(parts[3]):
		return crawlers.Ref{Platform: platform, Kind: crawlers.RefPost, ID: parts[3] + "@" + host, URL: "https://" + host + "/web/statuses/" + parts[3]}, true
	}
	return crawlers.Ref{}, false
}

// contentRef names JSON by its first status or account.
func contentRef(v jsonx.Value, host string) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	one := v
	switch {
	case v.IsArray():
		one = v.At(0)
	case v.Get("descendants").IsArray():
		return matchText(firstOf(v.Get("ancestors").At(0).Get("url").String(), v.Get("descendants").At(0).Get("url").String()))
	}
	account := one
	if isStatus(one) {
		account = one.Get("account")
	}
	name := account.Get("username").String()
	if host == "" {
		host = hostOf(account)
	}
	if host == "" || !isUser(name) {
		return none, false
	}
	if isStatus(v) {
		if local, home := split(statusID(v)); isID(local) && home != "" {
			return postRef(name, local, home), true
		}
		return postRef(name, v.Get("id").String(), host), isID(v.Get("id").String())
	}
	ref := accountRef(name, hostOf(account))
	if v.IsArray() && isLocal(account) && isID(account.Get("id").String()) {
		ref.ID, ref.Alias = account.Get("id").String()+"@"+host, false
	}
	return ref, true
}

// feedRef takes feeds that name Mastodon as their generator and link to an
// account.
func feedRef(body []byte) (crawlers.Ref, bool) {
	head := body[:min(len(body), 32<<10)]
	if i := bytes.Index(head, []byte("<item")); i >= 0 {
		head = head[:i]
	}
	if !bytes.Contains(head, []byte("Mastodon")) && !bytes.Contains(head, []byte("Public posts from @")) {
		return crawlers.Ref{}, false
	}
	d := newXML(head)
	for {
		token, err := d.Token()
		if err != nil {
			return crawlers.Ref{}, false
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "link" || start.Name.Space != "" {
			continue
		}
		var s string
		if d.DecodeElement(&s, &start) == nil {
			if ref, ok := matchText(strings.TrimSpace(s)); ok && ref.Kind == crawlers.RefAccount {
				return ref, true
			}
		}
	}
}

// isMastodonPage tells a page of Mastodon by its root element or generator.
func isMastodonPage(page []byte) bool {
	if !bytes.HasPrefix(page, []byte("<")) {
		return false
	}
	for _, sign := range []string{`id="mastodon"`, `id='mastodon'`, `content="Mastodon`, `content='Mastodon`} {
		if bytes.Contains(page, []byte(sign)) {
			return true
		}
	}
	return false
}

// metaRef reads og:url.
func metaRef(page []byte) (crawlers.Ref, bool) {
	i := bytes.Index(page, []byte("og:url"))
	start := bytes.LastIndexByte(page[:i], '<')
	end := bytes.IndexByte(page[i:], '>')
	if start < 0 || end < 0 {
		return crawlers.Ref{}, false
	}
	tag := page[start : i+end]
	for _, quote := range []string{`content="`, `content='`} {
		if _, after, ok := bytes.Cut(tag, []byte(quote)); ok {
			if j := bytes.IndexAny(after, `"'`); j >= 0 {
				return matchText(string(after[:j]))
			}
		}
	}
	return crawlers.Ref{}, false
}
