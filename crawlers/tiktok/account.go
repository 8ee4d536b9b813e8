package tiktok

import (
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// accountOf reads an account as the site, the embeds and the application have
// it. stats hold its counts, and may be missing.
func accountOf(v jsonx.Value, stats ...jsonx.Value) (post.Account, bool) {
	a := post.Account{
		Platform: platform, ID: number(v.Get("id"), v.Get("userId"), v.Get("uid")),
		Handle: first(v.Get("uniqueId"), v.Get("unique_id")), Name: first(v.Get("nickname"), v.Get("nickName")), Created: seconds(v.Get("createTime")),
	}
	if !isHandle(a.Handle) {
		a.Handle = ""
	}
	if a.ID == "" && a.Handle == "" {
		return post.Account{}, false
	}
	if a.Handle != "" {
		a.URL = web + "/@" + a.Handle
	} else if s := secUID(v); s != "" {
		a.URL = web + "/@" + s
	}
	for _, x := range []jsonx.Value{
		v.Get("avatarLarger"), v.Get("avatarMedium"), v.Get("avatarThumb"), v.Get("avatarThumbUrl"), v.Get("covers").At(0),
		v.Get("avatar_larger", "url_list").At(0), v.Get("avatar_medium", "url_list").At(0), v.Get("avatar_thumb", "url_list").At(0),
	} {
		if s, ok := link(x.String()); ok {
			a.Avatar = s
			break
		}
	}
	a.Counts = accountCounts(append(stats, v)...)
	return a, true
}

// accountCounts reads an account's counts. A page may state them twice, rounded
// and exact.
func accountCounts(stats ...jsonx.Value) []post.Count {
	var list []post.Count
	for _, c := range []struct {
		name string
		keys []string
	}{
		{"followers", []string{"followerCount", "follower_count", "fans"}}, {"following", []string{"followingCount", "following_count", "following"}},
		{"posts", []string{"videoCount", "aweme_count", "video"}}, {"likes", []string{"heartCount", "heart", "total_favorited"}},
		{"likes_given", []string{"diggCount", "favoriting_count", "digg"}}, {"friends", []string{"friendCount"}},
	} {
		var values []jsonx.Value
		for _, s := range stats {
			for _, k := range c.keys {
				if x := s.Get(k); x.String() != "" {
					values = append(values, x)
					break
				}
			}
		}
		list = count(list, c.name, false, values...)
	}
	return list
}

func secUID(v jsonx.Value) string {
	if s := first(v.Get("secUid"), v.Get("sec_uid"), v.Get("authorSecId")); isSecUID(s) {
		return s
	}
	return ""
}

// profile makes a post of kind account.
func profile(v jsonx.Value, stats ...jsonx.Value) (post.Post, bool) {
	a, ok := accountOf(v, stats...)
	if !ok {
		return post.Post{}, false
	}
	p := post.Post{ID: accountID(a), Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Text: v.Get("signature").String(), Created: a.Created, Counts: a.Counts, Outcome: post.OK}
	if s, ok := link(first(v.Get("bioLink", "link"), v.Get("bio_url"))); ok {
		p.Links = add(p.Links, s)
	} else if s := v.Get("bioLink", "link").String(); s != "" && !strings.Contains(s, ":") && strings.Contains(s, ".") {
		p.Links = add(p.Links, "https://"+s)
	}
	for _, flag := range []struct {
		on  bool
		tag string
	}{
		{v.Get("verified").Bool(), "verified"}, {v.Get("privateAccount").Bool() || v.Get("secret").Bool(), "private"},
		{v.Get("ttSeller").Bool(), "seller"}, {isID(v.Get("roomId").String()), "live"},
	} {
		if flag.on {
			p.Tags = add(p.Tags, flag.tag)
		}
	}
	p.Tags = add(p.Tags, region(v.Get("region")))
	if s := v.Get("commerceUserInfo", "category").String(); s != "" {
		p.Tags = add(p.Tags, "category:"+s)
	}
	return p, true
}

func accountID(a post.Account) string {
	if a.ID != "" {
		return "user:" + a.ID
	}
	return "@" + strings.ToLower(a.Handle)
}
