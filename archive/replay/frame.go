package replay

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/refrain-archive/refrain/archive/warc"
)

// A framePage is the banner, and the capture in a frame below it.
type framePage struct {
	Root, URL      string
	At             time.Time
	Content        string // path of what the frame shows
	Raw, All       string
	Before, After  string // paths; empty where there is none
	BeforeAt       time.Time
	AfterAt        time.Time
	Status         string // "404 Not Found"
	Good           bool   // the status says that this was the page
	Outcome        string
	RecordID       string
	File           string
	Offset, Length int64
	Type           string // of the record
	Media          string
	Digest         string
	Original       *originalFacts
	Truncated      string
	RedirectTo     string // where the answer led, if that is not in the archive
	Files          filesOfPage
}

type originalFacts struct {
	At     time.Time
	URL    string
	File   string
	Offset int64
}

// filesOfPage says which files that a page names are in the archive.
type filesOfPage struct {
	Looked  int
	Missing []missingFile
	More    int  // missing ones beyond those listed
	Unseen  bool // there are more files than were looked up
	First   time.Time
	Last    time.Time
}

type missingFile struct{ URL, What string }

// What is looked up, and listed, for one page.
const (
	maxFiles   = 400
	maxMissing = 100
)

// GET /NAME/TIME/URL.
func (s *Server) frame(w http.ResponseWriter, r *http.Request, q request) {
	ctx := r.Context()
	c, err := s.choose(ctx, q)
	if err != nil {
		s.fail(w, r, q, nil, err)
		return
	}
	s.memento(w.Header(), &c, q.url)
	if q.ts != stamp(&c) {
		redirect(w, s.path(stamp(&c), Frame, q.url), http.StatusFound)
		return
	}
	p := framePage{
		Root: s.root, URL: c.URL, At: c.Time(), Content: s.path(stamp(&c), Page, q.url), Raw: s.path(stamp(&c), Raw, q.url), All: s.root + "*/" + escapeURL(q.url),
		File: c.File, Offset: c.Offset, Length: c.Length, Digest: c.Digest,
	}
	before, after := s.neighbours(ctx, &c)
	if before != nil {
		p.Before, p.BeforeAt = s.path(stamp(before), Frame, before.URL), before.Time()
	}
	if after != nil {
		p.After, p.AfterAt = s.path(stamp(after), Frame, after.URL), after.Time()
	}
	list, blocked, err := s.blocked(ctx, c)
	if blocked {
		err = &blockedError{list: list}
	}
	if err != nil {
		s.fail(w, r, q, &c, err)
		return
	}
	a, err := s.load(ctx, c)
	if err != nil {
		s.fail(w, r, q, &c, err)
		return
	}
	defer a.Close()
	if target := a.redirect(); target != "" && !sameKey(target, c.URL) {
		if to, err := s.choose(ctx, request{url: target, at: c.Time(), mod: Frame}); err == nil {
			redirect(w, s.path(stamp(&to), Frame, target), http.StatusFound)
			return
		}
		p.RedirectTo = target
		p.Content = ""
	}
	s.facts(ctx, &p, a)
	if err := s.files(ctx, &p, a); err != nil {
		s.fail(w, r, q, &c, err)
		return
	}
	s.render(w, http.StatusOK, "frame.html", p)
}

// facts fills in what the banner says of the record.
func (s *Server) facts(ctx context.Context, p *framePage, a *answer) {
	p.RecordID, p.Type, p.Truncated, p.Media = a.header.RecordID(), a.header.Type(), a.header.Get("WARC-Truncated"), a.contentType()
	p.Status = fmt.Sprintf("%d %s", a.status, a.reason)
	p.Good = a.status >= 200 && a.status < 300
	if a.m == nil {
		p.Status = ""
	}
	if d := a.header.Get("WARC-Payload-Digest"); d != "" {
		p.Digest = d
	}
	if a.header.Type() == warc.TypeRevisit {
		p.Truncated = "" // the body of a revisit is left out by design
	}
	if o := a.original; o != nil {
		p.Original = &originalFacts{o.Time(), o.URL, o.File, o.Offset}
	}
	if s.o.Outcome != nil && p.RecordID != "" {
		p.Outcome = s.o.Outcome(ctx, p.RecordID)
	}
}

// files looks up the files that an HTML page names.
func (s *Server) files(ctx context.Context, p *framePage, a *answer) error {
	media, _ := mediaOf(a.contentType(), Page, nil)
	if media != mediaHTML && media != mediaXHTML || p.Content == "" {
		return nil
	}
	body, err := a.decoded(MaxDocument)
	if err != nil {
		return err
	}
	defer body.Close()
	b := borrow()
	defer b.giveBack()
	in, err := appendAll((*b.in)[:0], body)
	*b.in = in
	if isDamage(err) {
		return err
	}
	if err != nil {
		p.Truncated = err.Error()
	}
	type file struct {
		url string
		mod Mod
	}
	var named []file
	seen := map[string]bool{}
	t := Target{Prefix: s.root + stamp(&a.capture), URL: a.capture.URL, Mod: Page, Asset: func(url string, mod Mod) {
		if seen[url] {
			return
		}
		if len(named) == maxFiles {
			p.Files.Unseen = true
			return
		}
		seen[url] = true
		named = append(named, file{url, mod})
	}}
	if media == mediaHTML {
		*b.out = AppendHTML((*b.out)[:0], in, a.contentType(), t)
	} else {
		*b.out = AppendXHTML((*b.out)[:0], in, a.contentType(), t)
	}
	what := map[Mod]string{Style: "stylesheet", Inner: "frame", Image: "image or other file"}
	for _, f := range named {
		c, err := s.nearest(ctx, f.url, a.capture.Time())
		p.Files.Looked++
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			if len(p.Files.Missing) == maxMissing {
				p.Files.More++
				continue
			}
			p.Files.Missing = append(p.Files.Missing, missingFile{f.url, what[f.mod]})
		default:
			at := c.Time()
			if p.Files.First.IsZero() || at.Before(p.Files.First) {
				p.Files.First = at
			}
			if at.After(p.Files.Last) {
				p.Files.Last = at
			}
		}
	}
	return nil
}

// nearest gives the capture that a file of a page is shown from, as far as the
// index tells: choose also looks where redirects lead, which takes their records.
func (s *Server) nearest(ctx context.Context, url string, at time.Time) (Capture, error) {
	n := 0
	for c, err := range s.o.Source.Closest(ctx, url, at) {
		if err != nil {
			return Capture{}, err
		}
		if ok(&c) {
			return c, nil
		}
		if n++; n == maxTries {
			break
		}
	}
	return Capture{}, errNotFound
}
