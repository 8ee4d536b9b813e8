package demoweb

import (
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// shortcode is a post's number on Instagram in base 64.
func (p *Post) shortcode() string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := ""
	for n := number64(p.ID); n > 0; n /= 64 {
		s = string(digits[n%64]) + s
	}
	return s
}

// question is the slug under which an answer stands on Quora.
func (p *Post) question() string {
	return "What-do-you-know-about-" + Slug(p.Title) + "-" + p.ID[len(p.ID)-3:]
}

// xEscape is all that X escapes in a post's text.
var xEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// x serves what X serves a visitor: single posts, by the embed's interface and
// by oEmbed.
func (s *Server) x(w http.ResponseWriter, r *http.Request, host string) {
	switch {
	case host == "cdn.syndication.twimg.com" && r.URL.Path == "/tweet-result":
		p := s.world.postByID(X, r.FormValue("id"))
		if p == nil {
			notFound(w, "Not found")
			return
		}
		doc := tdoc{"__typename": "Tweet", "lang": "en", "favorite_count": p.Likes, "possibly_sensitive": false, "created_at": p.Time.Format("2006-01-02T15:04:05.000Z"),
			"display_text_range": []int{0, len([]rune(p.caption()))}, "entities": tdoc{"hashtags": []any{}, "urls": []any{}, "user_mentions": []any{}, "symbols": []any{}}, "id_str": p.ID, "text": xEscape.Replace(p.caption()),
			"user":         tdoc{"id_str": p.Account.ID, "name": p.Account.Name, "screen_name": p.Account.Handle, "verified": false, "profile_image_url_https": "https://pbs.twimg.com/profile_images/1/" + p.Account.Avatar},
			"edit_control": tdoc{"edit_tweet_ids": []string{p.ID}, "is_edit_eligible": true, "edits_remaining": "5"}, "conversation_count": len(p.Comments), "news_action_type": "conversation", "isEdited": false, "isStaleEdit": false}
		if p.Image != "" {
			doc["mediaDetails"] = []tdoc{{"type": "photo", "display_url": "pic.x.com/" + p.ID, "expanded_url": p.URL() + "/photo/1", "media_url_https": "https://pbs.twimg.com/media/" + p.Image, "original_info": tdoc{"width": 240, "height": 180}, "url": "https://t.co/x"}}
			doc["photos"] = []tdoc{{"url": "https://pbs.twimg.com/media/" + p.Image, "width": 240, "height": 180}}
		}
		if p.Clip != "" {
			clip := s.world.Clips[p.Clip]
			doc["mediaDetails"] = []tdoc{{"type": "video", "display_url": "pic.x.com/" + p.ID, "expanded_url": p.URL() + "/video/1", "media_url_https": "https://pbs.twimg.com/ext_tw_video_thumb/1/pu/img/" + p.picture(), "original_info": tdoc{"width": sceneWidth, "height": sceneHeight}, "url": "https://t.co/x",
				"video_info": tdoc{"aspect_ratio": []int{4, 3}, "duration_millis": int(clip.seconds() * 1000), "variants": []tdoc{{"bitrate": 832000, "content_type": "video/mp4", "url": "https://video.twimg.com/ext_tw_video/1/pu/vid/" + p.Clip}}}}}
			delete(doc, "photos")
		}
		replyJSON(w, doc)
	case host == "publish.x.com" && r.URL.Path == "/oembed":
		address, _, _ := strings.Cut(r.FormValue("url"), "?")
		p := s.world.postByID(X, address[strings.LastIndexByte(address, '/')+1:])
		if p == nil {
			notFound(w, "Not found")
			return
		}
		replyJSON(w, tdoc{"url": p.URL(), "author_name": p.Account.Name, "author_url": p.Account.URL(), "type": "rich", "version": "1.0", "provider_name": "Twitter", "provider_url": "https://x.com", "width": 550,
			"html": fmt.Sprintf(`<blockquote class="twitter-tweet"><p lang="en" dir="ltr">%s</p>&mdash; %s (@%s) <a href="%s">%s</a></blockquote>`, html.EscapeString(p.caption()), html.EscapeString(p.Account.Name), p.Account.Handle, p.URL(), p.Time.Format("January 2, 2006"))})
	default:
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>X</title></head><body><noscript>JavaScript is not available.</noscript><div id="react-root"></div></body></html>`)
	}
}

// instagram serves the page of a post with what its head says; accounts lead to
// the login.
func (s *Server) instagram(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || parts[0] != "p" {
		http.Redirect(w, r, "https://www.instagram.com/accounts/login/?next="+r.URL.Path, http.StatusFound)
		return
	}
	for _, p := range s.world.Posts {
		if p.Account.Platform != Instagram || p.shortcode() != parts[1] {
			continue
		}
		a := p.Account
		caption := p.caption()
		said := fmt.Sprintf(`%d likes, %d comments - %s on %s: "%s".`, p.Likes, len(p.Comments), a.Handle, p.Time.Format("January 2, 2006"), caption)
		meta := ""
		for _, m := range [][2]string{
			{"og:site_name", "Instagram"}, {"og:title", a.Name + ` on Instagram: "` + caption + `"`}, {"og:description", said}, {"og:image", "https://scontent.cdninstagram.com/v/" + p.picture() + "?oe=FFFFFFFF"},
			{"og:url", p.URL()}, {"og:type", "article"}, {"al:ios:url", "instagram://media?id=" + p.ID}, {"instapp:owner_user_id", a.ID},
		} {
			meta += `<meta property="` + m[0] + `" content="` + html.EscapeString(m[1]) + `" />`
		}
		if p.Clip != "" {
			meta += `<meta property="og:video" content="https://scontent.cdninstagram.com/o1/v/` + p.Clip + `" /><meta property="og:video:type" content="video/mp4" />`
		}
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html lang="en"><head><title>`+html.EscapeString(a.Name+` on Instagram: "`+caption+`"`)+`</title><meta name="description" content="`+html.EscapeString(said)+`" />`+meta+`<link rel="canonical" href="`+p.URL()+`" /></head><body></body></html>`)
		return
	}
	notFound(w, "Page not found • Instagram")
}

