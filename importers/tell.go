package importers

import (
	"bytes"
	"fmt"
	"strings"
)

// A Form is what a file was recognised as.
type Form struct {
	Format Format
	layout layout // of the JSON texts in it
	skip   int    // bytes before the JSON text of an account archive: the assignment
}

// The formats whose lines, elements or rows are items of platforms.
const (
	FormatZeeschuimer Format = "zeeschuimer"   // lines of the browser extension
	FormatXv2         Format = "x-api-v2"      // answers, posts or compliance lines of X's API version 2, as twarc2 and others keep them
	FormatXv1         Format = "x-api-v1.1"    // posts of X's API version 1.1
	FormatXArchive    Format = "x-archive"     // tweets.js of an account archive
	FormatReddit      Format = "reddit-dump"   // posts or comments, one a line
	FormatTikTok      Format = "tiktok-api"    // answers or videos of the Research API
	FormatCrowdTangle Format = "crowdtangle"   // CSV of posts
	FormatMCL         Format = "meta-library"  // Meta Content Library: CSV of posts or comments
	FormatYTDT        Format = "youtube-tools" // YouTube Data Tools: CSV of videos or comments
	FormatOwnCSV      Format = "refrain-csv"   // our own: docs/importing.md
	FormatOwnJSON     Format = "refrain-jsonl" // our own: docs/importing.md
	FormatPage        Format = "saved-page"    // HTML that a browser or SingleFile saved
	FormatAnswer      Format = "saved-answer"  // one JSON answer of a platform, saved without its address
)

// Formats are all formats that can be imported, in the order of documentation.
func Formats() []Format {
	return []Format{
		FormatZeeschuimer, FormatXv2, FormatXv1, FormatXArchive, FormatReddit, FormatTikTok, FormatCrowdTangle, FormatMCL, FormatYTDT,
		FormatPage, FormatAnswer, FormatHAR, FormatWARC, FormatWACZ, FormatOwnCSV, FormatOwnJSON,
	}
}

// Title is the format as people call it.
func (f Format) Title() string {
	switch f {
	case FormatZeeschuimer:
		return "Zeeschuimer lines"
	case FormatXv2:
		return "posts of X's API v2"
	case FormatXv1:
		return "posts of X's API v1.1"
	case FormatXArchive:
		return "X account archive"
	case FormatReddit:
		return "Reddit dump"
	case FormatTikTok:
		return "TikTok Research API"
	case FormatCrowdTangle:
		return "CrowdTangle CSV"
	case FormatMCL:
		return "Meta Content Library CSV"
	case FormatYTDT:
		return "YouTube Data Tools CSV"
	case FormatOwnCSV:
		return "plain CSV"
	case FormatOwnJSON:
		return "plain JSON lines"
	case FormatPage:
		return "saved page"
	case FormatAnswer:
		return "saved answer"
	case FormatHAR:
		return "HAR"
	case FormatWARC:
		return "WARC"
	case FormatWACZ:
		return "WACZ"
	}
	return string(f)
}

// A layout says how JSON texts stand in a file.
type layout byte

const (
	layoutLines layout = iota // one a line
	layoutArray               // elements of one array
	layoutTexts               // one or several, over any number of lines
)

func (f Form) extension() string {
	switch f.Format {
	case FormatWARC:
		return ".warc" // with its compression inside: see File.Extension
	case FormatWACZ:
		return ".wacz"
	case FormatHAR:
		return ".har"
	case FormatPage:
		return ".html"
	case FormatXArchive:
		return ".js"
	case FormatCrowdTangle, FormatMCL, FormatYTDT, FormatOwnCSV:
		return ".csv"
	}
	if f.layout == layoutLines {
		return ".ndjson"
	}
	return ".json"
}

func (f Form) mediaType() string {
	switch f.extension() {
	case ".warc":
		return "application/warc"
	case ".wacz":
		return "application/wacz"
	case ".html":
		return "text/html"
	case ".js":
		return "text/javascript"
	case ".csv":
		return "text/csv"
	case ".ndjson":
		return "application/x-ndjson"
	}
	return "application/json"
}

var zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}

// tell tells the form of a text from its start.
func tell(head []byte) (Form, error) {
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return Form{}, fmt.Errorf("the file is empty: %w", ErrUnknown)
	case bytes.HasPrefix(trimmed, []byte("window.YTD.")):
		if i := bytes.IndexByte(trimmed, '['); i >= 0 {
			if bytes.HasPrefix(trimmed, []byte("window.YTD.tweet")) || bytes.HasPrefix(trimmed, []byte("window.YTD.deleted_tweet")) {
				return Form{Format: FormatXArchive, layout: layoutArray, skip: len(head) - len(trimmed) + i}, nil
			}
		}
		part, _, _ := bytes.Cut(trimmed, []byte("="))
		return Form{}, fmt.Errorf("a part of an X account archive that holds no posts (%.60s): tweets.js does: %w", bytes.TrimSpace(part), ErrUnknown)
	case trimmed[0] == '{' || trimmed[0] == '[':
		return tellJSON(head)
	case isMarkup(trimmed):
		return Form{Format: FormatPage}, nil
	case !isText(head):
		return Form{}, fmt.Errorf("the file is no text and starts with the bytes % x: %w", head[:min(8, len(head))], ErrUnknown)
	}
	if table, err := newTable(bytes.NewReader(head)); err == nil {
		if format := table.format(); format != "" {
			return Form{Format: format}, nil
		}
		return Form{}, fmt.Errorf("a table whose columns (%.200s) are those of no tool that is known here (docs/importing.md lists the plain form's): %w", strings.Join(table.names, ", "), ErrUnknown)
	}
	return Form{}, fmt.Errorf("neither JSON, a table nor a page: %w", ErrUnknown)
}

