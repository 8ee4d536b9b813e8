package youtube

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsontree"
	"github.com/refrain-archive/refrain/internal/pagescan"
)

// Identify reports whom an exchange is about: by its address, by the body of a
// question to InnerTube, and, where the address tells nothing (a saved file), by
// the marks of YouTube in the answer.
func (c Collector) Identify(ex crawlers.Exchange) (crawlers.Ref, bool) {
	u, err := url.Parse(ex.URL)
	if err != nil {
		return crawlers.Ref{}, false
	}
	if ref, ok := c.Match(u); ok {
		return ref, true
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ours := isSite(host) || host == "youtubei.googleapis.com" || strings.HasSuffix(host, ".googleapis.com") && strings.HasPrefix(u.Path, "/youtube/v3/")
	if ours && strings.Contains(u.Path, "/youtubei/v1/") {
		if ref, ok := asked(ex.RequestBody, u); ok {
			return ref, true
		}
	}
	saved := host == "" && (u.Scheme == "" || u.Scheme == "file")
	if !ours && !saved || len(ex.Body) == 0 {
		return crawlers.Ref{}, false
	}
	return identifyBody(ex, ours)
}

// asked reads the body of a question to InnerTube.
func asked(body []byte, u *url.URL) (crawlers.Ref, bool) {
	v, err := jsontree.Parse(body)
	if err != nil {
		if id := u.Query().Get("id"); videoForm.MatchString(id) {
			return videoRef(id), true
		}
		return crawlers.Ref{}, false
	}
	if id := firstOf(v.Get("videoId").String(), v.Get("playerRequest", "videoId").String(), u.Query().Get("id")); videoForm.MatchString(id) {
		return videoRef(id), true
	}
	if id := v.Get("browseId").String(); id != "" {
		switch {
		case channelForm.MatchString(id):
			return channelRef(id), true
		case listForm.MatchString(strings.TrimPrefix(id, "VL")):
			return listRef(strings.TrimPrefix(id, "VL")), true
		case strings.HasPrefix(id, "FE"):
			// a page of the site: what it is of stands in the answer
		case strings.HasSuffix(u.Path, "/browse"):
			return crawlers.Ref{Platform: platform, Kind: crawlers.RefAccount, ID: id, URL: channelURL(url.PathEscape(id))}, true
		}
	}
	if words := strings.Join(strings.Fields(v.Get("query").String()), " "); words != "" {
		return searchRef(words), true
	}
	if raw := v.Get("url").String(); raw != "" {
		return unwrap(raw, maxUnwrap)
	}
	return continued(v.Get("continuation").String())
}

// continued finds what a continuation token goes on with: it is base64 of
// fields, of which one is the id of the channel, playlist or video, with its
// length before it.
func continued(token string) (crawlers.Ref, bool) {
	if token == "" || len(token) > 1<<16 {
		return crawlers.Ref{}, false
	}
	if un, err := url.QueryUnescape(token); err == nil {
		token = un
	}
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(token), "="))
	if err != nil {
		return crawlers.Ref{}, false
	}
	for i := 1; i+1 < len(data) && i < 512; i++ {
		if data[i-1] != 0x12 { // field 2, bytes
			continue
		}
		n := int(data[i])
		if i+1+n > len(data) {
			continue
		}
		switch s := string(data[i+1 : i+1+n]); {
		case n == 24 && channelForm.MatchString(s):
			return channelRef(s), true
		case n == 11 && videoForm.MatchString(s):
			return videoRef(s), true
		case strings.HasPrefix(s, "VL") && listForm.MatchString(s[2:]):
			return listRef(s[2:]), true
		}
	}
	return crawlers.Ref{}, false
}

const sniff = 4 << 20 // how much of a body Identify looks at

