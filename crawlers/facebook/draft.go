package facebook

import (
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/post"
)

// A draft is a post in the making, with the files it shows and the identities
// that it tells.
type draft struct {
	post.Post
	assets     []crawlers.Asset
	identities []crawlers.Identity
}

var linkForm = regexp.MustCompile(`https?://[^\s<>"“”]+`)

// say sets the text and what stands in it: hashtags and links.
func (d *draft) say(text string) {
	d.Text = strings.TrimSpace(text)
	d.Hashtags = append(d.Hashtags, hashtags.In(d.Text)...)
	if strings.Contains(text, "://") {
		for _, l := range linkForm.FindAllString(text, 50) {
			d.link(strings.TrimRight(l, ".,;:!?)'’…"))
		}
	}
}

// unwrap takes an outgoing link out of l.facebook.com/l.php, whose tokens
// change, and the click marks off it.
func unwrap(to string) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	host := strings.ToLower(u.Hostname())
	if strings.HasSuffix(u.Path, "/l.php") && (host == "" || ourHost(host)) {
		if inside := u.Query().Get("u"); strings.HasPrefix(inside, "http") {
			to = inside
			if u, err = url.Parse(to); err != nil {
				return to
			}
		}
	}
	if !strings.Contains(u.RawQuery, "fbclid=") {
		return to
	}
	var kept []string
	for part := range strings.SplitSeq(u.RawQuery, "&") {
		if !strings.HasPrefix(part, "fbclid=") {
			kept = append(kept, part)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	return u.String()
}

// link adds an outgoing link. The site's own addresses of hashtags, people and
// its parts are none.
func (d *draft) link(to string) {
	to = unwrap(to)
	if !isWeb(to) {
		return
	}
	if u, err := url.Parse(to); err == nil && ourHost(strings.ToLower(u.Hostname())) {
		if ref, ok := match(u, 0); !ok || ref.Kind == crawlers.RefTag || ref.ID == d.ID {
			return
		}
	}
	for _, l := range d.Links {
		if l == to {
			return
		}
	}
	d.Links = append(d.Links, to)
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

func (d *draft) tag(words string) {
	if words != "" {
		d.Tags = append(d.Tags, words)
	}
}

// media adds a picture or video, each once. cover is a video's still picture,
// kept as an asset only.
func (d *draft) media(m post.Media, cover string) {
	m.URL = absolute(m.URL)
	cover = absolute(cover)
	if m.URL == "" && cover == "" && m.Kind != post.MediaVideo {
		return
	}
	for i, have := range d.Media {
		if have.Kind == m.Kind && sameFile(have.URL, m.URL) {
			if have.Alt == "" {
				d.Media[i].Alt = m.Alt
			}
			return
		}
	}
	d.Media = append(d.Media, m)
	if m.URL != "" {
		d.assets = append(d.assets, crawlers.Asset{URL: m.URL, Kind: m.Kind, Post: d.ID})
	}
	if m.Kind == post.MediaVideo && cover != "" {
		d.assets = append(d.assets, crawlers.Asset{URL: cover, Kind: post.MediaImage, Post: d.ID})
	}
}

// sameFile reports whether two addresses are of one upload: its name is the same
// in all sizes.
func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	return a != "" && b != "" && fileName(a) == fileName(b)
}

func fileName(to string) string {
	to, _, _ = strings.Cut(to, "?")
	return to[strings.LastIndexByte(to, '/')+1:]
}

func isWeb(to string) bool { return absolute(to) != "" }

// absolute gives a web address as it is, "" for anything else.
func absolute(to string) string {
	if !strings.HasPrefix(to, "https://") && !strings.HasPrefix(to, "http://") {
		return ""
	}
	if u, err := url.Parse(to); err != nil || u.Host == "" {
		return ""
	}
	return to
}

// count takes an exact count, once.
func (d *draft) count(name string, v jsontree.Value) {
	if n, ok := v.Int(); ok && n >= 0 {
		d.add(post.ExactCount(name, n))
	}
}

func (d *draft) add(c post.Count) {
	for _, have := range d.Counts {
		if have.Name == c.Name {
			return
		}
	}
	d.Counts = append(d.Counts, c)
}

// words takes a count that is written for people: "345K" is rounded.
func (d *draft) words(name, s string) {
	if c, ok := wordCount(name, s); ok {
		d.add(c)
	}
}

var wordForm = regexp.MustCompile(`^\s*(\d[\d.,\x{a0}\x{202f}]*)\s?([KMB])?\b`)

func wordCount(name, s string) (post.Count, bool) {
	m := wordForm.FindStringSubmatch(s)
	if m == nil {
		return post.Count{}, false
	}
	if m[2] == "" {
		n, err := strconv.ParseInt(strings.NewReplacer(",", "", ".", "", "\u00a0", "", "\u202f", "").Replace(m[1]), 10, 64)
		return post.ExactCount(name, n), err == nil
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
	if err != nil || f > 1e6 {
		return post.Count{}, false
	}
	switch m[2] {
	case "K":
		f *= 1e3
	case "M":
		f *= 1e6
	case "B":
		f *= 1e9
	}
	return post.RoundedCount(name, int64(f+0.5)), true
}

// same notes that alias is another name of the account or post id.
func (d *draft) same(kind crawlers.RefKind, alias, id, address string) {
	if alias == "" || id == "" || alias == id {
		return
	}
	if kind == crawlers.RefAccount && !isNumber(alias) {
		alias = strings.ToLower(alias)
		if alias == "profile.php" {
			return
		}
	}
	d.identities = append(d.identities, crawlers.Identity{Kind: kind, Alias: alias, ID: id, URL: address})
}

// handleOf gives the name of an account from its address, "" where that is a
// number.
func handleOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if u.Host == "" {
		if u, err = url.Parse(site + "/" + strings.TrimPrefix(address, "/")); err != nil {
			return ""
		}
	}
	ref, ok := match(u, 0)
	if !ok || ref.Kind != crawlers.RefAccount || !ref.Alias {
		return ""
	}
	for name := range strings.SplitSeq(u.Path, "/") {
		if strings.EqualFold(name, ref.ID) {
			return name // as it is written
		}
	}
	return ref.ID
}

// by sets the author.
func (d *draft) by(id, name, address, avatar string) {
	if !isNumber(id) {
		id = ""
	}
	handle := handleOf(address)
	d.Account = post.Account{ID: id, Handle: handle, Name: strings.TrimSpace(name), Avatar: absolute(avatar)}
	switch {
	case handle != "":
		d.Account.URL = accountURL(handle)
	case id != "":
		d.Account.URL = accountURL(id)
	}
	d.same(crawlers.RefAccount, handle, id, accountURL(handle))
}

// address sets the canonical address from the owner's number or name.
func (d *draft) address(owner string) {
	owner = first(owner, d.Account.ID, d.Account.Handle)
	if owner != "" {
		d.URL = postURL(owner, d.ID)
	} else if d.URL == "" {
		d.URL = photoRef(d.ID).URL
	}
}

// unix reads Unix seconds.
func unix(v jsontree.Value) post.Time {
	n, ok := v.Int()
	if !ok || n <= 0 || n > 100_000_000_000 {
		return post.Time{}
	}
	return post.Exact(time.Unix(n, 0), "")
}

// graphTime reads "2021-07-09T19:09:52+0000": its zone has no colon.
func graphTime(raw string) post.Time {
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} {
		if t, err := time.Parse(layout, raw); err == nil && t.Year() > 2000 && t.Year() < 3000 {
			return post.Exact(t, "")
		}
	}
	return post.Time{}
}

func integer(v jsontree.Value) int {
	n, ok := v.Int()
	if !ok || n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
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
		a, b := list[i], list[j]
		if a.Kind != b.Kind {
			return a.Kind < b.Kind
		}
		if a.Alias != b.Alias {
			return a.Alias < b.Alias
		}
		if a.ID != b.ID {
			return a.ID < b.ID
		}
		return a.URL > b.URL
	})
	kept := list[:0]
	for _, id := range list {
		if n := len(kept); n == 0 || kept[n-1].Kind != id.Kind || kept[n-1].Alias != id.Alias || kept[n-1].ID != id.ID {
			kept = append(kept, id)
		}
	}
	return kept
}