// facebook serves a page's own page with one post, and the pages of posts.
func (s *Server) facebook(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	a := s.world.byHandle(Facebook, parts[0])
	switch {
	case a == nil:
		http.Redirect(w, r, "https://www.facebook.com/login/?next="+r.URL.Path, http.StatusFound)
	case len(parts) == 3 && parts[1] == "posts":
		p := s.world.postByID(Facebook, parts[2])
		if p == nil || p.Account != a {
			reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>Facebook</title></head><body><script type="application/json" data-sjs>{"props":{"title":"This content isn't available right now","description":"When this happens, it's usually because the owner only shared it with a small group of people."}}</script></body></html>`)
			return
		}
		s.facebookPage(w, a, p, p.URL(), p.caption())
	default:
		var newest *Post
		if len(a.posts) > 0 {
			newest = a.posts[0]
		}
		s.facebookPage(w, a, newest, a.URL()+"/", a.Name+". 3,783 likes · 65 were here.")
	}
}

func (s *Server) facebookPage(w http.ResponseWriter, a *Account, p *Post, address, description string) {
	pageID := "54" + a.ID
	script := ""
	if p != nil {
		feedback := base64.StdEncoding.EncodeToString([]byte("feedback:" + p.ID))
		story := tdoc{"__typename": "Story", "id": base64.StdEncoding.EncodeToString([]byte("S:_I" + pageID + ":" + p.ID)), "post_id": p.ID,
			"feedback": tdoc{"id": feedback, "owning_profile": tdoc{"__typename": "User", "name": a.Name, "id": "1000" + a.ID}},
			"comet_sections": tdoc{
				"content":        tdoc{"story": tdoc{"id": "s", "wwwURL": p.URL(), "message": tdoc{"text": p.caption()}, "actors": []tdoc{{"__typename": "User", "id": "1000" + a.ID, "name": a.Name, "url": a.URL()}}, "attachments": []any{}}},
				"context_layout": tdoc{"story": tdoc{"comet_sections": tdoc{"metadata": []tdoc{{"__typename": "CometFeedStoryMinimizedTimestampStrategy", "story": tdoc{"creation_time": p.Time.Unix(), "url": p.URL()}}}}}},
				"feedback": tdoc{"story": tdoc{"feedback_context": tdoc{"feedback_target_with_context": tdoc{"id": feedback, "reaction_count": tdoc{"count": p.Likes}, "i18n_reaction_count": strconv.Itoa(p.Likes), "share_count": tdoc{"count": p.Likes / 7},
					"comment_rendering_instance": tdoc{"comments": tdoc{"total_count": len(p.Comments)}}}}}},
			}}
		data := tdoc{"require": []any{[]any{"RelayPrefetchedStreamCache", "next", []any{}, []any{"adp", tdoc{"__bbox": tdoc{"complete": true, "result": tdoc{"data": tdoc{"user": tdoc{"id": "1000" + a.ID, "delegate_page": tdoc{"id": pageID}, "timeline_list_feed_units": tdoc{"edges": []tdoc{{"node": story}}}}, "node": story}}}}}}}}
		script = `<script type="application/json" data-sjs>` + scriptJSON(w, data) + `</script>`
	}
	reply(w, "text/html; charset=utf-8", fmt.Sprintf(`<!DOCTYPE html><html lang="en"><head><title>%s | Facebook</title><meta property="og:title" content="%s" /><meta property="og:description" content="%s" /><meta property="og:url" content="%s" /><meta property="og:type" content="article" /><meta property="al:android:url" content="fb://profile/1000%s" /><link rel="canonical" href="%s" /></head><body><div id="login_form"></div><script>{"USER_ID":"0"}</script>%s</body></html>`,
		html.EscapeString(a.Name), html.EscapeString(a.Name), html.EscapeString(description), address, a.ID, address, script))
}

// signature is the digest that Pinterest gives a picture.
func (p *Post) signature() string {
	return fmt.Sprintf("%032x", []byte((p.picture() + "................")[:16]))
}

func (p *Post) pinImage(size string) string {
	s := p.signature()
	return "https://i.pinimg.com/" + size + "/" + s[:2] + "/" + s[2:4] + "/" + s[4:6] + "/" + s + ".jpg"
}

// pinterest serves feeds, the widget's interface and the pages of pins.
func (s *Server) pinterest(w http.ResponseWriter, r *http.Request, host string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case host == "widgets.pinterest.com" && strings.HasPrefix(r.URL.Path, "/v3/pidgets/users/"):
		a := s.world.byHandle(Pinterest, parts[3])
		if a == nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"status":"failure","code":404,"data":[]}`))
			return
		}
		var pins []tdoc
		for _, p := range page(a.posts, 0, 50) {
			pins = append(pins, p.pidget())
		}
		replyJSON(w, tdoc{"status": "success", "code": 0, "data": tdoc{"user": tdoc{"id": a.ID, "full_name": a.Name, "profile_url": a.URL(), "pin_count": len(a.posts), "follower_count": 3}, "pins": pins}})
	case host == "widgets.pinterest.com":
		var pins []tdoc
		for _, id := range strings.Split(r.FormValue("pin_ids"), ",") {
			if p := s.world.postByID(Pinterest, id); p != nil {
				pins = append(pins, p.pidget())
			}
		}
		replyJSON(w, tdoc{"status": "success", "code": 0, "data": pins})
	case len(parts) == 2 && parts[1] == "feed.rss":
		a := s.world.byHandle(Pinterest, parts[0])
		if a == nil {
			notFound(w, "Not found")
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?><rss xmlns:atom="http://www.w3.org/2005/Atom" version="2.0"><channel><title>%s</title><link>%s</link><description></description>`, escapeXML(a.Name), a.URL())
		for _, p := range page(a.posts, 0, 25) {
			fmt.Fprintf(&b, `<item><title>%s</title><link>%s</link><description>%s</description><pubDate>%s</pubDate><guid>%s</guid></item>`, escapeXML(p.Title), p.URL(),
				escapeXML(`<a href="`+p.URL()+`"><img src="`+p.pinImage("236x")+`"></a>`+html.EscapeString(p.Text)), strings.Replace(p.Time.Format(time.RFC1123), "UTC", "GMT", 1), p.URL())
		}
		b.WriteString("</channel></rss>")
		reply(w, "application/rss+xml; charset=utf-8", b.String())
	case len(parts) == 2 && parts[0] == "pin":
		p := s.world.postByID(Pinterest, parts[1])
		if p == nil {
			notFound(w, "Not found")
			return
		}
		a := p.Account
		data := tdoc{"requestParameters": tdoc{"name": "CloseupPageQuery"}, "response": tdoc{"data": tdoc{"v3GetPinQuery": tdoc{"__typename": "V3GetPin", "data": tdoc{
			"__typename": "Pin", "entityId": p.ID, "createdAt": p.Time.Format(time.RFC1123Z), "title": p.Title, "gridTitle": p.Title, "description": p.Text, "closeupUnifiedDescription": p.Text, "link": p.Link, "imageSignature": p.signature(),
			"imageSpec_orig": tdoc{"url": p.pinImage("originals"), "width": 240, "height": 180}, "repinCount": p.Likes, "pinner": tdoc{"username": a.Handle, "fullName": a.Name, "entityId": a.ID},
			"board": tdoc{"name": "Things", "url": "/" + a.Handle + "/things/", "entityId": "9" + a.ID}, "aggregatedPinData": tdoc{"entityId": "5" + p.ID[1:], "commentCount": len(p.Comments)},
		}}}}}
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>`+html.EscapeString(p.Title)+`</title></head><body><script data-relay-response="true" type="application/json">`+scriptJSON(w, data)+`</script></body></html>`)
	default:
		notFound(w, "Not found")
	}
}