// identifyBody tells whom an answer is about by its content. ours says that its
// address is YouTube's already.
func identifyBody(ex crawlers.Exchange, ours bool) (crawlers.Ref, bool) {
	body := trim(ex.Body)
	switch formOf(body) {
	case formJSON:
		if !ours && !marks(body, `"kind": "youtube#`, `"kind":"youtube#`, `"trackingParams"`, `"playabilityStatus"`, `"playerMicroformatRenderer"`, `"provider_url":"https://www.youtube.com`, `"provider_name":"YouTube"`, `"provider_url": "https://www.youtube.com`, `"alertRenderer"`, `"clickTrackingParams"`) {
			return crawlers.Ref{}, false
		}
		v, err := jsontree.Parse(body)
		if err != nil {
			return crawlers.Ref{}, false
		}
		return identifyJSON(v)
	case formXML:
		head := body[:min(len(body), 2048)]
		if !bytes.Contains(head, []byte("www.youtube.com/xml/schemas/2015")) {
			return crawlers.Ref{}, false
		}
		if _, rest, ok := bytes.Cut(head, []byte("<id>yt:playlist:")); ok {
			if id, _, ok := bytes.Cut(rest, []byte("<")); ok && listForm.Match(id) {
				return listRef(string(id)), true
			}
		}
		if _, rest, ok := bytes.Cut(head, []byte("<yt:channelId>")); ok {
			id, _, _ := bytes.Cut(rest, []byte("<"))
			for _, s := range []string{string(id), "UC" + string(id)} {
				if channelForm.MatchString(s) {
					return channelRef(s), true
				}
			}
		}
	case formHTML:
		return identifyPage(body, ours)
	}
	return crawlers.Ref{}, false
}

func marks(body []byte, list ...string) bool {
	body = body[:min(len(body), sniff)]
	for _, m := range list {
		if bytes.Contains(body, []byte(m)) {
			return true
		}
	}
	return false
}

func identifyPage(body []byte, ours bool) (crawlers.Ref, bool) {
	if !ours && !marks(body, "ytInitialData", "ytInitialPlayerResponse", "ytplayer.config", `content="YouTube"`, "consent.youtube.com") {
		return crawlers.Ref{}, false
	}
	r := newReader(crawlers.Step{}, crawlers.Exchange{})
	h := pagescan.ReadHead(body)
	if ref, ok := r.canonical(h); ok {
		return ref, true
	}
	if u, err := url.Parse(h.Link("canonical")); err == nil && u.Host != "" {
		if ref, ok := match(u, maxUnwrap); ok {
			return ref, true
		}
	}
	// A consent form keeps the address that was asked for.
	if _, rest, ok := bytes.Cut(body, []byte(`name="continue" value="`)); ok {
		raw, _, _ := bytes.Cut(rest[:min(len(rest), 1024)], []byte(`"`))
		if u, err := url.Parse(strings.ReplaceAll(string(raw), "&amp;", "&")); err == nil {
			if ref, ok := match(u, maxUnwrap); ok {
				return ref, true
			}
		}
	}
	for _, name := range []string{"ytInitialPlayerResponse", "ytInitialData"} {
		if raw, ok := embedded(body, name); ok {
			if v, err := jsontree.Parse(raw); err == nil {
				if ref, ok := identifyJSON(v); ok {
					return ref, true
				}
			}
		}
	}
	return crawlers.Ref{}, false
}

