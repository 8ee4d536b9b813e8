package replay

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// What follows is an independent judge of what was written: it parses with
// another parser, in both of its modes, and knows nothing of the rewriting.

// urlNames are the attributes that browsers load or go to.
var urlNames = map[string]bool{
	"href": true, "src": true, "srcset": true, "imagesrcset": true, "poster": true, "data": true, "action": true, "formaction": true, "background": true,
	"lowsrc": true, "dynsrc": true, "cite": true, "longdesc": true, "ping": true, "manifest": true, "codebase": true, "classid": true, "archive": true, "icon": true, "attributionsrc": true,
}

// cssNames are the attributes that hold CSS.
var cssNames = map[string]bool{"style": true, "fill": true, "stroke": true, "filter": true, "mask": true, "clip-path": true, "cursor": true, "marker-start": true, "marker-mid": true, "marker-end": true, "from": true, "to": true, "by": true, "values": true}

// judgeHTML gives the first thing in a rewritten document that it must not have.
func judgeHTML(doc []byte, prefix string) error {
	for _, scripting := range []bool{true, false} {
		root, err := html.ParseWithOptions(bytes.NewReader(doc), html.ParseOptionEnableScripting(scripting))
		if err != nil {
			return nil //nolint:nilerr // too deep for this parser: browsers see no more of it
		}
		if err := judgeNode(root, prefix, 0); err != nil {
			return fmt.Errorf("scripting %v: %w", scripting, err)
		}
	}
	return nil
}

func judgeNode(root *html.Node, prefix string, depth int) error {
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			return fmt.Errorf("a comment: %q", n.Data)
		}
		if n.Type == html.TextNode {
			if p := n.Parent; p != nil && strings.EqualFold(p.Data, "style") {
				if err := judgeCSS(n.Data, prefix); err != nil {
					return err
				}
			}
			continue
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch strings.ToLower(n.Data) {
		case "script", "object", "embed", "applet", "base", "portal", "fencedframe", "noscript", "plaintext", "xmp", "noembed", "noframes":
			return fmt.Errorf("an element <%s>", n.Data)
		}
		for _, a := range n.Attr {
			name := strings.ToLower(a.Key)
			if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.HasPrefix(name, "xmlns") {
				name = name[i+1:]
			}
			switch {
			case strings.HasPrefix(name, "on"), name == "http-equiv", name == "attributename" && strings.Contains(strings.ToLower(a.Val), "href"):
				return fmt.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case name == "srcdoc":
				if depth > 5 {
					return fmt.Errorf("srcdoc too deep")
				}
				inner, err := html.Parse(strings.NewReader(a.Val))
				if err != nil {
					continue
				}
				if err := judgeNode(inner, prefix, depth+1); err != nil {
					return fmt.Errorf("srcdoc: %w", err)
				}
			case strings.HasSuffix(name, "srcset"):
				for _, ref := range srcsetURLs(a.Val) {
					if err := judgeURL(ref, prefix, true); err != nil {
						return fmt.Errorf("<%s %s=%q>: %w", n.Data, a.Key, a.Val, err)
					}
				}
			case urlNames[name]:
				image := n.Data != "a" && n.Data != "area" && n.Data != "iframe" && n.Data != "frame" && n.Data != "form" && n.Data != "use"
				if err := judgeURL(a.Val, prefix, image); err != nil {
					return fmt.Errorf("<%s %s=%q>: %w", n.Data, a.Key, a.Val, err)
				}
			case cssNames[name]:
				if err := judgeCSS(a.Val, prefix); err != nil {
					return fmt.Errorf("<%s %s=%q>: %w", n.Data, a.Key, a.Val, err)
				}
			}
		}
	}
	return nil
}

// judgeURL takes what browsers take for the start of a reference.
func judgeURL(ref, prefix string, image bool) error {
	ref = strings.TrimFunc(ref, func(r rune) bool { return r <= ' ' })
	ref = strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(ref)
	switch {
	case ref == "", strings.HasPrefix(ref, "#"), strings.HasPrefix(ref, prefix):
		return nil
	case image && (strings.HasPrefix(ref, "data:image/") || strings.HasPrefix(ref, "data:font/") || strings.HasPrefix(ref, "data:application/")):
		return nil
	case image && strings.HasPrefix(ref, "data:"):
		if regexp.MustCompile(`(?i)^data:(%20| )*(image|font|application)`).MatchString(ref) {
			return nil
		}
	}
	return fmt.Errorf("%q leads out", ref)
}

