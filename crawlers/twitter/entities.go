package twitter

import (
	"fmt"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// entities reads links, hashtags, mentions and cashtags, in the words of v1.1,
// GraphQL and v2.
func (f *found) entities(v jsonx.Value) {
	p := &f.post
	p.Links = links(p.Links, v.Get("urls"), p.ID)
	for _, h := range v.Get("hashtags").Array() {
		p.Hashtags = add(p.Hashtags, first(h.Get("text"), h.Get("tag")))
	}
	for _, key := range []string{"user_mentions", "mentions"} {
		for _, m := range v.Get(key).Array() {
			p.Mentions = handle(p.Mentions, m.Get("screen_name"))
			p.Mentions = handle(p.Mentions, m.Get("username"))
		}
	}
	for _, key := range []string{"symbols", "cashtags"} {
		for _, s := range v.Get(key).Array() {
			if t := first(s.Get("text"), s.Get("tag")); t != "" && len(t) < 32 {
				p.Tags = add(p.Tags, "$"+t)
			}
		}
	}
}

func handle(list []string, v jsonx.Value) []string {
	if s := v.String(); isHandle(s) {
		return add(list, s)
	}
	return list
}

// links adds the targets of short links: as X expanded them, and as it resolved
// them where that is another address. Addresses of the post's own media are not
// links of its text.
func links(list []string, urls jsonx.Value, own string) []string {
	for _, u := range urls.Array() {
		if u.Has("media_key") && own != "" {
			continue
		}
		for _, s := range []string{first(u.Get("expanded_url"), u.Get("expanded"), u.Get("url")), u.Get("unwound_url").String(), u.Get("unwound", "url").String()} {
			s, ok := link(s)
			if !ok || own != "" && strings.Contains(s, "/status/"+own+"/") {
				continue
			}
			list = add(list, s)
		}
	}
	return list
}

func size(v jsonx.Value) int {
	n, ok := v.Int()
	if !ok || n < 0 || n > 1<<20 {
		return 0
	}
	return int(n)
}

// media reads pictures and videos of v1.1, GraphQL and the embed.
func (f *found) media(v, outer jsonx.Value) {
	var list []jsonx.Value
	for _, x := range []jsonx.Value{v.Get("extended_entities", "media"), outer.Get("mediaDetails"), v.Get("entities", "media"), outer.Get("extended_entities", "media"), outer.Get("entities", "media")} {
		for _, m := range x.Array() {
			if m.Get("media_url_https").Exists() || m.Get("media_url").Exists() {
				list = append(list, m)
			}
		}
		if len(list) > 0 {
			break
		}
	}
	for _, m := range list {
		f.medium(m)
	}
	if len(list) > 0 {
		return
	}
	for _, m := range outer.Get("photos").Array() {
		if s, ok := link(m.Get("url").String()); ok {
			f.show(post.Media{Kind: post.MediaImage, URL: s, Alt: m.Get("accessibilityLabel").String(), Width: size(m.Get("width")), Height: size(m.Get("height"))})
		}
	}
	if video := outer.Get("video"); video.IsObject() {
		if s := variant(video.Get("variants")); s != "" {
			x := post.Media{Kind: post.MediaVideo, URL: s}
			if ms, ok := video.Get("durationMs").Float(); ok && ms > 0 && ms < 1e12 {
				x.Duration = ms / 1000
			}
			f.show(x)
		}
		f.post.Counts = count(f.post.Counts, "video_views", video.Get("viewCount"))
	}
}

// medium reads one picture or video.
func (f *found) medium(m jsonx.Value) {
	x := post.Media{
		Kind: post.MediaImage, Alt: m.Get("ext_alt_text").String(),
		Width: size(m.Get("original_info", "width")), Height: size(m.Get("original_info", "height")),
	}
	if x.Width == 0 || x.Height == 0 {
		x.Width, x.Height = size(m.Get("sizes", "large", "w")), size(m.Get("sizes", "large", "h"))
	}
	address := first(m.Get("media_url_https"), m.Get("media_url"))
	if kind := m.Get("type").String(); kind == "video" || kind == "animated_gif" {
		x.Kind = post.MediaVideo
		if s := variant(m.Get("video_info", "variants")); s != "" {
			address = s
		} else {
			x.Kind = post.MediaImage // only its still is named
		}
		if ms, ok := m.Get("video_info", "duration_millis").Float(); ok && ms > 0 && ms < 1e12 {
			x.Duration = ms / 1000
		}
	}
	for _, views := range []jsonx.Value{m.Get("mediaStats", "viewCount"), m.Get("ext", "mediaStats", "r", "ok", "viewCount")} {
		f.post.Counts = count(f.post.Counts, "video_views", views)
	}
	if s, ok := link(address); ok {
		x.URL = s
		f.show(x)
	}
	if n := id(m, "source_status_id_str"); n != "" && n != f.post.ID {
		f.post.Tags = add(f.post.Tags, "media_from:"+n)
	}
}

func (f *found) show(m post.Media) {
	for _, x := range f.post.Media {
		if x.URL == m.URL && x.URL != "" {
			return
		}
	}
	f.post.Media = append(f.post.Media, m)
}

// variant gives the address of the best file of a video: the MP4 of the highest
// bit rate, or else the playlist.
func variant(list jsonx.Value) string {
	best, rate, playlist := "", int64(-1), ""
	for _, v := range list.Array() {
		s, ok := link(first(v.Get("url"), v.Get("src")))
		if !ok {
			continue
		}
		kind := first(v.Get("content_type"), v.Get("type"))
		if kind != "video/mp4" {
			if playlist == "" {
				playlist = s
			}
			continue
		}
		n, ok := v.Get("bitrate").Int()
		if !ok {
			n, _ = v.Get("bit_rate").Int()
		}
		if n >= rate { // the embed states no rate and lists the best last
			best, rate = s, n
		}
	}
	if best == "" {
		return playlist
	}
	return best
}

// card reads the card below a post: the link that it shows, and a poll's
// choices and votes. GraphQL lists its values, the embed keys them.
func (f *found) card(v jsonx.Value) {
	values := map[string]jsonx.Value{}
	for _, b := range v.Get("binding_values").Array() {
		values[b.Get("key").String()] = b.Get("value")
	}
	if keyed := v.Get("binding_values"); keyed.IsObject() {
		for _, k := range keyed.Keys() {
			values[k] = keyed.Get(k)
		}
	}
	word := func(key string) string { return values[key].Get("string_value").String() }
	p := &f.post
	name := v.Get("name").String()
	if strings.HasPrefix(name, "poll") {
		for i := 1; i <= 4; i++ {
			label := word(fmt.Sprintf("choice%d_label", i))
			if label == "" {
				continue
			}
			votes := values[fmt.Sprintf("choice%d_count", i)].Get("string_value")
			if n, ok := votes.Int(); ok && n >= 0 {
				p.Counts = append(p.Counts, post.ExactCount("poll_option:"+label, n))
			} else {
				p.Counts = append(p.Counts, post.HiddenCount("poll_option:"+label))
			}
		}
		p.Tags = add(p.Tags, "poll")
		return
	}
	if space := word("id"); strings.HasSuffix(name, "audiospace") && isCode(space) {
		p.Links = add(p.Links, web+"/i/spaces/"+space)
		p.Tags = add(p.Tags, "space")
	}
	if u := word("card_url"); u != "" && name != "unified_card" && !strings.HasSuffix(name, "audiospace") {
		// The card's own short link stands for a link of the text, except where
		// the text has none.
		if s, ok := link(u); ok && len(p.Links) == 0 && strings.HasPrefix(s, "https://t.co/") {
			p.Links = add(p.Links, s)
		}
	}
	if unified := word("unified_card"); unified != "" && len(unified) < 1<<20 {
		if u, err := jsonx.Parse([]byte(unified)); err == nil {
			u.Get("destination_objects").Walk(func(o jsonx.Value) bool {
				if s, ok := link(o.Get("url_data", "url").String()); ok {
					p.Links = add(p.Links, s)
				}
				return true
			})
			media := u.Get("media_entities")
			for _, k := range media.Keys() {
				f.medium(media.Get(k))
			}
		}
	}
}
