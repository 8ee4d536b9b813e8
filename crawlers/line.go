package crawlers

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// A Line is what one exchange said, as one line of JSON: the first line that
// `refrain extract` prints for an exchange, and the line before an exchange's
// posts in a segment's posts file. The posts follow as PostLines.
type Line struct {
	Type       string       `json:"type"` // "page"
	URL        string       `json:"url"`
	Method     string       `json:"method,omitempty"` // empty is GET
	Status     int          `json:"status,omitempty"`
	Platform   string       `json:"platform"`
	Ref        *Ref         `json:"ref"`             // null where nothing identifies the exchange
	Route      string       `json:"route,omitempty"` // by which it was fetched; empty where that is unknown
	Role       Role         `json:"role,omitempty"`
	Outcome    post.Outcome `json:"outcome"`
	Reason     string       `json:"reason,omitempty"`
	Posts      int          `json:"posts"` // lines that follow
	Total      *int64       `json:"total"` // as the platform says; null where it does not
	Coverage   Coverage     `json:"coverage,omitzero"`
	Next       []NextLine   `json:"next"`
	Identities []Identity   `json:"identities"`
	Assets     []Asset      `json:"assets"`
	FetchedAt  time.Time    `json:"fetched_at,omitzero"`
	Capture    post.Capture `json:"capture,omitzero"`
	Reader     string       `json:"reader,omitempty"`
	Target     string       `json:"target,omitempty"` // key of what the seed names; empty outside a collect run
	Seed       string       `json:"seed,omitempty"`   // as the user gave it
}

// NextLine is a further step, as a line shows it.
type NextLine struct {
	Role  Role   `json:"role"`
	Route string `json:"route,omitempty"`
	URL   string `json:"url"` // that the step asks for
}

// PostLine is a post as one line among lines of other types.
type PostLine struct {
	Type string `json:"type"` // "post"
	post.Post
}

// The types of lines.
const (
	LinePage = "page"
	LinePost = "post"
)

// LineOf says what c read from an exchange. The step may be zero but for its
// Ref. A nil collector gives the line of an exchange that no collector knows.
func LineOf(c Collector, s Step, ex Exchange, page Page) Line {
	line := Line{
		Type: LinePage, URL: ex.URL, Method: ex.Method, Status: ex.Status, Route: s.Route, Role: s.Role,
		Outcome: page.Outcome, Reason: page.Reason, Posts: len(page.Posts), Coverage: page.Coverage,
		Next: []NextLine{}, Identities: page.Identities, Assets: page.Assets, FetchedAt: ex.FetchedAt, Capture: ex.Capture,
	}
	if line.Method == "GET" {
		line.Method = ""
	}
	if s.Ref.Platform != "" {
		ref := s.Ref
		line.Ref, line.Platform = &ref, ref.Platform
	}
	if page.Coverage.Known {
		total := page.Coverage.Total
		line.Total = &total
	}
	if line.Identities == nil {
		line.Identities = []Identity{}
	}
	if line.Assets == nil {
		line.Assets = []Asset{}
	}
	if c == nil {
		return line
	}
	about := c.About()
	line.Platform, line.Reader = about.Platform, fmt.Sprintf("%s/%d", about.Platform, about.Reader)
	line.Next = make([]NextLine, 0, len(page.Next))
	for _, next := range page.Next {
		n := NextLine{Role: next.Role, Route: next.Route}
		if n.Role == "" {
			n.Role = RolePage
		}
		if u, err := address(c, next); err == nil {
			n.URL = u
		} else {
			n.URL = next.Ref.URL
		}
		line.Next = append(line.Next, n)
	}
	return line
}

// ParseLine reads one line: a Line or a PostLine, the other is nil. Lines of
// types that a later version adds give neither and no error.
func ParseLine(data []byte) (*Line, *post.Post, error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return nil, nil, fmt.Errorf("read a line: %w", err)
	}
	switch kind.Type {
	case LinePage:
		line := new(Line)
		if err := json.Unmarshal(data, line); err != nil {
			return nil, nil, fmt.Errorf("read a page line: %w", err)
		}
		return line, nil, nil
	case LinePost:
		p := new(post.Post)
		if err := json.Unmarshal(data, p); err != nil {
			return nil, nil, fmt.Errorf("read a post line: %w", err)
		}
		return nil, p, nil
	}
	return nil, nil, nil
}
