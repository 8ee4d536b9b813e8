package web

import (
	"bytes"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/textenc"
	"github.com/refrain-archive/refrain/internal/urlform"
	"github.com/refrain-archive/refrain/post"
)

// mediaType is the type of an answer: HTML by its bytes, else what the header
// says, else what the first bytes tell.
func mediaType(ex crawlers.Exchange) string {
	if crawlers.LooksHTML(ex) {
		return "text/html"
	}
	stated, _, _ := strings.Cut(ex.Header.Get("Content-Type"), ";")
	stated = strings.ToLower(strings.TrimSpace(stated))
	seen := sniff(ex.Body)
	switch {
	case stated == "" || stated == "application/octet-stream" || stated == "text/plain" && seen != "text/html":
		if seen != "" {
			return seen
		}
	case (stated == "text/html" || stated == "application/xhtml+xml") && seen != "" && seen != "text/plain" && seen != "text/html":
		return seen
	}
	if !utf8.ValidString(stated) || strings.ContainsAny(stated, " \t\"") || stated != "" && !strings.Contains(stated, "/") {
		stated = ""
	}
	return firstOf(stated, "application/octet-stream")
}

// sniff tells a type from the first bytes, "" where they do not tell.
func sniff(body []byte) string {
	for _, m := range []struct{ prefix, media string }{
		{"%PDF-", "application/pdf"}, {"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF8", "image/gif"},
		{"PK\x03\x04", "application/zip"}, {"\x1f\x8b", "application/gzip"}, {"OggS", "audio/ogg"}, {"ID3", "audio/mpeg"}, {"{\\rtf", "application/rtf"},
	} {
		if bytes.HasPrefix(body, []byte(m.prefix)) {
			return m.media
		}
	}
	if len(body) > 12 && bytes.HasPrefix(body, []byte("RIFF")) && string(body[8:12]) == "WEBP" {
		return "image/webp"
	}
	if len(body) > 12 && string(body[4:8]) == "ftyp" {
		return "video/mp4"
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(body[:min(len(body), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(head) == 0:
		return ""
	case bytes.HasPrefix(head, []byte("<?xml")):
		return "application/xml"
	case (head[0] == '{' || head[0] == '[') && bytes.IndexByte(head, 0) < 0:
		return "application/json"
	case head[0] == '<' && (bytes.Contains(head, []byte("</")) || bytes.Contains(head, []byte("<p"))):
		return "text/html"
	}
	for _, c := range head {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			return ""
		}
	}
	return "text/plain"
}

// isText reports whether a type is text that a reader can take in as it is.
func isText(media string) bool {
	switch media {
	case "text/plain", "text/markdown", "text/x-markdown", "text/csv", "text/tab-separated-values", "text/vtt", "application/json", "application/ld+json", "application/x-ndjson", "application/yaml", "text/yaml":
		return true
	}
	return strings.HasSuffix(media, "+json")
}

// text reads plain text and JSON: the page's text is the body.
func (r *reader) text(media string) {
	if r.options.Links {
		r.other(media)
		return
	}
	data, _ := textenc.Text(r.ex.Body[:min(len(r.ex.Body), maxHTML)], r.ex.Header.Get("Content-Type"))
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	it := r.bare(media)
	it.Text = strings.TrimRight(strings.ReplaceAll(cut(text, maxText), "\x00", "\uFFFD"), "\n")
	it.Hashtags = nil
	if len(text) > maxText || r.ex.Truncated {
		it.Outcome, r.page.Outcome = post.OKPartial, post.OKPartial
		r.page.Reason = fmt.Sprintf("%d bytes of text are kept of %d that came", len(it.Text), len(r.ex.Body))
	}
	r.serve(it)
}

// other notes a page that is a file: its type and nothing more.
func (r *reader) other(media string) {
	it := r.bare(media)
	it.Outcome, r.page.Outcome = post.OKMetaOnly, post.OKMetaOnly
	r.page.Reason = fmt.Sprintf("%s, %d bytes", media, len(r.ex.Body))
	if isFeed(r.ex.Body) {
		r.page.Reason = "a feed: " + r.page.Reason
		if r.options.Feeds {
			r.page.Next = append(r.page.Next, crawlers.Step{Ref: crawlers.Ref{Platform: "feed", Kind: crawlers.RefFeed, ID: r.id, URL: r.id}, Role: crawlers.RolePage})
		}
	}
	kind := post.MediaFile
	switch family, _, _ := strings.Cut(media, "/"); family {
	case "image", "video", "audio":
		kind = family
	}
	it.Media = []post.Media{{Kind: kind, URL: r.id}}
	r.serve(it)
}

// bare is the post of a page without markup. It is filed under its type.
func (r *reader) bare(media string) post.Post {
	it := post.Post{
		ID: r.id, Kind: post.KindPage, URL: r.id, Tags: []string{media},
		Account: post.Account{Handle: urlform.Host(r.asked)},
	}
	if name := path.Base(r.asked.Path); name != "/" && name != "." {
		it.Title = strings.ToValidUTF8(name, "\uFFFD")
	}
	return it
}

// isFeed reports whether XML or JSON is a feed by its root.
func isFeed(body []byte) bool {
	head := body[:min(len(body), 4096)]
	for _, root := range []string{"<rss", "<feed", "<rdf:RDF"} {
		if bytes.Contains(head, []byte(root)) {
			return true
		}
	}
	return false
}
