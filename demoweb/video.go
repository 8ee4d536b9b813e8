package demoweb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// channel is an account's native id on YouTube.
func (a *Account) channel() string {
	h := fnv.New128a()
	_, _ = h.Write([]byte("channel" + a.ID))
	return "UC" + base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:22]
}

func scriptJSON(w http.ResponseWriter, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return "{}"
	}
	return string(data)
}

func runs(s string) tdoc { return tdoc{"runs": []tdoc{{"text": s}}} }

func (p *Post) duration() int { return 30 + len(p.Text)%400 }

// youtube serves the video tab of channels and the pages of videos.
func (s *Server) youtube(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "watch":
		p := s.world.postByID(YouTube, r.FormValue("v"))
		if p == nil {
			s.youtubePage(w, "YouTube", tdoc{}, tdoc{"playabilityStatus": tdoc{"status": "ERROR", "reason": "This video is unavailable"}})
			return
		}
		s.youtubePage(w, p.Title, tdoc{"contents": tdoc{}}, p.player())
	case parts[0] == "oembed":
		p := s.world.postByID(YouTube, r.FormValue("url")[strings.LastIndexByte(r.FormValue("url"), '=')+1:])
		if p == nil {
			http.Error(w, "Not Found", http.StatusNotFound)
			return
		}
		replyJSON(w, tdoc{"title": p.Title, "author_name": p.Account.Name, "author_url": p.Account.URL(), "type": "video", "provider_name": "YouTube", "thumbnail_url": p.still()})
	case parts[0] == "channel" && len(parts) > 1:
		for _, a := range s.world.Accounts {
			if a.Platform == YouTube && a.channel() == parts[1] {
				s.youtubeChannel(w, a)
				return
			}
		}
		s.youtubePage(w, "404", tdoc{"alerts": []tdoc{{"alertRenderer": tdoc{"type": "ERROR", "text": tdoc{"simpleText": "This channel does not exist."}}}}}, nil)
	default:
		notFound(w, "404 Not Found")
	}
}

func (p *Post) still() string { return "https://i.ytimg.com/vi/" + p.ID + "/" + p.picture() }

// picture is the name of the still of a video: a story has one, so that its
// copies look alike.
func (p *Post) picture() string {
	if p.Image != "" {
		return p.Image
	}
	return "still-" + p.ID + ".png"
}

func (p *Post) player() tdoc {
	a := p.Account
	return tdoc{
		"playabilityStatus": tdoc{"status": "OK"},
		"videoDetails": tdoc{"videoId": p.ID, "title": p.Title, "lengthSeconds": strconv.Itoa(p.duration()), "channelId": a.channel(), "shortDescription": p.Text, "keywords": p.Tags,
			"thumbnail": tdoc{"thumbnails": []tdoc{{"url": p.still(), "width": 240, "height": 180}}}, "viewCount": strconv.Itoa(p.Likes * 37), "author": a.Name, "isPrivate": false, "isLiveContent": false},
		"microformat": tdoc{"playerMicroformatRenderer": tdoc{"externalVideoId": p.ID, "title": tdoc{"simpleText": p.Title}, "description": tdoc{"simpleText": p.Text}, "ownerChannelName": a.Name,
			"ownerProfileUrl": "http://www.youtube.com/@" + a.Handle, "externalChannelId": a.channel(), "publishDate": p.Time.Format(time.RFC3339), "uploadDate": p.Time.Format(time.RFC3339),
			"viewCount": strconv.Itoa(p.Likes * 37), "likeCount": strconv.Itoa(p.Likes), "lengthSeconds": strconv.Itoa(p.duration()), "category": "People & Blogs", "isFamilySafe": true, "isUnlisted": false,
			"canonicalUrl": p.URL()}},
	}
}

func (s *Server) youtubeChannel(w http.ResponseWriter, a *Account) {
	var items []tdoc
	for _, p := range page(a.posts, 0, 30) {
		items = append(items, tdoc{"richItemRenderer": tdoc{"content": tdoc{"videoRenderer": tdoc{
			"videoId": p.ID, "title": runs(p.Title), "publishedTimeText": tdoc{"simpleText": fmt.Sprintf("%d days ago", max(1, int(Day.Sub(p.Time).Hours()/24)))},
			"viewCountText": tdoc{"simpleText": fmt.Sprintf("%d views", p.Likes*37)}, "lengthText": tdoc{"simpleText": fmt.Sprintf("%d:%02d", p.duration()/60, p.duration()%60)},
			"thumbnail": tdoc{"thumbnails": []tdoc{{"url": p.still(), "width": 240, "height": 180}}}, "navigationEndpoint": tdoc{"watchEndpoint": tdoc{"videoId": p.ID}},
		}}}})
	}
	data := tdoc{
		"metadata": tdoc{"channelMetadataRenderer": tdoc{"title": a.Name, "description": "", "externalId": a.channel(), "vanityChannelUrl": "http://www.youtube.com/@" + a.Handle, "channelUrl": a.URL(), "ownerUrls": []string{"http://www.youtube.com/@" + a.Handle}, "avatar": tdoc{"thumbnails": []tdoc{}}}},
		"contents": tdoc{"twoColumnBrowseResultsRenderer": tdoc{"tabs": []tdoc{{"tabRenderer": tdoc{"title": "Videos", "selected": true, "content": tdoc{"richGridRenderer": tdoc{"contents": items}}}}}}},
	}
	s.youtubePage(w, a.Name, data, nil)
}