// srcsetURLs splits a srcset by the standard's rules.
func srcsetURLs(set string) []string {
	var urls []string
	for {
		set = strings.TrimLeft(set, " \t\n\r\f,")
		if set == "" {
			return urls
		}
		end := strings.IndexAny(set, " \t\n\r\f")
		if end < 0 {
			end = len(set)
		}
		u := set[:end]
		set = set[end:]
		if strings.HasSuffix(u, ",") {
			urls = append(urls, strings.TrimRight(u, ","))
			continue
		}
		urls = append(urls, u)
		_, set, _ = strings.Cut(set, ",")
	}
}

var (
	cssComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	cssString  = regexp.MustCompile(`"(?:[^"\\\n\r\f]|\\(?s:.))*"|'(?:[^'\\\n\r\f]|\\(?s:.))*'`)
	cssURL     = regexp.MustCompile(`(?i)(?:^|[^-\w\\\x{80}-\x{10ffff}])url\(\s*("(?:[^"\\\n\r\f]|\\(?s:.))*"?|'(?:[^'\\\n\r\f]|\\(?s:.))*'?|[^)]*)`)
	cssSrc     = regexp.MustCompile(`(?i)(?:^|[^-\w\\\x{80}-\x{10ffff}])src\(\s*("(?:[^"\\\n\r\f]|\\(?s:.))*"?|'(?:[^'\\\n\r\f]|\\(?s:.))*'?)`)
	cssImport  = regexp.MustCompile(`(?i)@import\s*("(?:[^"\\\n\r\f]|\\(?s:.))*"?|'(?:[^'\\\n\r\f]|\\(?s:.))*'?)`)
	cssSet     = regexp.MustCompile(`(?i)(?:^|-webkit-|[^-\w\\\x{80}-\x{10ffff}])image-set\(\s*("(?:[^"\\\n\r\f]|\\(?s:.))*"?)`)
	cssEscape  = regexp.MustCompile(`\\([0-9a-fA-F]{1,6})\s?|\\(?s:(.))`)
)

// judgeCSS looks for whatever loads, first decoding the escapes in names, which
// the rewriting must have left none of where they spell "url" or "import".
func judgeCSS(css, prefix string) error {
	if cssComment.MatchString(css) {
		css = cssComment.ReplaceAllString(css, " ")
	}
	bare := cssString.ReplaceAllString(css, `""`)
	bare = cssEscape.ReplaceAllStringFunc(bare, unescapeCSS)
	for _, re := range []*regexp.Regexp{cssURL, cssSrc, cssImport, cssSet} {
		for _, m := range re.FindAllStringSubmatchIndex(css, -1) {
			if insideString(css, m[2]) {
				continue
			}
			ref := strings.Trim(css[m[2]:m[3]], "\"' \t\r\n\f")
			ref = cssEscape.ReplaceAllStringFunc(ref, unescapeCSS)
			if err := judgeURL(ref, prefix, true); err != nil {
				return fmt.Errorf("CSS %q: %w", clip(css[m[0]:]), err)
			}
		}
	}
	if len(cssURL.FindAllString(bare, -1)) > len(cssURL.FindAllString(css, -1)) {
		return fmt.Errorf("an escaped url( in %q", clip(css))
	}
	return nil
}

func unescapeCSS(e string) string {
	var r rune
	if n, _ := fmt.Sscanf(e[1:], "%x", &r); n == 1 {
		return string(r)
	}
	return e[1:]
}

// insideString reports whether a place of CSS is within a string.
func insideString(css string, at int) bool {
	for _, m := range cssString.FindAllStringIndex(css, -1) {
		if m[0] < at && at < m[1] {
			return true
		}
	}
	return false
}

func clip(s string) string { return s[:min(len(s), 200)] }
