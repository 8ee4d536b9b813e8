// Package all is the list of platforms, one line each.
package all

import (
	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/crawlers/blogspot"
	"github.com/refrain-archive/refrain/crawlers/facebook"
	"github.com/refrain-archive/refrain/crawlers/feed"
	"github.com/refrain-archive/refrain/crawlers/instagram"
	"github.com/refrain-archive/refrain/crawlers/livejournal"
	"github.com/refrain-archive/refrain/crawlers/mastodon"
	"github.com/refrain-archive/refrain/crawlers/medium"
	"github.com/refrain-archive/refrain/crawlers/pinterest"
	"github.com/refrain-archive/refrain/crawlers/quora"
	"github.com/refrain-archive/refrain/crawlers/reddit"
	"github.com/refrain-archive/refrain/crawlers/tiktok"
	"github.com/refrain-archive/refrain/crawlers/tumblr"
	"github.com/refrain-archive/refrain/crawlers/twitter"
	"github.com/refrain-archive/refrain/crawlers/vimeo"
	"github.com/refrain-archive/refrain/crawlers/web"
	"github.com/refrain-archive/refrain/crawlers/youtube"
)

// Collectors gives every collector, in the order in which they are asked whose
// a URL or an exchange is: mastodon, feed and web may take any host, so they
// come last.
func Collectors() []crawlers.Collector {
	return []crawlers.Collector{
		blogspot.Collector{},
		facebook.Collector{},
		instagram.Collector{},
		livejournal.Collector{},
		medium.Collector{},
		pinterest.Collector{},
		quora.Collector{},
		reddit.Collector{},
		tiktok.Collector{},
		tumblr.Collector{},
		twitter.Collector{},
		vimeo.Collector{},
		youtube.Collector{},
		mastodon.Collector{}, // any host may be one: after the platforms that have hosts of their own
		feed.Collector{},
		web.Collector{},
	}
}