func (s *Server) youtubePage(w http.ResponseWriter, title string, data, player tdoc) {
	scripts := "<script>var ytInitialData = " + scriptJSON(w, data) + ";</script>"
	if player != nil {
		scripts += "<script>var ytInitialPlayerResponse = " + scriptJSON(w, player) + ";</script>"
	}
	reply(w, "text/html; charset=utf-8", "<!DOCTYPE html><html lang=\"en\"><head><title>"+html.EscapeString(title)+" - YouTube</title></head><body>"+scripts+"</body></html>")
}

// vimeo serves oEmbed; its pages are behind a challenge, as on the real site.
func (s *Server) vimeo(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/api/oembed.json" {
		w.Header().Set("Cf-Mitigated", "challenge")
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"))
		return
	}
	address, _, _ := strings.Cut(r.FormValue("url"), "?")
	p := s.world.postByID(Vimeo, address[strings.LastIndexByte(address, '/')+1:])
	if p == nil {
		http.Error(w, "404 Not Found", http.StatusNotFound)
		return
	}
	newYork := time.FixedZone("EDT", -4*3600)
	if p.Time.After(time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)) {
		newYork = time.FixedZone("EST", -5*3600)
	}
	replyJSON(w, tdoc{"type": "video", "version": "1.0", "provider_name": "Vimeo", "provider_url": "https://vimeo.com/", "title": p.Title, "author_name": p.Account.Name, "author_url": p.Account.URL(), "is_plus": "0",
		"html": `<iframe src="https://player.vimeo.com/video/` + p.ID + `"></iframe>`, "width": 240, "height": 180, "duration": p.duration(), "description": p.Text, "thumbnail_url": "https://i.vimeocdn.com/video/" + p.picture(),
		"thumbnail_width": 240, "thumbnail_height": 180, "upload_date": p.Time.In(newYork).Format("2006-01-02 15:04:05"), "video_id": number64(p.ID), "uri": "/videos/" + p.ID})
}

// tiktok serves the embed of an account and oEmbed of posts.
func (s *Server) tiktok(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case parts[0] == "oembed":
		address, _, _ := strings.Cut(r.FormValue("url"), "?")
		p := s.world.postByID(TikTok, address[strings.LastIndexByte(address, '/')+1:])
		if p == nil {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"message":"Something went wrong","code":404}`))
			return
		}
		replyJSON(w, tdoc{"version": "1.0", "type": "video", "title": p.caption(), "author_url": p.Account.URL(), "author_name": p.Account.Name, "author_unique_id": p.Account.Handle, "embed_product_id": p.ID, "embed_type": "video",
			"provider_name": "TikTok", "provider_url": "https://www.tiktok.com", "thumbnail_url": "https://p16-sign.tiktokcdn.com/obj/" + p.picture(), "thumbnail_width": 240, "thumbnail_height": 180, "html": "<blockquote></blockquote>"})
	case parts[0] == "embed" && len(parts) == 2 && strings.HasPrefix(parts[1], "@"):
		a := s.world.byHandle(TikTok, parts[1][1:])
		if a == nil {
			notFound(w, "Couldn't find this account")
			return
		}
		var list []tdoc
		anchors := ""
		for _, p := range page(a.posts, 0, 12) {
			list = append(list, tdoc{"id": p.ID, "desc": p.caption(), "coverUrl": "https://p16-sign.tiktokcdn.com/obj/" + p.picture(), "playCount": p.Likes * 91, "privateItem": false})
			anchors += `<div data-e2e="common-videoList-VideoContainer"><a href="` + p.URL() + `"><strong data-e2e="common-Video-Count">` + strconv.Itoa(p.Likes*91) + `</strong></a></div>`
		}
		state := tdoc{"source": tdoc{"data": tdoc{"/embed/@" + a.Handle: tdoc{"userInfo": tdoc{"id": a.ID, "uniqueId": a.Handle, "nickname": a.Name, "followerCount": 12, "heartCount": 40}, "videoList": list}}}}
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>@`+a.Handle+`</title></head><body>`+anchors+`<script id="__FRONTITY_CONNECT_STATE__" type="application/json">`+scriptJSON(w, state)+`</script></body></html>`)
	default:
		reply(w, "text/html; charset=utf-8", `<!DOCTYPE html><html><head><title>Please wait...</title></head><body><p id="cs" class="x"></p><p id="wci" class="_wafchallengeid"></p><p id="rci"></p><p id="rs"></p>Please wait...</body></html>`)
	}
}

// caption is the text of a post on platforms without titles.
func (p *Post) caption() string { return p.Title + "\n\n" + p.Text }