func (p *Post) pidget() tdoc {
	a := p.Account
	return tdoc{"id": p.ID, "description": p.caption(), "link": p.Link, "repin_count": p.Likes, "is_video": false, "dominant_color": "#777777",
		"images": tdoc{"237x": tdoc{"url": p.pinImage("237x"), "width": 237, "height": 158}}, "image_signature": p.signature(),
		"pinner": tdoc{"id": a.ID, "full_name": a.Name, "profile_url": a.URL(), "pin_count": len(a.posts)}, "board": tdoc{"id": "9" + a.ID, "name": "Things", "url": "/" + a.Handle + "/things/"}}
}

// quora serves a few pages, and then its challenge, as the real site does.
func (s *Server) quora(w http.ResponseWriter, r *http.Request) {
	slug := strings.Split(strings.Trim(r.URL.Path, "/"), "/")[0]
	for i, p := range s.world.Posts {
		if p.Account.Platform != Quora || p.question() != slug {
			continue
		}
		if i%2 == 0 {
			break
		}
		a := p.Account
		given, family, _ := strings.Cut(a.Name, " ")
		rich := func(s string) string {
			var sections []tdoc
			for para := range strings.SplitSeq(s, "\n\n") {
				sections = append(sections, tdoc{"type": "plain", "indent": 0, "quoted": false, "is_rtl": false, "spans": []tdoc{{"modifiers": tdoc{}, "text": para}}})
			}
			return scriptJSON(w, tdoc{"sections": sections})
		}
		question := tdoc{"__typename": "Question", "qid": number64(p.ID), "id": "q" + p.ID, "url": "/" + slug, "title": rich("What do you know about " + p.Title + "?"), "answerCount": 3, "followerCount": p.Likes, "isLocked": false, "isDeleted": false, "numDisplayComments": 0}
		answer := tdoc{"__typename": "Answer", "aid": number64(p.ID) + 7, "id": "a" + p.ID, "permaUrl": "/" + slug + "/answer/" + strings.ReplaceAll(a.Name, " ", "-"), "url": "/" + slug + "/answer/" + strings.ReplaceAll(a.Name, " ", "-"), "content": rich(p.caption()),
			"creationTime": p.Time.UnixMicro(), "updatedTime": 0, "numUpvotes": p.Likes, "numViews": p.Likes * 50, "numShares": 0, "numDisplayComments": len(p.Comments), "isMachineAnswer": false, "isDeleted": false, "viewerHasAccess": true, "isTranslated": false,
			"author": tdoc{"__typename": "User", "uid": number64(a.ID), "id": "u" + a.ID, "profileUrl": "/profile/" + strings.ReplaceAll(a.Name, " ", "-"), "isAnon": false, "names": []tdoc{{"givenName": given + " ", "familyName": family, "reverseOrder": false}}}, "question": question}
		page := scriptJSON(w, tdoc{"data": tdoc{"question": question, "answer": answer}})
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>`+html.EscapeString(p.Title)+` - Quora</title></head><body><div id="root"></div><script>window.ansFrontendGlobals = {"data":{"inlineQueryResults":{"results":{}}}};</script><script>window.ansFrontendGlobals.data.inlineQueryResults.results["8f3a"] = []; window.ansFrontendGlobals.data.inlineQueryResults.results["8f3a"].push(`+strconv.Quote(page)+`);</script></body></html>`)
		return
	}
	w.Header().Set("Cf-Mitigated", "challenge")
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"))
}
