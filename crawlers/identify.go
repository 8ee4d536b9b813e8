package crawlers

import (
	"mime"
	"net/url"
	"path"
	"strings"
)

// Identify finds the collector that an exchange belongs to and whom it is
// about: the first of list that says so. Platforms stand before feed and web in
// list, since those read anything of their kind.
func Identify(list []Collector, ex Exchange) (Collector, Ref, bool) {
	if IsAsset(ex) {
		return nil, Ref{}, false
	}
	for _, c := range list {
		if ref, ok := c.Identify(ex); ok {
			return c, ref, true
		}
	}
	return nil, Ref{}, false
}

// Match finds the collector for a URL and what it names there: the first of
// list that says so.
func Match(list []Collector, u *url.URL) (Collector, Ref, bool) {
	for _, c := range list {
		if ref, ok := c.Match(u); ok {
			return c, ref, true
		}
	}
	return nil, Ref{}, false
}

// ByPlatform finds a collector by its registry name, nil if there is none.
func ByPlatform(list []Collector, platform string) Collector {
	for _, c := range list {
		if c.About().Platform == platform {
			return c
		}
	}
	return nil
}

// IsAsset reports whether an exchange served a part of pages (picture, sound,
// video, font, style, script) or a robots.txt: nothing that posts are read from.
func IsAsset(ex Exchange) bool {
	if u, err := url.Parse(ex.URL); err == nil && u.Path == "/robots.txt" {
		return true
	}
	if ex.Status >= 300 {
		return false
	}
	kind, _, err := mime.ParseMediaType(ex.Header.Get("Content-Type"))
	if err != nil {
		return false
	}
	family, sub, _ := strings.Cut(kind, "/")
	switch family {
	case "image", "video", "audio", "font":
		return true
	case "text":
		return sub == "css" || sub == "javascript" && !isDataScript(ex)
	case "application":
		switch sub {
		case "javascript", "x-javascript", "ecmascript":
			return !isDataScript(ex)
		case "font-woff", "font-woff2", "vnd.ms-fontobject", "x-font-ttf", "octet-stream":
			u, err := url.Parse(ex.URL)
			return err == nil && path.Ext(u.Path) != "" && sub != "octet-stream" || sub == "octet-stream" && len(ex.Body) > 0 && strings.IndexByte(string(ex.Body[:min(len(ex.Body), 512)]), 0) >= 0
		}
	}
	return false
}

// isDataScript reports whether a script is data in disguise: JSON, JSON with a
// prefix against inclusion, or one assignment or call around JSON, as old APIs
// answer ("var tumblr_api_read = {…};").
func isDataScript(ex Exchange) bool {
	head := strings.TrimLeft(string(ex.Body[:min(len(ex.Body), 256)]), "\ufeff \t\r\n")
	if strings.HasPrefix(head, "{") || strings.HasPrefix(head, "[") || strings.HasPrefix(head, "])}") || strings.HasPrefix(head, ")]}'") || strings.HasPrefix(head, "for (;;);") {
		return true
	}
	before, _, found := strings.Cut(head, "{")
	return found && len(before) < 80 && (strings.HasPrefix(before, "var ") || strings.HasPrefix(before, "window.") || strings.HasSuffix(strings.TrimSpace(before), "(")) && !strings.Contains(before, "function")
}
