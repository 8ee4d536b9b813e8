// Package livejournal collects public journals and communities of LiveJournal,
// with their comments.
//
// # Endpoints
//
//	GET https://NAME.livejournal.com/data/rss, /data/atom   the 25 newest public entries; no paging
//	    ?itemid=N one entry, ?tag=A,B the newest under tags
//	GET https://NAME.livejournal.com/?skip=N     older entries as a page; it goes back about 100 entries
//	GET https://NAME.livejournal.com/calendar, /YYYY/, /YYYY/MM/, /YYYY/MM/DD/   the way to all older entries
//	GET https://NAME.livejournal.com/N.html[?page=P|?thread=T]   an entry with its comments, as Site.page, Site.entry, Site.journal JSON
//
// Names with a leading or trailing "_" live at users.livejournal.com/NAME/; an
// inner "_" is "-" in host names. External identities are ext_N, syndicated
// feeds rss_NAME.
//
// # Feeds
//
// RSS says more than Atom (comment count, journal id, mood, music), so it is
// what is asked for; both are read. Feeds leave out reposts, and ?itemid= of a
// repost answers with the original: reposts are seen in pages only. An owner
// may limit the feed to titles or first paragraphs, and bodies may be cut at
// "(Read more ...)": such posts are partial, and their page is a next step. A
// journal that asks not to be indexed (NOINDEX in copyright, or idx:index=no)
// has its posts tagged noindex. (apparentlymart/livejournal, cgi-bin/ljfeed.pl,
// published by the site in 2015.)
//
// # Identity
//
// Post.ID is NAME:N (N is the ditemid in the address), of a comment NAME:N:T
// (T is its dtalkid). The journal's own number (lj:journalid, Site.journal.id)
// is its identity and Account.ID, where an answer shows it. Accounts are
// renamed; numbers stay.
//
// # Comments
//
// A page's Site.page.comments holds some comments whole (loaded), some by
// author and time only (collapsed), and "more" stubs. Those that miss their
// text are ok_meta_only; their thread's page and the next page of comments are
// steps.
//
// # Times
//
// pubDate of RSS and published of Atom are the server's moment. A page shows
// the author's local time without a zone: an interval over all zones, with the
// raw words. Comments carry Unix seconds.
//
// # Limits
//
// The site's robots policy (www.livejournal.com/bots/) wants an identifying
// agent with contact, and at most 5 requests a second; ours is one in 2 s.
//
// Not collected: e-mail addresses in old feeds, friends-only entries, IP
// addresses, friend lists, memories. Comments of the oldest page styles, which
// have no Site.page.comments, are not read.
package livejournal

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const platform = "livejournal"

// Names of routes.
const (
	routeFeed = "feed"
	routeHTML = "html"
)

// Collector is the collector of LiveJournal. Its zero value is ready to use.
type Collector struct{}

// New gives the collector.
func New() crawlers.Collector { return Collector{} }

var _ crawlers.Collector = Collector{}

// About is the data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "LiveJournal",
		Reader:   1,
		Collects: "journals and communities with their whole history, tags, days, single entries, comments, reposts",
		Seeds: []string{
			"https://NAME.livejournal.com/",
			"https://NAME.livejournal.com/123456.html",
			"https://NAME.livejournal.com/123456.html?thread=7890123#t7890123",
			"https://NAME.livejournal.com/tag/TAG",
			"https://NAME.livejournal.com/2024/05/02/",
			"https://users.livejournal.com/_name_/",
			"https://m.livejournal.com/read/user/NAME/123456",
		},
		Routes: []crawlers.Route{
			{Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefTag, crawlers.RefPost}, Gives: "the 25 newest entries with exact times and comment counts", Every: 2 * time.Second, PageSize: 25, Robots: true},
			{Name: routeHTML, Gives: "entries with comments; history by skip and calendar; reposts", Every: 2 * time.Second, PageSize: 20, Robots: true},
		},
		Hosts: []string{"*.livejournal.com"},
		Limits: []string{
			"feeds serve 25 entries and leave out reposts; history is walked page by page",
			"times on pages have no zone and are kept as intervals",
			"friends-only entries and journals behind the adult notice are reported, not entered",
		},
		Checked: "2026-11-23",
	}
}

func newRef(kind crawlers.RefKind, id, of, url string, alias bool) crawlers.Ref {
	return crawlers.Ref{Platform: platform, Kind: kind, ID: id, Of: of, URL: url, Alias: alias}
}
