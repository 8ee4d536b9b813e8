package livejournal

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// Read turns one exchange into posts and further steps.
func (c Collector) Read(s crawlers.Step, ex crawlers.Exchange) (crawlers.Page, error) {
	if s.Ref.Platform != platform {
		return crawlers.Page{}, fmt.Errorf("the step belongs to platform %q", s.Ref.Platform)
	}
	st, err := decodeState(s.State)
	if err != nil {
		return crawlers.Page{}, err
	}
	if page, ok := wall(ex); ok {
		return page, nil
	}
	if ex.Status >= 300 && ex.Status < 400 {
		return redirect(s, st, ex), nil
	}
	if outcome, reason := crawlers.Classify(ex); outcome != "" {
		return crawlers.Page{Outcome: outcome, Reason: reason}, nil
	}
	body := bytes.TrimLeft(bytes.TrimPrefix(ex.Body, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case crawlers.LooksHTML(ex), bytes.Contains(body[:min(len(body), 2048)], []byte("<html")):
		return readHTML(s, st, ex), nil
	case bytes.HasPrefix(body, []byte("<")):
		return readFeed(s, ex, body), nil
	case bytes.HasPrefix(body, []byte("{")):
		return readThread(s, st, ex, body), nil
	}
	return crawlers.Page{Outcome: post.UnexpectedType, Reason: "neither a feed nor a page: " + crawlers.FirstWords(ex)}, nil
}

// wall tells LiveJournal's own walls and tombstones.
func wall(ex crawlers.Exchange) (crawlers.Page, bool) {
	if ex.Status >= 300 && ex.Status < 400 {
		from, err := url.Parse(ex.URL)
		if err != nil {
			return crawlers.Page{}, false
		}
		to, err := from.Parse(ex.Header.Get("Location"))
		if err != nil || !strings.HasSuffix(strings.ToLower(to.Hostname()), "livejournal.com") {
			return crawlers.Page{}, false
		}
		page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
		switch p := strings.ToLower(to.Path); {
		case strings.Contains(p, "/adult_"):
			page.Outcome = post.AgeGated
		case strings.HasPrefix(p, "/login"):
			page.Outcome = post.LoginWall
		default:
			return crawlers.Page{}, false
		}
		return page, true
	}
	// An entry or a listing may quote any words: only answers without one are
	// looked at for the words of a tombstone.
	if ex.Status != 0 && ex.Status < 400 && (bytes.Contains(ex.Body, []byte("Site.entry")) || !crawlers.LooksHTML(ex)) {
		return crawlers.Page{}, false
	}
	head := ex.Body[:min(len(ex.Body), 512<<10)]
	if journal, ok := site(head, "Site.journal"); ok && journal.Get("is_suspended").Bool() {
		return crawlers.Page{Outcome: post.Suspended, Reason: "Site.journal.is_suspended"}, true
	}
	if bytes.Contains(head, []byte("Site.entry")) || ex.Status < 400 && !small(head) {
		return crawlers.Page{}, false
	}
	for _, n := range []struct {
		words   string
		outcome post.Outcome
	}{
		{"This journal has been suspended", post.Suspended},
		{"has been suspended", post.Suspended},
		{"This journal has been deleted and purged", post.Deleted},
		{"deleted and purged", post.Deleted},
		{"This journal has been deleted", post.Deleted},
		{"has been deleted", post.Deleted},
		{"You do not have permission", post.Private},
		{"don't have permission to view", post.Private},
		{"not authorized to view this protected entry", post.Private},
		{"protected entry", post.Private},
		{"There is no such", post.NotFound},
		{"Unknown Journal", post.NotFound},
		{"No such entry", post.NotFound},
		{"running a bot", post.Blocked},
		{"livejournal.com/bots/", post.Blocked},
	} {
		if !bytes.Contains(head, []byte(n.words)) {
			continue
		}
		if n.outcome == post.Blocked && ex.Status != 403 && ex.Status != 429 {
			continue
		}
		if n.outcome == post.Blocked && ex.Status == 429 {
			return crawlers.Page{Outcome: post.RateLimited, Reason: n.words}, true
		}
		return crawlers.Page{Outcome: n.outcome, Reason: n.words}, true
	}
	return crawlers.Page{}, false
}

// small reports whether a page links to no entry, as notices do.
func small(head []byte) bool { return !entryLink.Match(head) }

var entryLink = regexp.MustCompile(`livejournal\.com/(?:[a-z0-9_~/-]+/)?\d+\.html`)

// site gives the object that a page's script assigns to name.
func site(page []byte, name string) (jsonx.Value, bool) {
	raw, ok := jsonx.After(page, name)
	if !ok {
		return jsonx.Value{}, false
	}
	v, err := jsonx.Parse(raw)
	if err != nil || !v.IsObject() {
		return jsonx.Value{}, false
	}
	return v, true
}

// redirect gives the step to where an address leads: a renamed journal, an old
// form of an address, a syndicated journal's source.
func redirect(s crawlers.Step, st state, ex crawlers.Exchange) crawlers.Page {
	from, err := url.Parse(ex.URL)
	location := ex.Header.Get("Location")
	if err != nil || location == "" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect without Location"}
	}
	to, err := from.Parse(location)
	if err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
		return crawlers.Page{Outcome: post.ServerError, Reason: "a redirect to " + location}
	}
	page := crawlers.Page{Reason: "redirect to " + to.Redacted()}
	if to.String() == ex.URL || st.N >= 8 {
		page.Outcome = post.RedirectLoop
		return page
	}
	to.User, to.Fragment = nil, ""
	ref, ok := (Collector{}).Match(to)
	if !ok {
		if strings.HasPrefix(s.Ref.ID, "rss_") { // a syndicated journal is a copy of a feed elsewhere
			page.Identities = []crawlers.Identity{{Kind: crawlers.RefFeed, Alias: s.Ref.ID, ID: to.String(), URL: to.String()}}
			page.Coverage.End = "a syndicated journal: its source is " + to.String()
			return page
		}
		page.Outcome = post.UnexpectedType
		return page
	}
	next := s
	if ref.Key() == s.Ref.Key() {
		st.URL, st.N = to.String(), st.N+1
		next.State = st.encode()
	} else {
		next.Ref = ref
		if oldName, newName := nameOf(s.Ref), nameOf(ref); oldName != "" && newName != "" && oldName != newName {
			page.Identities = []crawlers.Identity{{Kind: crawlers.RefAccount, Alias: oldName, ID: newName, URL: journalURL(newName)}}
		}
	}
	page.Next = []crawlers.Step{next}
	return page
}

