package youtube

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/crawlertest"
	"github.com/refrain-archive/refrain/post"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var fetched = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const (
	vid      = "LakeFog0001"
	channel1 = "UCfogfogfogfogfogfogfog1"
	watch    = "https://www.youtube.com/watch?v=" + vid
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exchange(url string, status int, body []byte, header ...string) crawlers.Exchange {
	h := crawlers.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return crawlers.Exchange{URL: url, Status: status, Header: h, Body: body, FetchedAt: fetched}
}

func player(status string, more ...string) []byte {
	body := `{"responseContext":{},"playabilityStatus":` + status
	for _, m := range more {
		body += "," + m
	}
	return []byte(body + "}")
}

func apiError(code int, reason, message string) []byte {
	return []byte(fmt.Sprintf(`{"error":{"code":%d,"message":%q,"errors":[{"message":%q,"domain":"youtube","reason":%q}]}}`, code, message, message, reason))
}

func alertPage(words string) []byte {
	return []byte(fmt.Sprintf(`<!DOCTYPE html><html><head><title>YouTube</title></head><body><script>var ytInitialData = {"header":{"c4TabbedHeaderRenderer":{"channelId":%q}},"alerts":[{"alertRenderer":{"type":"ERROR","text":{"simpleText":%q}}}]};</script></body></html>`, channel1, words))
}

// cases are our own files, each of a real shape, and the walls of the platform.
func cases(t testing.TB) []crawlertest.Case {
	const details = `"videoDetails":{"videoId":"` + vid + `","title":"Fog","channelId":"` + channel1 + `","author":"Fog Diary"}`
	const chURL = "https://www.youtube.com/channel/" + channel1 + "/videos?hl=en&gl=US"
	apiStep := func(ref crawlers.Ref, role crawlers.Role, st state) crawlers.Step {
		return crawlers.Step{Ref: ref, Route: routeAPI, Role: role, State: st.encode()}
	}
	innertube := func(name string) crawlers.Exchange {
		return exchange("https://www.youtube.com/youtubei/v1/"+name+"?prettyPrint=false", 200, nil)
	}
	next := innertube("next")
	next.Body, next.RequestBody = read(t, "comments.json"), []byte(`{"continuation":"x"}`)
	nextOff := innertube("next")
	nextOff.Body, nextOff.RequestBody = read(t, "next_comments_off.json"), []byte(`{"videoId":"`+vid+`"}`)
	search := innertube("search")
	search.Body, search.RequestBody = read(t, "search.json"), []byte(`{"query":"fog"}`)
	posts := innertube("browse")
	posts.Body, posts.RequestBody = read(t, "channel_posts.json"), []byte(`{"browseId":"`+channel1+`"}`)
	oldComments := exchange("https://www.youtube.com/comment_service_ajax?action_get_comments=1", 200, read(t, "comments_old.json"))
	gone := func(words string) crawlers.Exchange {
		return exchange(watch, 200, []byte(`<!DOCTYPE html><html><body><script>var ytInitialPlayerResponse = `+string(player(`{"status":"ERROR","reason":"Video unavailable","errorScreen":{"playerErrorMessageRenderer":{"subreason":{"simpleText":"`+words+`"}}}}`))+`;</script></body></html>`))
	}
	const timed = "https://www.youtube.com/api/timedtext?v=" + vid + "&lang=en&kind=asr&signature=abc"
	return []crawlertest.Case{
		{Name: "watch.html", Exchange: exchange(watch+"&hl=en&gl=US", 200, read(t, "watch.html")), Outcome: post.OK, Posts: 1},
		{Name: "watch_2014.html", Exchange: exchange(watch, 200, read(t, "watch_2014.html")), Outcome: post.OK, Posts: 1},
		{Name: "watch_2018.html", Exchange: exchange(watch, 200, read(t, "watch_2018.html")), Outcome: post.OK, Posts: 1},
		{Name: "channel.html", Step: crawlers.Step{Ref: handleRef("FogDiary"), Route: routeHTML}, Exchange: exchange("https://www.youtube.com/@fogdiary/videos?hl=en&gl=US", 200, read(t, "channel.html")), Outcome: post.OK, Posts: 7},
		{Name: "channel_shorts_mobile.html", Exchange: exchange("https://m.youtube.com/channel/"+channel1+"/shorts", 200, read(t, "channel_shorts_mobile.html")), Outcome: post.OK, Posts: 2},
		{Name: "channel_2015.html", Exchange: exchange("https://www.youtube.com/user/fogdiary/videos", 200, read(t, "channel_2015.html")), Outcome: post.OK, Posts: 2},
		{Name: "channel_posts.json", Exchange: posts, Outcome: post.OK, Posts: 2},
		{Name: "playlist.html", Exchange: exchange("https://www.youtube.com/playlist?list=PLfogfogfogfog", 200, read(t, "playlist.html")), Outcome: post.OK, Posts: 2},
		{Name: "search.json", Step: crawlers.Step{Ref: searchRef("fog"), Route: routeInnertube}, Exchange: search, Outcome: post.OK, Posts: 2},
		{Name: "comments.json", Step: crawlers.Step{Ref: videoRef(vid), Route: routeInnertube, Role: crawlers.RoleComments, State: state{Token: "COMMENTS_TOKEN"}.encode()}, Exchange: next, Outcome: post.OK, Posts: 2},
		{Name: "comments_old.json", Step: crawlers.Step{Ref: videoRef(vid)}, Exchange: oldComments, Outcome: post.OK, Posts: 1},
		{Name: "next_comments_off.json", Exchange: nextOff, Outcome: post.OK, Posts: 1},
		{Name: "api_videos.json", Step: apiStep(channelRef(channel1), crawlers.RoleHydrate, state{IDs: []string{vid, "LakeFog0002", "LakeFog0003"}}), Exchange: exchange(apiURL+"videos?id="+vid+"%2CLakeFog0002%2CLakeFog0003", 200, read(t, "api_videos.json")), Outcome: post.OK, Posts: 3},
		{Name: "api_uploads.json", Step: apiStep(channelRef(channel1), "", state{List: "UU" + channel1[2:]}), Exchange: exchange(apiURL+"playlistItems?playlistId=UU"+channel1[2:], 200, read(t, "api_uploads.json")), Outcome: post.OK, Posts: 3},
		{Name: "api_channel.json", Step: crawlers.Step{Ref: handleRef("fogdiary"), Route: routeAPI}, Exchange: exchange(apiURL+"channels?forHandle=%40fogdiary", 200, read(t, "api_channel.json")), Outcome: post.OK, Posts: 1},
		{Name: "api_threads.json", Step: apiStep(videoRef(vid), crawlers.RoleComments, state{}), Exchange: exchange(apiURL+"commentThreads?videoId="+vid, 200, read(t, "api_threads.json")), Outcome: post.OK, Posts: 3},
		{Name: "api_search.json", Step: crawlers.Step{Ref: searchRef("fog lake"), Route: routeAPI}, Exchange: exchange(apiURL+"search?q=fog+lake", 200, read(t, "api_search.json")), Outcome: post.OK, Posts: 2},
		{Name: "oembed.json", Exchange: exchange("https://www.youtube.com/oembed?format=json&url="+url.QueryEscape(watch), 200, read(t, "oembed.json")), Outcome: post.OKMetaOnly, Posts: 1},
		{Name: "feed.xml", Exchange: exchange("https://www.youtube.com/feeds/videos.xml?channel_id="+channel1, 200, read(t, "feed.xml")), Outcome: post.OK, Posts: 1},
		{Name: "captions.xml", Exchange: exchange(timed, 200, read(t, "captions.xml")), Outcome: post.OK, Posts: 1},
		{Name: "captions.json3", Exchange: exchange(timed+"&fmt=json3", 200, read(t, "captions.json3")), Outcome: post.OK, Posts: 1},
		{Name: "captions.vtt", Exchange: exchange(timed+"&fmt=vtt", 200, read(t, "captions.vtt")), Outcome: post.OK, Posts: 1},

		{Name: "comment without key", Step: crawlers.Step{Ref: commentRef("UgyFogFogFogFogFogFog4AaABAg", vid), Route: routeHTML}, Exchange: exchange(watch+"&lc=UgyFogFogFogFogFogFog4AaABAg", 200, read(t, "watch.html")), Outcome: post.NeedsKey, Posts: 1},
		{Name: "watch of another video", Step: crawlers.Step{Ref: videoRef("LakeFog0009")}, Exchange: exchange("https://www.youtube.com/watch?v=LakeFog0009", 200, read(t, "watch.html")), Outcome: post.LayoutChanged},
		{Name: "channel of another", Step: crawlers.Step{Ref: channelRef("UCmeadowmeadowmeadowmea2")}, Exchange: exchange("https://www.youtube.com/channel/UCmeadowmeadowmeadowmea2", 200, read(t, "channel.html")), Outcome: post.LayoutChanged},
		{Name: "API item of another", Step: crawlers.Step{Ref: videoRef("LakeFog0009"), Route: routeAPI}, Exchange: exchange(apiURL+"videos?id=LakeFog0009", 200, read(t, "api_videos.json")), Outcome: post.LayoutChanged},
		{Name: "private", Exchange: exchange(watch, 200, player(`{"status":"LOGIN_REQUIRED","reason":"Private video","messages":["This is a private video."]}`)), Outcome: post.Private},
		{Name: "age gate", Exchange: exchange(watch, 200, player(`{"status":"LOGIN_REQUIRED","reason":"Sign in to confirm your age"}`, details)), Outcome: post.AgeGated, Posts: 1},
		{Name: "bot check", Exchange: exchange(watch, 200, player(`{"status":"LOGIN_REQUIRED","reason":"Sign in to confirm you’re not a bot"}`)), Outcome: post.BotCheck},
		{Name: "country", Exchange: exchange(watch, 200, player(`{"status":"UNPLAYABLE","reason":"Video unavailable","errorScreen":{"playerErrorMessageRenderer":{"subreason":{"simpleText":"The uploader has not made this video available in your country"}}}}`, details)), Outcome: post.GeoBlocked, Posts: 1},
		{Name: "members", Exchange: exchange(watch, 200, player(`{"status":"UNPLAYABLE","reason":"Join this channel to get access to members-only content like this video."}`, details)), Outcome: post.MembersOnly, Posts: 1},
		{Name: "removed by the uploader", Exchange: gone("This video has been removed by the uploader"), Outcome: post.Deleted},
		{Name: "removed for a violation", Exchange: gone("This video has been removed for violating YouTube's policy on spam"), Outcome: post.Removed},
		{Name: "account terminated", Exchange: gone("This video is no longer available because the YouTube account associated with this video has been terminated."), Outcome: post.Suspended},
		{Name: "account closed", Exchange: gone("This video is no longer available because the uploader has closed their YouTube account."), Outcome: post.Deleted},
		{Name: "copyright", Exchange: gone("This video is no longer available due to a copyright claim by Meadow"), Outcome: post.Removed},
		{Name: "unavailable", Exchange: gone("This video isn't available anymore"), Outcome: post.Unavailable},
		{Name: "embedding off", Exchange: exchange("https://www.youtube.com/embed/"+vid, 200, player(`{"status":"UNPLAYABLE","reason":"Playback on other websites has been disabled by the video owner"}`)), Outcome: post.EmbedRestricted},
		{Name: "upcoming", Exchange: exchange(watch, 200, player(`{"status":"LIVE_STREAM_OFFLINE","reason":"This live event will begin in 2 days.","liveStreamability":{"liveStreamabilityRenderer":{"offlineSlate":{"liveStreamOfflineSlateRenderer":{"scheduledStartTime":"1795600800"}}}}}`, details)), Outcome: post.Upcoming, Posts: 1},
		{Name: "no such video", Step: crawlers.Step{Ref: videoRef("don-t-exist")}, Exchange: exchange(playerURL, 200, []byte("{}")), Outcome: post.NotFound},
		{Name: "channel terminated", Exchange: exchange(chURL, 200, alertPage("This account has been terminated for a violation of YouTube's Terms of Service.")), Outcome: post.Suspended},
		{Name: "channel removed", Exchange: exchange(chURL, 200, alertPage("This channel was removed because it violated our Community Guidelines.")), Outcome: post.Removed},
		{Name: "channel does not exist", Exchange: exchange(chURL, 404, alertPage("This channel does not exist.")), Outcome: post.NotFound},
		{Name: "consent form", Exchange: exchange(watch, 200, []byte(`<!DOCTYPE html><html lang="de"><head><title>Bevor Sie zu YouTube weitergehen</title></head><body><form action="https://consent.youtube.com/s" method="POST"></form></body></html>`)), Outcome: post.ConsentWall},
		{Name: "redirect to consent", Exchange: exchange(watch, 302, nil, "Location", "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fwatch"), Outcome: post.ConsentWall},
		{Name: "sorry", Exchange: exchange(watch, 302, nil, "Location", "https://www.google.com/sorry/index?continue=x"), Outcome: post.RateLimited},
		{Name: "too many requests", Exchange: exchange(watch, 429, []byte("<html><head><title>429</title></head><body></body></html>")), Outcome: post.RateLimited},
		{Name: "redirect to a handle's channel", Step: crawlers.Step{Ref: userRef("fogdiary"), Route: routeHTML}, Exchange: exchange("https://www.youtube.com/user/fogdiary/videos", 302, nil, "Location", "https://www.youtube.com/@FogDiary/videos"), Outcome: post.OK},
		{Name: "redirect home", Exchange: exchange(chURL, 303, nil, "Location", "https://www.youtube.com/"), Outcome: post.NotFound},
		{Name: "feed 404", Exchange: exchange("https://www.youtube.com/feeds/videos.xml?channel_id="+channel1, 404, []byte("<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>")), Outcome: post.ServerError},
		{Name: "oEmbed refuses", Exchange: exchange("https://www.youtube.com/oembed?url="+url.QueryEscape(watch), 401, []byte("Unauthorized")), Outcome: post.EmbedRestricted},
		{Name: "oEmbed knows nothing", Exchange: exchange("https://www.youtube.com/oembed?url="+url.QueryEscape(watch), 404, []byte("Not Found")), Outcome: post.NotFound},
		{Name: "captions are empty", Exchange: exchange(timed, 200, []byte{}), Outcome: post.Blocked},
		{Name: "no such video by key", Exchange: exchange(apiURL+"videos?id="+vid, 200, []byte(`{"kind":"youtube#videoListResponse","items":[],"pageInfo":{"totalResults":0,"resultsPerPage":0}}`)), Outcome: post.Unavailable},
		{Name: "no such channel by key", Exchange: exchange(apiURL+"channels?id="+channel1, 200, []byte(`{"kind":"youtube#channelListResponse","pageInfo":{"totalResults":0,"resultsPerPage":5}}`)), Outcome: post.NotFound},
		{Name: "no comments", Step: apiStep(videoRef(vid), crawlers.RoleComments, state{}), Exchange: exchange(apiURL+"commentThreads?videoId="+vid, 200, []byte(`{"kind":"youtube#commentThreadListResponse","items":[]}`)), Outcome: post.OK},
		{Name: "comments disabled", Exchange: exchange(apiURL+"commentThreads?videoId="+vid, 403, apiError(403, "commentsDisabled", "The video has disabled comments.")), Outcome: post.Unavailable},
		{Name: "quota", Exchange: exchange(apiURL+"videos?id="+vid, 403, apiError(403, "quotaExceeded", "The request cannot be completed because you have exceeded your quota.")), Outcome: post.RateLimited},
		{Name: "bad key", Exchange: exchange(apiURL+"videos?id="+vid, 400, []byte(`{"error":{"code":400,"message":"API key not valid.","errors":[{"reason":"badRequest"}],"details":[{"reason":"API_KEY_INVALID"}]}}`)), Outcome: post.NeedsKey},
		{Name: "server error", Exchange: exchange(watch, 503, []byte("down")), Outcome: post.ServerError},
		{Name: "HTML of another place", Exchange: exchange(watch, 200, []byte("<!DOCTYPE html><html><head><title>Hotel WLAN</title></head><body>Welcome</body></html>")), Outcome: post.LayoutChanged},
	}
}

func TestContract(t *testing.T) {
	enc := url.QueryEscape
	crawlertest.Run(t, New(), crawlertest.Cases{
		Aliases: [][]string{
			{watch, "http://youtube.com/watch?v=LakeFog0001&feature=share&t=12s&si=xyz", "https://youtu.be/LakeFog0001?si=abc", "https://m.youtube.com/watch?v=LakeFog0001&pp=x", "https://music.youtube.com/watch?v=LakeFog0001&list=RDAMVM", "https://www.youtube.com/shorts/LakeFog0001", "https://www.youtube.com/live/LakeFog0001?feature=share", "https://www.youtube.com/embed/LakeFog0001?rel=0", "https://www.youtube-nocookie.com/embed/LakeFog0001", "https://www.youtube.com/v/LakeFog0001&hl=en_US&fs=1", "https://www.youtube.com/e/LakeFog0001", "https://www.youtube.com/watch/LakeFog0001", "https://www.youtubekids.com/watch?v=LakeFog0001", "https://www.youtube.com/watch_popup?v=LakeFog0001", "https://www.youtube.com/attribution_link?a=x&u=" + enc("/watch?v=LakeFog0001&feature=share"), "https://www.youtube.com/redirect?q=" + enc(watch), "https://consent.youtube.com/m?continue=" + enc("https://www.youtube.com/watch?v=LakeFog0001&cbrd=1") + "&gl=DE", "https://www.youtube.de/watch?v=LakeFog0001", "https://www.youtube.co.uk/watch?v=LakeFog0001", "https://www.youtube.com/oembed?format=json&url=" + enc(watch), "https://www.youtube.com/watch?feature=player_embedded&v=LakeFog0001#t=5", "https://www.youtube.com/watch?v=LakeFog0001&list=PLfogfogfogfog&index=2", "https://m.youtube.com/#/watch?v=LakeFog0001", "https://youtu.be/LakeFog0001&list=x", "https://youtube.googleapis.com/v/LakeFog0001", "https://www.googleapis.com/youtube/v3/videos?id=LakeFog0001&part=snippet", "https://www.youtube.com/api/timedtext?v=LakeFog0001&lang=en", "https://www.youtube.com/user/fogdiary#p/u/3/LakeFog0001"},
			{"https://www.youtube.com/channel/" + channel1, "https://m.youtube.com/channel/" + channel1 + "/videos", "https://www.youtube.com/channel/" + channel1 + "/community?view_as=x", "https://www.youtube.com/feeds/videos.xml?channel_id=" + channel1, "https://www.youtube.com/embed/live_stream?channel=" + channel1, "https://www.googleapis.com/youtube/v3/channels?part=snippet&id=" + channel1},
			{"https://www.youtube.com/@FogDiary", "https://youtube.com/@fogdiary/shorts", "https://m.youtube.com/@FogDiary/streams?x=1", "https://www.youtube.com/%40FogDiary/posts", "https://www.youtube.com/@FOGDIARY/about", "https://www.googleapis.com/youtube/v3/channels?forHandle=%40fogdiary"},
			{"https://www.youtube.com/@Туман", "https://www.youtube.com/@%D1%82%D1%83%D0%BC%D0%B0%D0%BD/videos"},
			{"https://www.youtube.com/user/FogDiary", "https://www.youtube.com/user/fogdiary/videos", "https://www.youtube.com/feeds/videos.xml?user=fogdiary", "https://www.youtube.com/profile?user=FogDiary"},
			{"https://www.youtube.com/c/FogDiary", "https://www.youtube.com/c/fogdiary/playlists"},
			{"https://www.youtube.com/FogDiary", "https://youtube.com/fogdiary/featured"},
			{"https://www.youtube.com/playlist?list=PLfogfogfogfog", "https://m.youtube.com/playlist?list=PLfogfogfogfog&si=x", "https://www.youtube.com/embed/videoseries?list=PLfogfogfogfog", "https://www.youtube.com/view_play_list?p=PLfogfogfogfog", "https://www.youtube.com/feeds/videos.xml?playlist_id=PLfogfogfogfog", "https://music.youtube.com/playlist?list=PLfogfogfogfog", "https://www.googleapis.com/youtube/v3/playlistItems?playlistId=PLfogfogfogfog"},
			{"https://www.youtube.com/playlist?list=UUfogfogfogfogfogfogfog1"},
			{"https://www.youtube.com/hashtag/fog", "https://www.youtube.com/hashtag/Fog?x=1", "https://m.youtube.com/hashtag/fog/shorts"},
			{"https://www.youtube.com/results?search_query=fog+lake", "https://www.youtube.com/results?search_query=fog%20lake&sp=CAI%253D", "https://www.googleapis.com/youtube/v3/search?q=fog+lake&part=snippet", "https://m.youtube.com/results?q=fog+lake"},
			{"https://www.youtube.com/post/UgkxFogFogFogFogFogFogFogFog1", "https://www.youtube.com/channel/" + channel1 + "/community?lb=UgkxFogFogFogFogFogFogFogFog1", "https://www.youtube.com/@fogdiary/community?lb=UgkxFogFogFogFogFogFogFogFog1"},
			{watch + "&lc=UgyFogFogFogFogFogFog4AaABAg", "https://youtu.be/LakeFog0001?lc=UgyFogFogFogFogFogFog4AaABAg"},
			{"https://www.youtube.com/clip/UgkxClipClipClipClipClipClip"},
		},
		ForeignURLs: []string{"https://www.youtube.com/", "https://www.youtube.com/feed/subscriptions", "https://www.youtube.com/premium", "https://www.youtube.com/watch", "https://www.youtube.com/watch?v=short", "https://www.youtube.com/redirect?q=https%3A%2F%2Fana.example%2F", "https://youtube.example/watch?v=LakeFog0001", "https://notyoutube.com/watch?v=LakeFog0001", "https://i.ytimg.com/vi/LakeFog0001/hqdefault.jpg", "https://www.googleapis.com/blogger/v3/blogs/1", "https://youtu.be/", "https://support.google.com/youtube/answer/1", "https://www.youtube.com/t/terms", "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.google.com%2F", "https://www.youtube.com/@", "https://www.youtube.com/channel/UCshort"},
		Exchanges:   cases(t),
		Foreign: []crawlers.Exchange{
			exchange("https://ana.example/", 200, []byte(`<!DOCTYPE html><html><head><meta property="og:video" content="https://www.youtube.com/embed/LakeFog0001"><link rel="canonical" href="https://ana.example/"></head><body><iframe src="https://www.youtube.com/embed/LakeFog0001"></iframe></body></html>`)),
			exchange("https://ana.example/feed", 200, []byte(`<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>x</title></feed>`)),
			exchange("", 200, []byte(`{"provider_name":"Vimeo","html":"<iframe src=\"https://player.vimeo.com/video/1\">"}`)),
			exchange("https://api.vimeo.com/videos/1", 200, []byte(`{"uri":"/videos/1"}`)),
			exchange("", 200, []byte(`<!DOCTYPE html><html><head><title>Saved</title></head><body>Hello</body></html>`)),
		},
	})
}

// TestGolden shows what each of our files gives.
func TestGolden(t *testing.T) {
	for _, k := range cases(t) {
		if !strings.Contains(k.Name, ".") {
			continue
		}
		t.Run(k.Name, func(t *testing.T) {
			step := k.Step
			if step.Ref == (crawlers.Ref{}) {
				step.Ref, _ = New().Identify(k.Exchange)
			}
			page, err := crawlers.Read(New(), step, k.Exchange)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			fmt.Fprintf(&b, "ref %s\noutcome %s %s\ncoverage %+v\n", step.Ref.Key(), page.Outcome, page.Reason, page.Coverage)
			for _, id := range page.Identities {
				fmt.Fprintf(&b, "identity %s %s = %s %s\n", id.Kind, id.Alias, id.ID, id.URL)
			}
			for _, n := range page.Next {
				req, err := New().Request(n)
				fmt.Fprintf(&b, "next %s\n     %s %s %v\n", n.Key(), req.URL, req.Body, err)
			}
			for _, a := range page.Assets {
				fmt.Fprintf(&b, "asset %s %s of %s\n", a.Kind, a.URL, a.Post)
			}
			for _, p := range page.Posts {
				data, err := json.MarshalIndent(p, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%s\n", data)
			}
			name := filepath.Join("testdata", k.Name+".golden")
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, b.Bytes()) {
				t.Errorf("differs from %s (go test -update rewrites it):\n%s", name, b.Bytes())
			}
		})
	}
}

func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		words string
		want  post.Count
		ok    bool
	}{
		{"26k views", post.RoundedCount("views", 26_000), true},
		{"1,545,374 views", post.ExactCount("views", 1_545_374), true},
		{"1.077.715 visualizaciones", post.ExactCount("views", 1_077_715), true},
		{"1 M de visualizaciones", post.RoundedCount("views", 1_000_000), true},
		{"4,69 M de suscriptores", post.RoundedCount("followers", 4_690_000), true},
		{"19.924 Aufrufe", post.ExactCount("views", 19_924), true},
		{"10\u202f548 vues", post.ExactCount("views", 10_548), true},
		{"1,2 Mio. Aufrufe", post.RoundedCount("views", 1_200_000), true},
		{"12,34,567 views", post.ExactCount("views", 1_234_567), true},
		{"1.5 lakh views", post.RoundedCount("views", 150_000), true},
		{"10,226 watching now", post.ExactCount("viewers", 10_226), true},
		{"895K views", post.RoundedCount("views", 895_000), true},
		{"No views", post.ExactCount("views", 0), true},
		{"3.4万 回視聴", post.RoundedCount("views", 34_000), true},
		{"5 Minute Crafts", post.Count{}, false},
		{"3Blue1Brown", post.Count{}, false},
		{"8.84", post.Count{}, false},
		{"", post.Count{}, false},
		{"99999999999999999999 views", post.Count{}, false},
	} {
		if got, ok := phrase(test.words); ok != test.ok || got != test.want {
			t.Errorf("%q: %+v %v, want %+v %v", test.words, got, ok, test.want, test.ok)
		}
	}
}

