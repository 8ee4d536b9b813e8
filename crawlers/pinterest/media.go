package pinterest

import (
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// maxMedia bounds the pictures and films that are taken of one pin.
const maxMedia = 200

var hexDigest = regexp.MustCompile(`/([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{32})[._]`)

func isSignature(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// signature is the digest in the address of a picture of pinimg.com, "" where
// there is none. The first six digits stand twice: once as folders.
func signature(address string) string {
	m := hexDigest.FindStringSubmatch(address)
	if m == nil || m[4][:6] != m[1]+m[2]+m[3] || !onPinimg(address) {
		return ""
	}
	return m[4]
}

func onPinimg(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (strings.HasSuffix(hostOf(u), ".pinimg.com") || strings.HasSuffix(hostOf(u), ".pinterest.com"))
}

// size is the rank of a picture's address: originals above all, then by width.
func size(address string) int {
	u, err := url.Parse(address)
	if err != nil {
		return 0
	}
	for _, part := range segments(u.Path) {
		if part == "originals" {
			return 1 << 20
		}
		digits, _, ok := strings.Cut(part, "x")
		if n, err := strconv.Atoi(digits); ok && err == nil && n > 0 && n < 1<<20 {
			return n
		}
	}
	return 1
}

// An images collects the addresses of pictures and keeps the largest of each.
type images struct {
	best  map[string]post.Media // by digest, or by address
	order []string
}

func (c *images) add(v jsonx.Value, alt string) {
	raw := v.String()
	m := post.Media{Kind: post.MediaImage, Alt: alt}
	if v.IsObject() {
		raw = v.Get("url").String()
		if w, ok := v.Get("width").Int(); ok && w > 0 && w < 1<<20 {
			m.Width = int(w)
		}
		if h, ok := v.Get("height").Int(); ok && h > 0 && h < 1<<20 {
			m.Height = int(h)
		}
	}
	m.URL = address(raw)
	if m.URL == "" || !onPinimg(m.URL) || strings.Contains(m.URL, "/favicons/") || strings.Contains(m.URL, "/videos/") {
		return
	}
	key := signature(m.URL)
	if key == "" {
		key = m.URL
	}
	if c.best == nil {
		c.best = map[string]post.Media{}
	}
	old, seen := c.best[key]
	switch {
	case !seen:
		if len(c.order) >= maxMedia {
			return
		}
		c.order = append(c.order, key)
	case size(m.URL) < size(old.URL), size(m.URL) == size(old.URL) && (old.Width > 0 || m.Width == 0):
		return
	}
	c.best[key] = m
}

// addMedia reads a pin's picture, and the pictures and films of its carousel or
// pages.
func addMedia(p *post.Post, o object) {
	alt := plain(o.text("altText", "alt_text"))
	var pics images
	own := o.get("images")
	if own.Get("url").Exists() {
		pics.add(own, alt)
	}
	for _, k := range own.Keys() {
		pics.add(own.Get(k), alt)
	}
	for _, v := range o {
		for _, k := range v.Keys() {
			if isImageKey(k) {
				pics.add(v.Get(k), alt)
			}
		}
	}
	var films []jsonx.Value
	for _, part := range []jsonx.Value{o.get("carousel_data", "carouselData"), o.get("story_pin_data", "storyPinData")} {
		part.Walk(func(b jsonx.Value) bool {
			switch {
			case b.Has("video_list"), b.Has("videoList"), b.Has("v720P"), b.Has("vHLSV3MOBILE"):
				films = append(films, b)
				return false
			case b.Has("images"):
				slot := plain(object{b}.text("altText", "alt_text", "title"))
				in := b.Get("images")
				if in.Get("url").Exists() {
					pics.add(in, slot)
				}
				for _, k := range in.Keys() {
					pics.add(in.Get(k), slot)
				}
				return true
			}
			for _, k := range b.Keys() {
				if isImageKey(k) {
					pics.add(b.Get(k), plain(object{b}.text("altText", "alt_text")))
				}
			}
			return true
		})
	}
	for _, key := range pics.order {
		p.Media = append(p.Media, pics.best[key])
	}
	if v := o.get("videos"); v.IsObject() {
		films = append([]jsonx.Value{v}, films...)
	}
	seen := map[string]bool{}
	for _, f := range films {
		for _, m := range readFilm(f) {
			if !seen[m.URL] && len(p.Media) < 2*maxMedia {
				seen[m.URL] = true
				p.Media = append(p.Media, m)
			}
		}
	}
	addStoryText(p, o)
}

// isImageKey reports whether a pin's member holds a picture of it: imageSpec_orig,
// image736x, imageLargeUrl, image_large_url.
func isImageKey(k string) bool {
	if strings.HasPrefix(k, "imageSpec_") || k == "imageLargeUrl" || k == "image_large_url" || k == "image_medium_url" || k == "imageMediumUrl" {
		return true
	}
	rest, ok := strings.CutPrefix(k, "image")
	return ok && strings.HasSuffix(rest, "x") && len(rest) > 1 && rest[0] >= '0' && rest[0] <= '9'
}

// readFilm picks the best of a film's forms: one file before a playlist, then by
// size. Its captions follow as files.
func readFilm(v jsonx.Value) []post.Media {
	type form struct {
		m     post.Media
		files bool
	}
	var forms []form
	captions := map[string]string{}
	v.Walk(func(b jsonx.Value) bool {
		raw := address(b.Get("url").String())
		u, err := url.Parse(raw)
		if raw == "" || err != nil {
			return true
		}
		file := strings.HasSuffix(u.Path, ".mp4")
		if !file && !strings.HasSuffix(u.Path, ".m3u8") {
			return true
		}
		m := post.Media{Kind: post.MediaVideo, URL: raw}
		if w, ok := b.Get("width").Int(); ok && w > 0 && w < 1<<20 {
			m.Width = int(w)
		}
		if h, ok := b.Get("height").Int(); ok && h > 0 && h < 1<<20 {
			m.Height = int(h)
		}
		if ms, ok := b.Get("duration").Float(); ok && ms > 0 && ms < 1e9 {
			m.Duration = ms / 1000
		}
		forms = append(forms, form{m, file})
		in := object{b}.get("captions_urls", "captionsUrls")
		for _, lang := range in.Keys() {
			if c := address(in.Get(lang).String()); c != "" {
				captions[lang] = c
			}
		}
		return true
	})
	if len(forms) == 0 {
		return nil
	}
	sort.SliceStable(forms, func(i, j int) bool {
		if forms[i].files != forms[j].files {
			return forms[i].files
		}
		a, b := forms[i].m, forms[j].m
		if a.Width*a.Height != b.Width*b.Height {
			return a.Width*a.Height > b.Width*b.Height
		}
		return strings.Contains(a.URL, "/720p/") && !strings.Contains(b.URL, "/720p/")
	})
	list := []post.Media{forms[0].m}
	langs := make([]string, 0, len(captions))
	for lang := range captions {
		langs = append(langs, lang)
	}
	sort.Strings(langs)
	for _, lang := range langs {
		list = append(list, post.Media{Kind: post.MediaFile, URL: captions[lang], Alt: "captions " + lang})
	}
	return list
}

// addStoryText adds the words on the pages of an idea pin.
func addStoryText(p *post.Post, o object) {
	var words []string
	for _, page := range o.sub("story_pin_data", "storyPinData").get("pages").Array() {
		for _, b := range page.Get("blocks").Array() {
			if t := plain(b.Get("text").String()); t != "" && t != p.Text && t != p.Title && !contains(words, t) && len(words) < maxMedia {
				words = append(words, t)
			}
		}
	}
	if len(words) > 0 {
		p.Text = strings.TrimSpace(p.Text + "\n\n" + strings.Join(words, "\n\n"))
	}
}