// nameOf is the journal that a Ref belongs to.
func nameOf(ref crawlers.Ref) string {
	if ref.Kind == crawlers.RefAccount {
		return ref.ID
	}
	return ref.Of
}

func oldest(posts []post.Post) time.Time {
	var at time.Time
	for i := range posts {
		if t := posts[i].Created.Earliest(); posts[i].Kind != post.KindComment && !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

func exact(raw string) post.Time {
	raw = strings.TrimSpace(raw)
	for _, layout := range []string{time.RFC3339Nano, time.RFC1123, time.RFC1123Z, "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700"} {
		t, err := time.Parse(layout, raw)
		if err != nil || t.Year() < 1970 || t.Year() > 9000 {
			continue
		}
		// A zone known by letters only has no offset that can be relied on.
		if name, offset := t.Zone(); offset == 0 && name != "UTC" && name != "GMT" && name != "" && name != "Z" {
			continue
		}
		return post.Exact(t, raw)
	}
	return post.Time{}
}

func unix(v jsonx.Value) post.Time {
	n, ok := v.Int()
	if !ok || n <= 0 || n > 200_000_000_000 {
		return post.Time{}
	}
	return post.Exact(time.Unix(n, 0), "")
}

var (
	yearWord  = regexp.MustCompile(`\b(?:19|20)\d\d\b`)
	clockWord = regexp.MustCompile(`(?i)\b(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(am|pm)?`)
	dayWord   = regexp.MustCompile(`\b(\d{1,2})(?:st|nd|rd|th|-го)?\b`)
	isoWord   = regexp.MustCompile(`\b((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})\b`)
	letters   = regexp.MustCompile(`\p{L}+`)
)

// months gives a month by the beginning of its name in English, Russian and
// Ukrainian.
func month(word string) time.Month {
	word = strings.ToLower(word)
	for i, names := range [][]string{
		{"jan", "янв", "січ"}, {"feb", "фев", "лют"}, {"mar", "мар", "бер"}, {"apr", "апр", "кві"}, {"may", "май", "мая", "тра"}, {"jun", "июн", "чер"},
		{"jul", "июл", "лип"}, {"aug", "авг", "сер"}, {"sep", "сен", "вер"}, {"oct", "окт", "жов"}, {"nov", "ноя", "лис"}, {"dec", "дек", "гру"},
	} {
		for _, n := range names {
			if strings.HasPrefix(word, n) {
				return time.Month(i + 1)
			}
		}
	}
	return 0
}

// local reads a moment in words that name no zone. It lies within the zones of
// the Earth: 14 hours before to 12 hours after the same clock in UTC.
func local(words string) post.Time {
	words = strings.Join(strings.Fields(words), " ")
	if len(words) > 200 {
		return post.Time{}
	}
	year, day, mon := 0, 0, time.Month(0)
	rest := words
	hour, minute, second, clock := 0, 0, 0, false
	if m := clockWord.FindStringSubmatch(words); m != nil {
		hour, _ = strconv.Atoi(m[1])
		minute, _ = strconv.Atoi(m[2])
		second, _ = strconv.Atoi(m[3])
		clock = hour < 24 && minute < 60 && second < 60
		switch strings.ToLower(m[4]) {
		case "am":
			hour %= 12
		case "pm":
			hour = hour%12 + 12
		}
		rest = strings.Replace(rest, m[0], " ", 1)
	}
	if m := isoWord.FindStringSubmatch(rest); m != nil {
		year, _ = strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[2])
		mon = time.Month(n)
		day, _ = strconv.Atoi(m[3])
	} else {
		y := yearWord.FindString(rest)
		year, _ = strconv.Atoi(y)
		rest = strings.Replace(rest, y, " ", 1)
		if m := dayWord.FindStringSubmatch(rest); m != nil {
			day, _ = strconv.Atoi(m[1])
		}
		for _, w := range letters.FindAllString(rest, 12) {
			if mon = month(w); mon != 0 {
				break
			}
		}
	}
	if year == 0 || mon < 1 || mon > 12 || day < 1 || day > 31 {
		return post.Time{}
	}
	from := time.Date(year, mon, day, 0, 0, 0, 0, time.UTC)
	to := from.Add(24*time.Hour - time.Second)
	if clock {
		from = time.Date(year, mon, day, hour, minute, second, 0, time.UTC)
		to = from
		if second == 0 {
			to = from.Add(59 * time.Second)
		}
	}
	return post.Between(from.Add(-14*time.Hour), to.Add(12*time.Hour), words, post.SourceField)
}