func TestRelative(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		words    string
		from, to time.Duration // before now
		edited   bool
	}{
		{"13 days ago", 14 * day, 13 * day, false},
		{"1 minute ago", 2 * time.Minute, time.Minute, false},
		{"Streamed 6 months ago", 7 * 31 * day, 6 * 28 * day, false},
		{"5 years ago (edited)", 6 * 366 * day, 5 * 365 * day, true},
		{"vor 4 Jahren (bearbeitet)", 5 * 366 * day, 4 * 365 * day, true},
		{"hace 6 años", 7 * 366 * day, 6 * 365 * day, false},
		{"il y a 2 semaines", 21 * day, 14 * day, false},
		{"há 3 dias", 4 * day, 3 * day, false},
		{"3 года назад", 4 * 366 * day, 3 * 365 * day, false},
		{"3年前", 4 * 366 * day, 3 * 365 * day, false},
	} {
		got, edited, ok := relative(test.words, now)
		if !ok || edited != test.edited || !got.From.Equal(now.Add(-test.from)) || !got.To.Equal(now.Add(-test.to)) {
			t.Errorf("%q: %+v, edited %v, %v", test.words, got, edited, ok)
		}
	}
	for _, words := range []string{"", "ago", "views", "12,042 views", "5 Minute Crafts", "99999999999 years ago", "3 days", "Fog 3 days ago diary 4 x"} {
		if got, _, ok := relative(words, now); ok && words != "Fog 3 days ago diary 4 x" {
			t.Errorf("%q is read as %+v", words, got)
		}
	}
	if got, _, ok := relative("3 days ago", time.Time{}); !ok || !got.From.IsZero() || got.Raw == "" {
		t.Errorf("without a fetch time: %+v", got)
	}
}