func isMarkup(text []byte) bool {
	lower := bytes.ToLower(text[:min(len(text), 1024)])
	return bytes.HasPrefix(lower, []byte("<!doctype html")) || bytes.HasPrefix(lower, []byte("<html")) || bytes.HasPrefix(lower, []byte("<!--")) ||
		bytes.HasPrefix(lower, []byte("<?xml")) && bytes.Contains(lower, []byte("<html"))
}

// isText reports whether head has no zero bytes: UTF-16 and binary files have.
func isText(head []byte) bool { return bytes.IndexByte(head, 0) < 0 }

// maxFirst is how many lines are looked at for one whose form is known, where
// the first is broken.
const maxFirst = 20

func tellJSON(head []byte) (Form, error) {
	rest := head
	tried := 0
	for len(rest) > 0 && tried < maxFirst {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if t := bytes.TrimLeft(line, " \t\r\xef\xbb\xbf"); len(t) == 0 || t[0] != '{' && t[0] != '[' {
			rest = after
			continue
		}
		tried++
		s, ok := shapeOf(bytes.TrimPrefix(rest, []byte("\xef\xbb\xbf")))
		if format := s.format(); ok && format != "" {
			return Form{Format: format, layout: layoutOf(s, line)}, nil
		}
		rest = after
	}
	s, ok := shapeOf(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	if !ok {
		return Form{}, fmt.Errorf("JSON without objects, or broken: %w", ErrUnknown)
	}
	if s.array {
		return Form{Format: FormatAnswer, layout: layoutTexts}, nil
	}
	return Form{Format: FormatAnswer, layout: layoutTexts}, nil
}

// layoutOf tells how the texts stand in a file whose first one has shape s and
// begins with line.
func layoutOf(s shape, line []byte) layout {
	switch trimmed := bytes.TrimSpace(line); {
	case s.array:
		return layoutArray
	case len(trimmed) > 1 && (trimmed[len(trimmed)-1] == '}' || len(trimmed) > 4096):
		return layoutLines
	}
	return layoutTexts
}

// format tells whose a JSON text is, from its keys.
func (s *shape) format() Format {
	switch {
	case s.keys == nil:
		return ""
	case s.has("source_platform", "data") && s.any("item_id", "timestamp_collected"):
		return FormatZeeschuimer
	case s.array && s.keys["tweet"] == kindObject && s.tweet["id_str"] != 0:
		return FormatXArchive
	case s.has("id_str", "created_at") && s.any("full_text", "text") && s.any("user", "retweet_count", "entities"):
		return FormatXv1
	case s.isTikTok():
		return FormatTikTok
	case s.isXv2():
		return FormatXv2
	case s.has("subreddit", "author") && s.any("selftext", "title", "body") && s.any("created_utc", "retrieved_on", "link_id", "num_comments"):
		return FormatReddit
	case s.isOwn():
		return FormatOwnJSON
	}
	return ""
}

func (s *shape) isTikTok() bool {
	for _, keys := range []map[string]kind{s.keys, s.data} {
		if keys["videos"] == kindArray || keys["comments"] == kindArray && s.has("error") {
			return s.data != nil && s.has("error") || keys["search_id"] != 0 || keys["has_more"] != 0
		}
	}
	return s.any("video_description", "voice_to_text") && s.any("id", "video_id") && s.has("create_time") ||
		s.data != nil && s.data["bio_description"] != 0 && s.has("error")
}

func (s *shape) isXv2() bool {
	tweet := func(keys map[string]kind) bool {
		return keys["id"] != 0 && keys["text"] != 0 && (keys["author_id"] != 0 || keys["edit_history_tweet_ids"] != 0 || keys["conversation_id"] != 0 || keys["public_metrics"] != 0 || len(keys) == 2)
	}
	user := func(keys map[string]kind) bool {
		return keys["id"] != 0 && keys["username"] != 0 && keys["name"] != 0 && (keys["public_metrics"] != 0 || keys["verified"] != 0 || keys["protected"] != 0 || keys["created_at"] != 0)
	}
	switch {
	case s.any("__twarc"):
		return true
	case s.data != nil && (tweet(s.data) || user(s.data)) && !s.any("source_platform"):
		return true
	case s.has("data", "meta") && s.any("includes"), s.has("errors", "meta") && s.keys["includes"] != 0:
		return true
	case s.has("id", "action") && s.any("redacted_at", "reason", "created_at"):
		return true
	case s.keys["users"] == kindArray && (s.any("places", "tweets", "media", "polls") || len(s.keys) == 1):
		return true // includes of a page, as academictwitteR keeps them
	}
	return len(s.keys) > 2 && tweet(s.keys) && s.any("author_id", "edit_history_tweet_ids", "public_metrics", "conversation_id") || user(s.keys) && s.any("public_metrics")
}

func (s *shape) isOwn() bool {
	return s.any("platform", "url") && (s.any("text", "title") || s.has("platform", "id", "kind")) || s.has("type", "platform", "id")
}
