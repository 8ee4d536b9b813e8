package demoweb

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A Server serves a World under the host names of its platforms.
type Server struct {
	world    *World
	http     *http.Server
	listener net.Listener
	requests atomic.Int64
}

// Start serves w on a free loopback port until ctx ends or Close is called.
func Start(ctx context.Context, w *World) (*Server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the made-up web: %w", err)
	}
	s := &Server{world: w, listener: l}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = s.http.Serve(l) }() // ends with Close
	return s, nil
}

// Close stops the server.
func (s *Server) Close() error {
	if err := s.http.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop the made-up web: %w", err)
	}
	return nil
}

// Address is http://127.0.0.1:PORT.
func (s *Server) Address() string { return "http://" + s.listener.Addr().String() }

// Requests is how many requests were answered.
func (s *Server) Requests() int64 { return s.requests.Load() }

// Hosts are the host names that the made-up web answers to; *.x is every name
// below x.
func Hosts() []string {
	return []string{
		"*.blogspot.com", "blogger.googleusercontent.com", "www.blogger.com",
		"*.livejournal.com", "medium.com", "*.medium.com", "miro.medium.com",
		"www.reddit.com", "oauth.reddit.com", "i.redd.it", "*.tumblr.com", "64.media.tumblr.com", "va.media.tumblr.com",
		"www.youtube.com", "i.ytimg.com", "vimeo.com", "player.vimeo.com", "i.vimeocdn.com",
		"www.pinterest.com", "widgets.pinterest.com", "i.pinimg.com", "www.quora.com",
		"cdn.syndication.twimg.com", "publish.x.com", "x.com", "pbs.twimg.com", "video.twimg.com", "www.tiktok.com", "p16-sign.tiktokcdn.com",
		"www.facebook.com", "scontent.xx.fbcdn.net", "www.instagram.com", "scontent.cdninstagram.com",
		"harbour-times.example",
	}
}

// Origins maps every host of the made-up web to its address, as the setting of
// that name in the configuration does.
func (s *Server) Origins() map[string]string {
	origins := map[string]string{}
	for _, host := range Hosts() {
		origins[host] = s.Address()
	}
	return origins
}

// seedGroup is the subreddit among the seeds.
const seedGroup = "lanmouth"

// Seeds are the addresses that a researcher would start from: every account that
// a visitor can list, single posts where a platform shows no account without a
// login, one subreddit, the newspaper and its feed.
func (w *World) Seeds() []string {
	var seeds []string
	for _, a := range w.Accounts {
		switch a.Platform {
		case X, Vimeo, Instagram, Quora:
			for _, p := range a.posts {
				seeds = append(seeds, p.URL())
			}
		default:
			seeds = append(seeds, a.URL())
		}
	}
	return append(seeds, "https://www.reddit.com/r/"+seedGroup+"/", "https://harbour-times.example/", "https://harbour-times.example/feed.xml")
}

// URL is the address of an account.
func (a *Account) URL() string {
	switch a.Platform {
	case Blogspot, Tumblr, LiveJournal:
		return "https://" + a.Handle + "." + a.Platform + ".com/"
	case Medium:
		return "https://medium.com/@" + a.Handle
	case YouTube:
		return "https://www.youtube.com/channel/" + a.channel()
	case TikTok:
		return "https://www.tiktok.com/@" + a.Handle
	case Vimeo:
		return "https://vimeo.com/user" + a.ID
	case Quora:
		return "https://www.quora.com/profile/" + strings.ReplaceAll(a.Name, " ", "-")
	case Facebook:
		return "https://www.facebook.com/" + a.Handle
	case Pinterest, Instagram:
		return "https://www." + a.Platform + ".com/" + a.Handle + "/"
	case X:
		return "https://x.com/" + a.Handle
	}
	return "https://www.reddit.com/user/" + a.Handle + "/"
}

