package pinterest

import (
	"encoding/base64"
	"html"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one pin object as the resource interface, the widget interface
// or a relay response states it, for importers. It gives false for anything
// else.
func ReadItem(raw []byte) (post.Post, bool) {
	v, err := jsonx.Parse(raw)
	if err != nil || !isPin(v) {
		return post.Post{}, false
	}
	return readPin(object{v}, nil), true
}

// isPin reports whether o is a pin: an object with a pin's id and what only a
// pin has.
func isPin(o jsonx.Value) bool {
	if !o.IsObject() || !isID(itemID(o)) {
		return false
	}
	switch o.Get("__typename").String() {
	case "Pin":
		return o.Has("imageSignature") || o.Has("gridTitle") || o.Has("description") || o.Has("pinner")
	case "":
	default:
		return false
	}
	switch o.Get("type").String() {
	case "pin":
		return true
	case "", "image", "video": // the widget interface states no type
	default:
		return false
	}
	if o.Has("pin_count") || o.Has("pinCount") || o.Has("username") {
		return false // a board, an account
	}
	switch {
	case o.Has("entityId"):
		return o.Has("imageSignature") || o.Has("gridTitle") && o.Has("pinner")
	case o.Has("image_signature"):
		return true
	}
	return o.Get("images").IsObject() && (o.Has("pinner") || o.Has("repin_count") || o.Has("board"))
}

// itemID is the native id: relay objects keep a global id under id.
func itemID(o jsonx.Value) string {
	if id := o.Get("entityId").String(); id != "" {
		return id
	}
	if id := o.Get("id").String(); isID(id) {
		return id
	}
	for _, key := range []string{"node_id", "id"} {
		if kind, id := globalID(o.Get(key).String()); kind == "pin" {
			return id
		}
	}
	return ""
}

// globalID reads a relay id: base64 of "Kind:123".
func globalID(s string) (kind, id string) {
	if s == "" || len(s) > 200 {
		return "", ""
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", ""
	}
	kind, id, ok := strings.Cut(string(raw), ":")
	if !ok || id == "" || strings.Trim(id, "0123456789") != "" {
		return "", ""
	}
	return strings.ToLower(kind), id
}

// An object is one thing as several parts of an answer state it: a pin's page
// asks for it in two queries. The first part that states a field wins.
type object []jsonx.Value

// get gives the first value that exists under one of names.
func (o object) get(names ...string) jsonx.Value {
	for _, v := range o {
		for _, n := range names {
			if x := v.Get(n); x.Exists() {
				return x
			}
		}
	}
	return jsonx.Value{}
}

// text gives the first text that is not blank; Pinterest writes " " for none.
func (o object) text(names ...string) string {
	for _, n := range names {
		for _, v := range o {
			if s := v.Get(n).String(); strings.TrimSpace(s) != "" {
				return s
			}
		}
	}
	return ""
}

// sub gives the object under one of names.
func (o object) sub(names ...string) object {
	var list object
	for _, v := range o {
		for _, n := range names {
			if x := v.Get(n); x.IsObject() {
				list = append(list, x)
			}
		}
	}
	return list
}

// isTrue reports whether a part states true under one of names.
func (o object) isTrue(names ...string) bool {
	for _, v := range o {
		for _, n := range names {
			if v.Get(n).Bool() {
				return true
			}
		}
	}
	return false
}

// A store holds the accounts and boards of a page whose pins name them by id.
type store struct{ users, boards jsonx.Value }

// of gives the object under name, looked up in table where the pin states an id.
func (o object) of(table jsonx.Value, name string) object {
	list := o.sub(name)
	if id := o.get(name).String(); len(list) == 0 && id != "" {
		if x := table.Get(id); x.IsObject() {
			return object{x}
		}
	}
	return list
}

// readPin turns a pin object into a post. s may be nil.
func readPin(o object, s *store) post.Post {
	if s == nil {
		s = &store{}
	}
	p := post.Post{Kind: post.KindPin, Outcome: post.OK}
	for _, v := range o {
		if p.ID = itemID(v); p.ID != "" {
			break
		}
	}
	p.URL = pinURL(p.ID)
	p.Title = plain(o.text("title", "gridTitle", "grid_title"))
	p.Text = plain(o.text("description", "closeupUnifiedDescription", "closeup_unified_description", "closeupDescription", "closeup_description"))
	p.Created = readTime(o.text("createdAt", "created_at"))
	p.Account = readAccount(o.of(s.users, "pinner"))
	addCounts(&p, o)
	addMedia(&p, o)
	addLinks(&p, o)
	addRefs(&p, o, s)
	addTags(&p, o, s)
	p.Hashtags = hashtags.In(p.Title + "\n" + p.Text)
	for _, h := range o.get("hashtags").Array() {
		if t := strings.TrimPrefix(h.String(), "#"); t != "" && !contains(p.Hashtags, t) {
			p.Hashtags = append(p.Hashtags, t)
		}
	}
	return p
}

// plain makes text of a field: references decoded, outer white space cut.
func plain(s string) string { return strings.TrimSpace(html.UnescapeString(s)) }

func readTime(raw string) post.Time {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return post.Time{}
	}
	for _, layout := range []string{time.RFC1123Z, time.RFC1123, time.RFC3339Nano} {
		if t, err := time.Parse(layout, raw); err == nil && t.Year() >= 2009 && t.Year() < 2200 {
			return post.Exact(t, raw)
		}
	}
	if t, ok := dates.Parse(raw); ok {
		return t
	}
	return post.Time{}
}