// identifyJSON tells whom an answer is about.
func identifyJSON(v value) (crawlers.Ref, bool) {
	none := crawlers.Ref{}
	if inner := v.Get("response"); inner.IsObject() {
		v = inner
	}
	player := v
	if p := v.Get("playerResponse"); p.IsObject() {
		player = p
	}
	for _, id := range []string{
		player.Get("videoDetails", "videoId").String(),
		player.Get("microformat", "playerMicroformatRenderer", "externalVideoId").String(),
		embedID(player.Get("microformat", "playerMicroformatRenderer", "embed", "iframeUrl").String()),
		v.Get("currentVideoEndpoint", "watchEndpoint", "videoId").String(),
		player.Get("playabilityStatus").Find("liveStreamabilityRenderer").Get("videoId").String(),
	} {
		if videoForm.MatchString(id) {
			return videoRef(id), true
		}
	}
	for _, id := range []string{v.Get("metadata", "channelMetadataRenderer", "externalId").String(), v.Get("header", "c4TabbedHeaderRenderer", "channelId").String(), v.Get("endpoint", "browseEndpoint", "browseId").String()} {
		if channelForm.MatchString(id) {
			return channelRef(id), true
		}
	}
	if id, ok := listOf(v); ok {
		return listRef(id), true
	}
	if words := v.Find("searchEndpoint").Get("query").String(); v.Get("contents").Has("twoColumnSearchResultsRenderer") && strings.TrimSpace(words) != "" {
		return searchRef(words), true
	}
	if tag, ok := strings.CutPrefix(text(v.Get("header").Find("hashtag")), "#"); ok && tag != "" {
		return tagRef(tag), true
	}
	if v.Has("provider_name") || v.Has("author_url") {
		for _, marker := range []string{"/embed/", "/v/"} {
			if _, rest, ok := strings.Cut(v.Get("html").String(), marker); ok {
				if id, ok := videoID(rest); ok {
					return videoRef(id), true
				}
			}
		}
		return none, false
	}
	if id := commentedVideo(v); id != "" && v.Find("commentEntityPayload").Exists() {
		return videoRef(id), true
	}
	if ref, ok := identifyAPI(v); ok {
		return ref, true
	}
	if t := v.Find("continuationItemRenderer").Find("continuationCommand").Get("token").String(); t != "" {
		if ref, ok := continued(t); ok {
			return ref, true
		}
	}
	// The video of the offline entity that the player of a blocked one names.
	key := player.Find("offlineabilityEntity").Get("key").String()
	if raw, err := url.QueryUnescape(key); err == nil {
		if data, err := base64.StdEncoding.DecodeString(raw); err == nil && len(data) >= 13 && data[0] == 0x12 {
			if id := strings.Trim(string(data[2:min(len(data), 2+int(data[1]))]), "\n\v"); videoForm.MatchString(id) {
				return videoRef(id), true
			}
		}
	}
	return none, false
}

// identifyAPI tells whom an answer of the Data API is about, by its first item.
func identifyAPI(v value) (crawlers.Ref, bool) {
	kind := v.Get("kind").String()
	if !strings.HasPrefix(kind, "youtube#") {
		return crawlers.Ref{}, false
	}
	it := v
	if items := v.Get("items"); items.IsArray() {
		it = items.At(0)
	}
	s := it.Get("snippet")
	switch it.Get("kind").String() {
	case "youtube#video":
		if id := it.Get("id").String(); videoForm.MatchString(id) {
			return videoRef(id), true
		}
	case "youtube#channel":
		if id := it.Get("id").String(); channelForm.MatchString(id) {
			return channelRef(id), true
		}
	case "youtube#playlistItem":
		if id := s.Get("playlistId").String(); listForm.MatchString(id) {
			return listRef(id), true
		}
	case "youtube#activity", "youtube#playlist":
		if id := s.Get("channelId").String(); channelForm.MatchString(id) {
			return channelRef(id), true
		}
	case "youtube#commentThread", "youtube#caption":
		if id := s.Get("videoId").String(); videoForm.MatchString(id) {
			return videoRef(id), true
		}
	case "youtube#comment":
		if id := s.Get("videoId").String(); videoForm.MatchString(id) {
			return videoRef(id), true
		}
		if id := firstOf(s.Get("parentId").String(), it.Get("id").String()); commentForm.MatchString(id) {
			return newRef(crawlers.RefComment, id, "https://www.googleapis.com/youtube/v3/comments?id="+id, false), true
		}
	case "youtube#searchResult":
		// The words that were searched for stand in the address only.
		return newRef(crawlers.RefSearch, "(saved search)", site+"/results?search_query=", false), true
	}
	return crawlers.Ref{}, false
}
