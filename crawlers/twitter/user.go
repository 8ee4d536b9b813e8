package twitter

import (
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// userOf reads a user in any shape: GraphQL with "legacy" or with "core" and
// parts of their own, v1.1, v2, embed. It is false for what is no user.
func userOf(v jsonx.Value) (post.Account, bool) {
	legacy, core := v.Get("legacy"), v.Get("core")
	a := post.Account{Platform: platform, ID: id(v, "rest_id", "id_str", "id")}
	if a.ID == "" {
		if a.ID = nodeID(v.Get("id").String(), "User"); a.ID == "" {
			a.ID = id(legacy, "id_str", "id")
		}
	}
	a.Handle = first(core.Get("screen_name"), legacy.Get("screen_name"), v.Get("screen_name"), v.Get("username"))
	if !isHandle(a.Handle) {
		a.Handle = ""
	}
	a.Name = first(core.Get("name"), legacy.Get("name"), v.Get("name"))
	if a.ID == "" && a.Handle == "" {
		return post.Account{}, false
	}
	a.URL = accountURL(a)
	if s, ok := link(first(v.Get("avatar", "image_url"), legacy.Get("profile_image_url_https"), v.Get("profile_image_url_https"), v.Get("profile_image_url"))); ok {
		a.Avatar = s
	}
	for _, x := range []jsonx.Value{core.Get("created_at"), legacy.Get("created_at"), v.Get("created_at")} {
		if a.Created = moment(x); !a.Created.IsZero() {
			break
		}
	}
	flat := v
	if legacy.IsObject() {
		flat = legacy
	}
	relations, tweets, public := v.Get("relationship_counts"), v.Get("tweet_counts"), v.Get("public_metrics")
	for _, c := range []struct {
		name  string
		state jsonx.Value
	}{
		{"followers", flat.Get("followers_count")}, {"followers", relations.Get("followers")}, {"followers", public.Get("followers_count")},
		{"following", flat.Get("friends_count")}, {"following", relations.Get("following")}, {"following", public.Get("following_count")},
		{"posts", flat.Get("statuses_count")}, {"posts", tweets.Get("tweets")}, {"posts", public.Get("tweet_count")},
		{"media", flat.Get("media_count")}, {"media", tweets.Get("media_tweets")}, {"media", public.Get("media_count")},
		{"likes_given", flat.Get("favourites_count")}, {"likes_given", v.Get("action_counts", "favorites_count")}, {"likes_given", public.Get("like_count")},
		{"lists", flat.Get("listed_count")}, {"lists", public.Get("listed_count")},
	} {
		a.Counts = count(a.Counts, c.name, c.state)
	}
	return a, true
}

func accountURL(a post.Account) string {
	if a.Handle != "" {
		return web + "/" + a.Handle
	}
	return web + "/i/user/" + a.ID
}

// first is the first of values that states something.
func first(values ...jsonx.Value) string {
	for _, v := range values {
		if s := strings.TrimSpace(v.String()); s != "" {
			return s
		}
	}
	return ""
}

// profile makes a post of kind account of a user.
func profile(v jsonx.Value) (post.Post, bool) {
	a, ok := userOf(v)
	if !ok {
		return post.Post{}, false
	}
	legacy := v.Get("legacy")
	p := post.Post{ID: accountID(a), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Created: a.Created, Counts: a.Counts, Outcome: post.OK}
	p.Text = first(legacy.Get("description"), v.Get("profile_bio", "description"), v.Get("description"))
	entities := legacy.Get("entities")
	if !entities.IsObject() {
		entities = v.Get("profile_bio", "entities")
	}
	if !entities.IsObject() {
		entities = v.Get("entities")
	}
	for _, part := range []string{"url", "description"} {
		p.Links = links(p.Links, entities.Get(part, "urls"), "")
		for _, m := range entities.Get(part, "mentions").Array() {
			p.Mentions = handle(p.Mentions, m.Get("username"))
		}
		for _, h := range entities.Get(part, "hashtags").Array() {
			p.Hashtags = add(p.Hashtags, first(h.Get("tag"), h.Get("text")))
		}
	}
	if len(p.Links) == 0 {
		if s, ok := link(first(v.Get("website", "url"), legacy.Get("url"), v.Get("url"))); ok {
			p.Links = add(p.Links, s)
		}
	}
	if s, ok := link(first(v.Get("banner", "image_url"), legacy.Get("profile_banner_url"), v.Get("profile_banner_url"))); ok {
		p.Media = append(p.Media, post.Media{Kind: post.MediaImage, URL: s})
	}
	p.Tags = userTags(v, legacy)
	if withheld(v) || withheld(legacy) {
		p.Tags = append(p.Tags, withheldTags(legacy, v)...)
	}
	return p, true
}

// accountID is the id of a profile as a post.
func accountID(a post.Account) string {
	if a.ID != "" {
		return "user:" + a.ID
	}
	return "@" + strings.ToLower(a.Handle)
}

func userTags(v, legacy jsonx.Value) []string {
	var tags []string
	flag := func(on bool, tag string) {
		if on {
			tags = add(tags, tag)
		}
	}
	word := func(prefix string, values ...jsonx.Value) {
		if s := first(values...); s != "" {
			tags = add(tags, prefix+s)
		}
	}
	flag(legacy.Get("verified").Bool() || v.Get("verification", "verified").Bool() || v.Get("verified").Bool(), "verified")
	flag(v.Get("is_blue_verified").Bool(), "blue_verified")
	if t := strings.ToLower(first(legacy.Get("verified_type"), v.Get("verification", "verified_type"), v.Get("verified_type"))); t != "" && t != "none" {
		tags = add(tags, "verified_type:"+t)
	}
	flag(legacy.Get("protected").Bool() || v.Get("privacy", "protected").Bool() || v.Get("protected").Bool(), "protected")
	if loc := v.Get("location"); loc.IsString() {
		word("location:", loc)
	} else {
		word("location:", loc.Get("location"), legacy.Get("location"))
	}
	word("affiliation:", v.Get("affiliates_highlighted_label", "label", "description"))
	for _, c := range v.Get("professional", "category").Array() {
		word("category:", c.Get("name"))
	}
	if ms, ok := v.Get("verification_info", "reason", "verified_since_msec").Int(); ok && ms > 0 && ms < 1<<43 {
		tags = add(tags, "verified_since:"+time.UnixMilli(ms).UTC().Format(time.DateOnly))
	}
	if jar := v.Get("tipjar_settings"); jar.IsObject() {
		for _, k := range jar.Keys() {
			if where, ok := strings.CutSuffix(k, "_handle"); ok {
				word("tips:"+where+":", jar.Get(k))
			}
		}
	}
	about := v.Get("about_profile")
	word("based_in:", about.Get("account_based_in"))
	word("created_via:", about.Get("source"))
	word("affiliate:", about.Get("affiliate_username"))
	word("username_changes:", about.Get("username_changes", "count"))
	if ms, ok := about.Get("username_changes", "last_changed_at_msec").Int(); ok && ms > 0 && ms < 1<<43 {
		tags = add(tags, "username_changed:"+time.UnixMilli(ms).UTC().Format(time.DateOnly))
	}
	if label := v.Get("parody_commentary_fan_label").String(); label != "" && label != "None" {
		tags = add(tags, "label:"+strings.ToLower(label))
	}
	return tags
}
