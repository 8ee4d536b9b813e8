// Package pinterest collects public pins from pinterest.com and its country
// domains.
//
// # Endpoints
//
//	GET https://www.pinterest.com/pin/{ID}/                                     a pin: HTML with relay responses as JSON
//	GET https://widgets.pinterest.com/v3/pidgets/pins/info/?pin_ids={ID}        a pin as the embed widget shows it: JSON, no time
//	GET https://widgets.pinterest.com/v3/pidgets/users/{U}/pins/                an account's newest pins (about 50), no paging
//	GET https://widgets.pinterest.com/v3/pidgets/boards/{U}/{BOARD}/pins/       the same of a board
//	GET https://www.pinterest.com/{U}/feed.rss, /{U}/{BOARD}.rss                the newest 25 pins with their time
//	GET https://www.pinterest.com/oembed.json?url={PIN}                         title, author's name and thumbnail of a pin
//	GET https://api.pinterest.com/url_shortener/{CODE}/redirect/                what pin.it/{CODE} leads to
//	GET https://www.pinterest.com/resource/{NAME}Resource/get/?data={…}         the site's own JSON, paged by a bookmark
//
// None needs a login. The last one is a private interface that changes without
// notice and wants the headers of the site's own scripts (without them: 403
// "Invalid Resource Request"; no cookie is sent), so it is used only when the
// user names the route; it is the only one that pages, searches and lists
// sections. API v5 serves the caller's own account only and is not used.
//
// Saved answers of other shapes are read too: pages of 2018 to 2023
// (initialReduxState in __PWS_DATA__, __PWS_INITIAL_PROPS__ or initial-state),
// pages before (jsInit1, P.start.start), pages kept without their scripts
// (pinterestapp: metas), GraphQL answers, and single pin objects (ReadItem).
//
// # The trap of the head
//
// The title, description, og:url and ld+json of a pin's page may describe
// another pin of the same image, the one that Pinterest prefers for search
// engines. Posts are read from the relay data about the asked pin only; the
// other pin is kept as the tag same_image_pin:ID.
//
// # Repost keys
//
// They are tags, so that every part that reads posts sees them:
//
//	image_signature:HEX    32 hexadecimal digits, the digest of the image as first uploaded, equal on all pins of it;
//	                       stated as imageSignature, else taken from an address i.pinimg.com/SIZE/aa/bb/cc/HEX.EXT
//	aggregated_pin:ID      Pinterest's own group of pins of one image and link
//	same_image_pin:ID      another pin that the page's head names as this one's canonical address
//
// A pin saved from another account has a repost_of to that account (viaPinner)
// and a reblog_root to the first one (originPinner, else nativeCreator); the
// other pin's id is not served. A link to another pin is a repost_of with its id.
//
// # What a post is
//
// ID is the pin's decimal id, URL https://www.pinterest.com/pin/ID/. Title is the
// pinner's title, else the grid title (which Pinterest may take from the linked
// page). Text is the pinner's description, else the closeup description; a
// description of one space is none. Created is created_at, exact; the widget
// interface never states it, and ids carry no time. Account is the pinner: who
// saved the pin, not who made the image. A board's feed does not say who saved a
// pin, as boards may have several owners. Counts: reposts (repin_count), saves
// (of all pins of the aggregate), comments (of the aggregate), reactions (sum)
// and reaction_N by type, tries (did_it), shares. Tags also hold board:USER/SLUG,
// section:SLUG, category:C, annotation:WORD (Pinterest's own labels), promoted
// and uploaded.
//
// # Not collected
//
// Comments (private interface only), followers, related pins, the linked page's
// own words (rich metadata), product prices, recipes, machine-made alt texts and
// colours.
package pinterest

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform      = "pinterest"
	routeHTML     = "html"
	routeWidget   = "widget"
	routeFeed     = "feed"
	routeOEmbed   = "oembed"
	routeResource = "resource"

	site       = "https://www.pinterest.com"
	widgets    = "https://widgets.pinterest.com/v3/pidgets"
	shortener  = "https://api.pinterest.com/url_shortener/"
	widgetPins = 50
	feedPins   = 25
	pageSize   = 25 // pins of a resource page
)

// Collector collects from Pinterest. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of Pinterest.
func New() crawlers.Collector { return Collector{} }

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Pinterest",
		Reader:   1,
		Collects: "pins with text, link, images, video, pinner, board, time and counts; image signature and aggregate as repost keys",
		Seeds: []string{
			"https://www.pinterest.com/pin/123456789012345678/",
			"https://www.pinterest.com/pin/some-words--123456789012345678/",
			"https://www.pinterest.com/example/",
			"https://www.pinterest.com/example/a-board/",
			"https://www.pinterest.com/example/a-board/a-section/",
			"https://www.pinterest.com/search/pins/?q=harbour%20fog",
			"https://pin.it/AbCdEfG",
		},
		Routes: []crawlers.Route{
			{
				Name: routeHTML, Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefShort},
				Gives: "a pin with its time, counts, image signature and aggregate",
				Every: 5 * time.Second, Robots: true,
			},
			{
				Name: routeWidget, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefBoard, crawlers.RefPost},
				Gives: "the newest pins of an account or board (about 50), or one pin, without time",
				Hosts: []string{"widgets.pinterest.com"}, Every: 3 * time.Second, PageSize: widgetPins, Robots: true,
			},
			{
				Name: routeFeed, Kinds: []crawlers.RefKind{crawlers.RefAccount, crawlers.RefBoard},
				Gives: "the newest 25 pins of an account or board, with their time",
				Every: 5 * time.Second, PageSize: feedPins, Robots: true,
			},
			{
				Name: routeOEmbed, Kinds: []crawlers.RefKind{crawlers.RefPost},
				Gives: "title, author and thumbnail of a pin",
				Every: 5 * time.Second, Robots: true,
			},
			{
				Name: routeResource, Kinds: []crawlers.RefKind{crawlers.RefPost, crawlers.RefAccount, crawlers.RefBoard, crawlers.RefTag, crawlers.RefSearch},
				Gives: "all pins of an account, board or section, and searches: the site's private interface",
				Every: 5 * time.Second, PageSize: pageSize, Robots: true, OptIn: true,
			},
		},
		Hosts: hosts(),
		Limits: []string{
			"accounts and boards: the newest 25 (feed) or about 50 (widget) pins; older ones only by the route resource, which is off unless named",
			"sections and searches: only by the route resource",
			"the widget interface states no times: each pin's page is asked for",
			"comments are counted, not collected",
		},
		Checked: "2026-11-23",
	}
}

// domains are the endings under which Pinterest answers: pinterest.com,
// pinterest.co.uk, …
func domains() []string {
	return []string{"com", "at", "be", "ca", "ch", "cl", "co", "co.at", "co.in", "co.kr", "co.nz", "co.uk", "com.au", "com.bo", "com.ec", "com.mx", "com.pe", "com.py", "com.uy", "com.vn", "de", "dk", "ec", "es", "fi", "fr", "gr", "hu", "id", "ie", "in", "info", "it", "jp", "kr", "mx", "nl", "no", "nz", "pe", "ph", "pt", "ro", "ru", "se", "th", "tw", "uk", "vn"}
}

func hosts() []string {
	list := []string{"pin.it"}
	for _, d := range domains() {
		list = append(list, "pinterest."+d, "*.pinterest."+d)
	}
	return list
}
