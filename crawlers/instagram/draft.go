package instagram

import (
	"net/url"
	"regexp"
	"sort"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// A draft is a post in the making, with the files it shows and the identities
// that its accounts show.
type draft struct {
	post.Post
	assets     []crawlers.Asset
	identities []crawlers.Identity
}

var (
	mentionForm = regexp.MustCompile(`(?:^|[^A-Za-z0-9_@.&/])@([A-Za-z0-9_](?:[A-Za-z0-9_.]{0,28}[A-Za-z0-9_])?)`)
	linkForm    = regexp.MustCompile(`https?://[^\s<>"“”]+`)
)

// say sets the text and what stands in it: hashtags, mentions, links.
func (d *draft) say(text string) {
	d.Text = text
	d.Hashtags = hashtags.In(text)
	if strings.IndexByte(text, '@') >= 0 {
		for _, m := range mentionForm.FindAllStringSubmatch(text, 200) {
			d.mention(m[1])
		}
	}
	if strings.Contains(text, "://") {
		for _, l := range linkForm.FindAllString(text, 50) {
			d.link(strings.TrimRight(l, ".,;:!?)'’…"))
		}
	}
}

func (d *draft) mention(name string) {
	if name == "" {
		return
	}
	for _, m := range d.Mentions {
		if strings.EqualFold(m, name) {
			return
		}
	}
	d.Mentions = append(d.Mentions, name)
}

func (d *draft) hashtag(name string) {
	if name == "" {
		return
	}
	for _, h := range d.Hashtags {
		if strings.EqualFold(h, name) {
			return
		}
	}
	d.Hashtags = append(d.Hashtags, name)
}

// link adds an outgoing link; l.instagram.com wraps them with tokens that change.
func (d *draft) link(to string) {
	u, err := url.Parse(to)
	if err != nil {
		return
	}
	if u.Hostname() == "l.instagram.com" {
		if inner := u.Query().Get("u"); strings.HasPrefix(inner, "http") {
			to = inner
		}
	}
	if !isWeb(to) {
		return
	}
	for _, l := range d.Links {
		if l == to {
			return
		}
	}
	d.Links = append(d.Links, to)
}

func (d *draft) tag(words string) {
	if words != "" {
		d.Tags = append(d.Tags, words)
	}
}

// media adds a picture or video. cover is a video's still picture, kept as an
// asset only.
func (d *draft) media(m post.Media, cover string) {
	if !isWeb(m.URL) {
		m.URL = ""
	}
	if m.URL == "" && m.Alt == "" && m.Width == 0 && !isWeb(cover) {
		return
	}
	d.Media = append(d.Media, m)
	if m.URL != "" {
		d.assets = append(d.assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: d.ID})
	}
	if m.Kind == post.MediaVideo && isWeb(cover) {
		d.assets = append(d.assets, crawlers.Asset{URL: cover, Kind: post.MediaImage, Post: d.ID})
	}
}

// isWeb reports whether to is an absolute web address.
func isWeb(to string) bool {
	if !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "http://") {
		return false
	}
	u, err := url.Parse(to)
	return err == nil && u.Host != ""
}

// seconds reads a duration, 0 of what cannot be one.
func seconds(v jsontree.Value) float64 {
	f, ok := v.Float()
	if !ok || !(f > 0 && f < 1e7) {
		return 0
	}
	return f
}

// count takes an exact count. A negative one stands for a hidden one.
func (d *draft) count(name string, v jsontree.Value) {
	n, ok := v.Int()
	switch {
	case !ok:
	case n < 0:
		d.Counts = append(d.Counts, post.HiddenCount(name))
	default:
		d.Counts = append(d.Counts, post.ExactCount(name, n))
	}
}

func (d *draft) absent(name string) {
	d.Counts = append(d.Counts, post.Count{Name: name, Precision: post.PrecisionUnknown, State: post.StateAbsent})
}

// identity notes that alias is another name of the account id.
func (d *draft) identity(alias, id string) {
	if i, ok := accountIdentity(alias, id); ok {
		d.identities = append(d.identities, i)
	}
}

func accountIdentity(alias, id string) (crawlers.Identity, bool) {
	if alias == "" || id == "" || alias == id {
		return crawlers.Identity{}, false
	}
	i := crawlers.Identity{Kind: crawlers.RefAccount, Alias: alias, ID: id}
	if !isNumber(alias) {
		i.Alias = strings.ToLower(alias)
		i.URL = accountURL(alias)
	}
	return i, true
}

// account reads a user, as it stands with a post: v1, edges or Graph API.
func (d *draft) account(u jsontree.Value) post.Account {
	id := first(u.Get("pk").String(), u.Get("id").String(), u.Get("pk_id").String())
	if !isNumber(id) {
		id = ""
	}
	name := u.Get("username").String()
	a := post.Account{
		ID: id, Handle: name, Name: u.Get("full_name").String(), URL: accountURL(name),
		Avatar: first(u.Get("profile_pic_url_hd").String(), u.Get("hd_profile_pic_url_info", "url").String(), u.Get("profile_pic_url").String()),
	}
	d.identity(name, id)
	return a
}

func (d *draft) relate(role post.Role, id, address string) {
	if id != "" || address != "" {
		d.Refs = append(d.Refs, post.Ref{Role: role, ID: id, URL: address})
	}
}

// at reads Unix seconds (also with a fraction, also in milliseconds).
func at(v jsontree.Value) post.Time {
	f, ok := v.Float()
	if !ok || !(f > 0) {
		return post.Time{}
	}
	if f > 1e11 {
		f /= 1000
	}
	if f > 1e11 {
		return post.Time{}
	}
	return post.Exact(time.Unix(int64(f), 0), "")
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func exists(values ...jsontree.Value) jsontree.Value {
	for _, v := range values {
		if v.Exists() {
			return v
		}
	}
	return jsontree.Value{}
}

// objects visits v and every object below it until f gives false for one, which
// leaves out what is below that one. Order is that of the text.
func objects(v jsontree.Value, f func(o jsontree.Value) bool) {
	switch {
	case v.IsObject():
		if f(v) {
			v.Members(func(_ string, m jsontree.Value) bool {
				objects(m, f)
				return true
			})
		}
	case v.IsArray():
		for _, e := range v.Array() {
			objects(e, f)
		}
	}
}

// unique sorts identities and leaves out the doubles.
func unique(list []crawlers.Identity) []crawlers.Identity {
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].Kind != list[j].Kind {
			return list[i].Kind < list[j].Kind
		}
		if list[i].Alias != list[j].Alias {
			return list[i].Alias < list[j].Alias
		}
		return list[i].ID < list[j].ID
	})
	kept := list[:0]
	for i, id := range list {
		if i == 0 || id != list[i-1] {
			kept = append(kept, id)
		}
	}
	return kept
}