// readAccount reads a pinner, creator or account object.
func readAccount(o object) post.Account {
	a := post.Account{ID: o.text("entityId"), Handle: o.text("username"), Name: plain(o.text("full_name", "fullName", "first_name"))}
	if a.ID == "" {
		if id := o.text("id"); strings.Trim(id, "0123456789") == "" {
			a.ID = id
		}
	}
	if a.ID == "" {
		for _, key := range []string{"node_id", "id"} {
			if kind, id := globalID(o.text(key)); kind == "user" {
				a.ID = id
				break
			}
		}
	}
	if a.Handle == "" {
		if u, err := url.Parse(o.text("profile_url", "profileUrl")); err == nil {
			if parts := segments(u.Path); len(parts) == 1 && isUser(parts[0]) {
				a.Handle = parts[0]
			}
		}
	}
	if a.Handle != "" && isUser(a.Handle) {
		a.URL = accountURL(strings.ToLower(a.Handle))
	}
	a.Avatar = address(o.text("image_xlarge_url", "imageXlargeUrl", "image_large_url", "imageLargeUrl", "image_medium_url", "imageMediumUrl", "image_small_url", "imageSmallUrl"))
	if t := readTime(o.text("created_at", "createdAt")); !t.IsZero() {
		a.Created = t
	}
	for _, c := range []struct{ name, snake, camel string }{
		{"followers", "follower_count", "followerCount"}, {"following", "following_count", "followingCount"},
		{"pins", "pin_count", "pinCount"}, {"boards", "board_count", "boardCount"}, {"monthly_views", "profile_views", "profileViews"},
	} {
		if n, ok := o.get(c.snake, c.camel).Int(); ok && n >= 0 {
			a.Counts = append(a.Counts, post.ExactCount(c.name, n))
		}
	}
	return a
}

func addCounts(p *post.Post, o object) {
	add := func(name string, v jsonx.Value) {
		if n, ok := v.Int(); ok && n >= 0 {
			p.Counts = append(p.Counts, post.ExactCount(name, n))
		}
	}
	add("reposts", o.get("repinCount", "repin_count"))
	group := o.sub("aggregatedPinData", "aggregated_pin_data")
	stats := group.sub("aggregatedStats", "aggregated_stats")
	add("saves", stats.get("saves"))
	if v := group.get("commentCount", "comment_count"); v.Exists() {
		add("comments", v)
	} else {
		add("comments", o.get("commentCount", "comment_count"))
	}
	if v := stats.get("done"); v.Exists() {
		add("tries", v)
	} else {
		add("tries", group.sub("didItData", "did_it_data").get("imagesCount", "images_count"))
	}
	add("shares", o.get("shareCount", "share_count"))
	add("likes", o.get("like_count", "likeCount"))
	addReactions(p, o)
}

// addReactions reads {"1": 626, …}, and [{"reactionType": 1, "reactionCount": 626}].
func addReactions(p *post.Post, o object) {
	type reaction struct {
		kind string
		n    int64
	}
	var list []reaction
	v := o.get("reaction_counts", "reactionCounts")
	for _, k := range v.Keys() {
		if n, ok := v.Get(k).Int(); ok && n >= 0 {
			list = append(list, reaction{k, n})
		}
	}
	stated := v.IsObject()
	if len(list) == 0 {
		v = o.get("reactionCountsData", "reaction_counts_data")
		stated = stated || v.IsArray()
		for _, e := range v.Array() {
			one := object{e}
			if n, ok := one.get("reactionCount", "reaction_count", "count").Int(); ok && n >= 0 {
				list = append(list, reaction{one.text("reactionType", "reaction_type", "type"), n})
			}
		}
	}
	total := int64(0)
	for _, r := range list {
		if total += r.n; total < 0 {
			return // no such numbers
		}
	}
	if n, ok := o.get("total_reaction_count", "totalReactionCount").Int(); ok && n >= 0 {
		total, stated = n, true
	}
	if !stated {
		return
	}
	p.Counts = append(p.Counts, post.ExactCount("reactions", total))
	sort.SliceStable(list, func(i, j int) bool {
		a, _ := strconv.Atoi(list[i].kind)
		b, _ := strconv.Atoi(list[j].kind)
		return a < b
	})
	for _, r := range list {
		if r.kind != "" && len(r.kind) <= 40 {
			p.Counts = append(p.Counts, post.ExactCount("reaction_"+r.kind, r.n))
		}
	}
}