func TestReadItem(t *testing.T) {
	var list struct{ Items []json.RawMessage }
	if err := json.Unmarshal(read(t, "api_threads.json"), &list); err != nil {
		t.Fatal(err)
	}
	if all := ReadItems(list.Items[0], fetched); len(all) != 2 || all[0].Platform != platform || all[1].Thread != vid {
		t.Errorf("a thread gives %+v", all)
	}
	if _, ok := ReadItem([]byte(`{"kind":"vimeo#video"}`), fetched); ok {
		t.Error("another platform's item is read")
	}
	if _, ok := ReadItem([]byte(`nonsense`), fetched); ok {
		t.Error("nonsense is read")
	}
}

func FuzzRead(f *testing.F) {
	for _, k := range cases(f) {
		f.Add(k.Exchange.URL, k.Exchange.Status, k.Exchange.Body)
	}
	f.Fuzz(func(t *testing.T, raw string, status int, body []byte) {
		ex := crawlers.Exchange{URL: raw, Status: status, Body: body, FetchedAt: fetched}
		ref, ok := New().Identify(ex)
		if !ok {
			ref = videoRef(vid)
		}
		page, err := crawlers.Read(New(), crawlers.Step{Ref: ref}, ex)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Posts {
			if _, err := json.Marshal(p); err != nil || p.ID == "" {
				t.Fatalf("post %q: %v", p.ID, err)
			}
		}
		for _, n := range page.Next {
			if _, err := New().Request(n); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("https://www.youtube.com/attribution_link?u=%2Fattribution_link%3Fu%3D%252Fwatch%253Fv%253DLakeFog0001")
	f.Add("https://youtu.be/LakeFog0001?lc=UgyFogFogFogFogFogFog4AaABAg")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		ref, ok := New().Match(u)
		if !ok {
			return
		}
		again, err := url.Parse(ref.URL)
		if err != nil {
			t.Fatalf("%s: Ref.URL %s: %v", raw, ref.URL, err)
		}
		if back, ok := New().Match(again); !ok || back.Key() != ref.Key() || back.URL != ref.URL {
			t.Fatalf("%s gives %+v, whose URL gives %+v", raw, ref, back)
		}
	})
}