// URL is the address of a post.
func (p *Post) URL() string {
	a := p.Account
	switch a.Platform {
	case Blogspot:
		return fmt.Sprintf("https://%s.blogspot.com/%s/%s-%s.html", a.Handle, p.Time.Format("2006/01"), Slug(p.Title), p.ID[len(p.ID)-6:])
	case LiveJournal:
		return fmt.Sprintf("https://%s.livejournal.com/%s.html", a.Handle, p.ID)
	case Medium:
		return fmt.Sprintf("https://medium.com/@%s/%s-%s", a.Handle, Slug(p.Title), p.ID)
	case Tumblr:
		return fmt.Sprintf("https://%s.tumblr.com/post/%s", a.Handle, p.ID)
	case YouTube:
		return "https://www.youtube.com/watch?v=" + p.ID
	case Vimeo:
		return "https://vimeo.com/" + p.ID
	case TikTok:
		return fmt.Sprintf("https://www.tiktok.com/@%s/video/%s", a.Handle, p.ID)
	case X:
		return fmt.Sprintf("https://x.com/%s/status/%s", a.Handle, p.ID)
	case Facebook:
		return fmt.Sprintf("https://www.facebook.com/%s/posts/%s", a.Handle, p.ID)
	case Instagram:
		return "https://www.instagram.com/p/" + p.shortcode() + "/"
	case Pinterest:
		return "https://www.pinterest.com/pin/" + p.ID + "/"
	case Quora:
		return "https://www.quora.com/" + p.question() + "/answer/" + strings.ReplaceAll(a.Name, " ", "-")
	}
	return fmt.Sprintf("https://www.reddit.com/r/%s/comments/%s/%s/", p.Group, p.ID, strings.ReplaceAll(Slug(p.Title), "-", "_"))
}

// pictureHosts serve pictures only.
var pictureHosts = []string{
	"64.media.tumblr.com", "i.redd.it", "miro.medium.com", "blogger.googleusercontent.com", "i.ytimg.com", "i.vimeocdn.com", "i.pinimg.com",
	"pbs.twimg.com", "p16-sign.tiktokcdn.com", "scontent.xx.fbcdn.net", "scontent.cdninstagram.com",
}

// ServeHTTP answers as the host that the request names.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if r.URL.Path == "/robots.txt" {
		reply(w, "text/plain", "User-agent: *\nDisallow: /login\nCrawl-delay: 0.001\n")
		return
	}
	sub, domain, _ := strings.Cut(host, ".")
	switch {
	case host == "video.twimg.com", host == "va.media.tumblr.com", strings.HasSuffix(r.URL.Path, ".mp4"):
		s.clip(w, r)
	case slices.Contains(pictureHosts, host), strings.HasPrefix(r.URL.Path, "/img/"):
		s.picture(w, r)
	case host == "www.youtube.com":
		s.youtube(w, r)
	case host == "vimeo.com", host == "player.vimeo.com":
		s.vimeo(w, r)
	case host == "www.pinterest.com", host == "widgets.pinterest.com":
		s.pinterest(w, r, host)
	case host == "www.quora.com":
		s.quora(w, r)
	case host == "cdn.syndication.twimg.com", host == "publish.x.com", host == "x.com":
		s.x(w, r, host)
	case host == "www.tiktok.com":
		s.tiktok(w, r)
	case host == "www.facebook.com":
		s.facebook(w, r)
	case host == "www.instagram.com":
		s.instagram(w, r)
	case domain == "blogspot.com":
		s.blogspot(w, r, sub)
	case domain == "livejournal.com":
		s.livejournal(w, r, sub)
	case host == "medium.com":
		s.medium(w, r)
	case domain == "tumblr.com":
		s.tumblr(w, r, sub)
	case host == "www.reddit.com", host == "oauth.reddit.com":
		s.reddit(w, r, host)
	case host == "harbour-times.example":
		s.paper(w, r)
	default:
		http.Error(w, "this host is not part of the made-up web", http.StatusMisdirectedRequest)
	}
}

func reply(w http.ResponseWriter, kind, body string) {
	w.Header().Set("Content-Type", kind)
	_, _ = w.Write([]byte(body)) // the client may be gone
}

func replyJSON(w http.ResponseWriter, v any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, "application/json; charset=UTF-8", b.String())
}

func notFound(w http.ResponseWriter, words string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>", words, words)
}

// paragraphs turns text into HTML paragraphs, with picture and link.
func (p *Post) html(image string) string {
	var b strings.Builder
	for para := range strings.SplitSeq(p.Text, "\n\n") {
		b.WriteString("<p>" + html.EscapeString(para) + "</p>")
	}
	if p.Image != "" && image != "" {
		b.WriteString(`<p><img src="` + image + `" alt="` + html.EscapeString(p.Title) + `" width="240" height="180" /></p>`)
	}
	if p.Link != "" {
		b.WriteString(`<p><a href="` + p.Link + `">Read more</a></p>`)
	}
	return b.String()
}

func escapeXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer does not fail
	return b.String()
}

// page gives list[from:from+n], as far as it goes.
func page[T any](list []T, from, n int) []T {
	from = min(max(from, 0), len(list))
	return list[from:min(len(list), from+max(n, 0))]
}