func addLinks(p *post.Post, o object) {
	link := address(o.text("link"))
	if link == "" {
		link = address(o.text("trackedLink", "tracked_link", "mobileLink", "mobile_link"))
	}
	for _, raw := range []string{link, address(o.sub("embed").text("src"))} {
		if raw != "" && !contains(p.Links, raw) {
			p.Links = append(p.Links, raw)
		}
	}
}

// addRefs names the accounts that the pin was saved from, and the pin that its
// link leads to.
func addRefs(p *post.Post, o object, s *store) {
	handle := func(names ...string) string {
		for _, n := range names {
			if h := readAccount(o.of(s.users, n)).Handle; h != "" && !strings.EqualFold(h, p.Account.Handle) {
				return h
			}
		}
		return ""
	}
	via := handle("viaPinner", "via_pinner")
	if via != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, Account: via})
	}
	if first := handle("originPinner", "origin_pinner", "nativeCreator", "native_creator", "thirdPartyPinOwner", "third_party_pin_owner"); first != "" {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReblogRoot, Account: first})
	}
	for _, link := range p.Links {
		if ref, ok := matchText(link); ok && ref.Kind == crawlers.RefPost && ref.ID != p.ID {
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, ID: ref.ID, URL: ref.URL})
		}
	}
}

func addTags(p *post.Post, o object, s *store) {
	add := func(t string) {
		if !contains(p.Tags, t) {
			p.Tags = append(p.Tags, t)
		}
	}
	if sig := o.text("imageSignature", "image_signature"); isSignature(sig) {
		add("image_signature:" + sig)
	}
	for _, m := range p.Media {
		if sig := signature(m.URL); sig != "" && m.Kind == post.MediaImage {
			add("image_signature:" + sig)
		}
	}
	group := o.sub("aggregatedPinData", "aggregated_pin_data")
	id := group.text("entityId")
	for _, key := range []string{"id", "node_id"} {
		raw := group.text(key)
		if id == "" && isID(raw) {
			id = raw
		}
		if kind, n := globalID(raw); id == "" && strings.HasPrefix(kind, "aggregatedpindata") {
			id = n
		}
	}
	if isID(id) {
		add("aggregated_pin:" + id)
	}
	canonical := o.sub("pinJoin", "pin_join").text("seoCanonicalUrl", "seo_canonical_url", "canonicalPin")
	if ref, ok := matchPath(canonical); ok && ref.Kind == crawlers.RefPost && ref.ID != p.ID {
		add("same_image_pin:" + ref.ID)
	}
	board := o.of(s.boards, "board")
	if ref, ok := matchPath(board.text("url")); ok && ref.Kind == crawlers.RefBoard {
		add("board:" + ref.ID)
	}
	if slug := o.sub("section", "board_section").text("slug"); slug != "" {
		add("section:" + slug)
	}
	if c := o.text("category"); c != "" && !strings.Contains(c, " ") {
		add("category:" + c)
	}
	for _, v := range o.sub("pinJoin", "pin_join").get("visualAnnotation", "visual_annotation").Array() {
		if w := strings.TrimSpace(v.String()); w != "" {
			add("annotation:" + w)
		}
	}
	for _, f := range []struct{ tag, snake, camel string }{{"promoted", "is_promoted", "isPromoted"}, {"uploaded", "is_uploaded", "isUploaded"}, {"unsafe", "is_unsafe", "isUnsafe"}} {
		if o.isTrue(f.snake, f.camel) {
			add(f.tag)
		}
	}
}

// matchPath reads a path on Pinterest as it stands in JSON: "/ana/harbour/".
func matchPath(path string) (crawlers.Ref, bool) {
	if path == "" {
		return crawlers.Ref{}, false
	}
	if !strings.HasPrefix(path, "/") {
		return matchText(path)
	}
	return matchText(site + path)
}

// address gives an absolute web address, "" for anything else.
func address(raw string) string {
	raw = strings.TrimSpace(raw)
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return raw
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
