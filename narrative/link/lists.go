package link

import "strings"

// mobileHosts are hosts that serve for telephones, or as AMP, what another host
// serves under the same path.
var mobileHosts = pairs(`
m.facebook.com www.facebook.com
mbasic.facebook.com www.facebook.com
touch.facebook.com www.facebook.com
web.facebook.com www.facebook.com
mobile.twitter.com twitter.com
m.twitter.com twitter.com
mobile.x.com x.com
m.youtube.com www.youtube.com
m.vk.com vk.com
m.ok.ru ok.ru
m.weibo.cn weibo.cn
old.reddit.com www.reddit.com
np.reddit.com www.reddit.com
i.reddit.com www.reddit.com
amp.reddit.com www.reddit.com
m.tiktok.com www.tiktok.com
m.imgur.com imgur.com
m.imdb.com www.imdb.com
m.huffpost.com www.huffpost.com
m.dailykos.com www.dailykos.com
m.livejournal.com livejournal.com
amp.cnn.com www.cnn.com
m.cnn.com www.cnn.com
amp.theguardian.com www.theguardian.com
amp.dw.com www.dw.com
m.dw.com www.dw.com
m.sputniknews.com sputniknews.com
amp.rt.com www.rt.com
m.lenta.ru lenta.ru
m.ria.ru ria.ru
amp.ria.ru ria.ru
mobile.reuters.com www.reuters.com
mobile.nytimes.com www.nytimes.com
m.spiegel.de www.spiegel.de
m.bild.de www.bild.de
m.bilibili.com www.bilibili.com
`)

// everywhere are parameters that no server reads but for counting, beside those
// that internal/urlform drops.
var everywhere = strings.Fields("ref_src ref_url __twitter_impression fb_comment_id action_object_map action_type_map action_ref_map cmpid ncid ito smid smtyp xtor at_medium at_campaign share_from")

// hostTracking are parameters that mark who shared an address, by host.
var hostTracking = map[string][]string{
	"twitter.com":      {"s", "t", "cxt"},
	"x.com":            {"s", "t", "cxt"},
	"youtube.com":      {"si", "feature", "pp", "ab_channel", "app"},
	"youtu.be":         {"si", "feature"},
	"instagram.com":    {"hl", "utm", "img_index"},
	"facebook.com":     {"__tn__", "__xts__", "__cft__", "eid", "hc_ref", "fref", "ref", "refid", "rdid", "share_url", "locale", "paipv", "eav", "sfnsn", "extid", "wtsid"},
	"tiktok.com":       {"_r", "_t", "is_copy_url", "is_from_webapp", "sender_device", "sender_web_id", "web_id", "lang", "refer", "referer_url", "referer_video_id", "share_app_id", "share_link_id", "share_item_id", "tt_from", "u_code", "user_id", "timestamp", "checksum", "sec_user_id", "social_sharing", "source", "preview_pb"},
	"reddit.com":       {"rdt", "share_id", "ref", "ref_source", "correlation_id", "ref_campaign"},
	"vk.com":           {"from", "ref"},
	"t.me":             {"single", "embed"},
	"medium.com":       {"source", "sk"},
	"pinterest.com":    {"invite_code", "sender", "sfo", "nic_v3"},
	"linkedin.com":     {"trk", "trackingId", "lipi", "rcm"},
	"amazon.com":       {"tag", "ref", "ref_", "linkCode", "linkId", "pd_rd_i", "pd_rd_r", "pd_rd_w", "pd_rd_wg", "pf_rd_p", "pf_rd_r", "psc", "creative", "creativeASIN", "camp", "ascsubtag"},
	"aliexpress.com":   {"spm", "scm", "pvid", "algo_expid", "algo_pvid", "aff_platform", "sk", "aff_trace_key", "terminal_id"},
	"bilibili.com":     {"spm_id_from", "vd_source", "share_source", "share_medium", "share_plat", "share_session_id", "share_tag", "unique_k", "from_source", "from_spmid", "timestamp", "bbid", "ts"},
	"weibo.com":        {"from", "wvr", "mod", "ref"},
	"nytimes.com":      {"partner", "rref", "module", "pgtype", "contentCollection", "region", "_r"},
	"theguardian.com":  {"CMP"},
	"bbc.com":          {"ns_mchannel", "ns_source", "ns_campaign", "ns_linkname", "ns_fee"},
	"bbc.co.uk":        {"ns_mchannel", "ns_source", "ns_campaign", "ns_linkname", "ns_fee"},
	"dailymail.co.uk":  {"ICO"},
	"substack.com":     {"r", "triedRedirect", "showWelcomeOnShare"},
	"open.spotify.com": {"si", "nd", "dlsi"},
}

// A wrapper carries an address in a parameter.
type wrapper struct {
	path  string   // "" is any
	names []string // of the parameter, the first that is there
}

var wrappers = map[string]wrapper{
	"l.facebook.com":            {"", []string{"u"}},
	"lm.facebook.com":           {"", []string{"u"}},
	"facebook.com":              {"/l.php", []string{"u"}},
	"l.instagram.com":           {"", []string{"u"}},
	"google.com":                {"/url", []string{"q", "url"}},
	"youtube.com":               {"/redirect", []string{"q"}},
	"vk.com":                    {"/away.php", []string{"to"}},
	"away.vk.com":               {"/away.php", []string{"to"}},
	"t.umblr.com":               {"/redirect", []string{"z"}},
	"out.reddit.com":            {"", []string{"url"}},
	"steamcommunity.com":        {"/linkfilter", []string{"u", "url"}},
	"tiktok.com":                {"/link/v2", []string{"target"}},
	"linkedin.com":              {"/redir/redirect", []string{"url"}},
	"disq.us":                   {"/url", []string{"url"}},
	"exit.sc":                   {"", []string{"url"}},
	"gate.sc":                   {"", []string{"url"}},
	"link.zhihu.com":            {"", []string{"target"}},
	"weibo.cn":                  {"/sinaurl", []string{"u"}},
	"urldefense.proofpoint.com": {"/v1/url", []string{"u"}},
	"translate.google.com":      {"/translate", []string{"u"}},
	"getpocket.com":             {"/redirect", []string{"url"}},
	"duckduckgo.com":            {"/l", []string{"uddg"}},
}

var shorteners = set(`
t.co bit.ly bitly.com j.mp ow.ly ow.li is.gd v.gd tinyurl.com goo.gl g.co buff.ly dlvr.it ift.tt fb.me fb.watch wp.me
lnkd.in trib.al tiny.cc rb.gy cutt.ly shorturl.at soo.gd s.id t.ly bl.ink clck.ru vk.cc u.to goo.su t.cn url.cn dwz.cn suo.im b23.tv
v.douyin.com xhslink.com vm.tiktok.com vt.tiktok.com redd.it flip.it po.st mf.tt su.pr snip.ly adf.ly ouo.io shrtco.de amzn.to a.co
apple.co nyti.ms wapo.st reut.rs bbc.in cnn.it ti.me on.ft.com on.wsj.com econ.st nbcnews.to cbsn.ws abcn.ws n.pr politi.co
theatln.tc huff.to hill.cm thebea.st washex.am dailym.ai gu.com fxn.ws bloom.bg zpr.io pin.it spoti.fi apne.ws a.msn.com
sptnkne.ws on.rt.com ruptly.tv tass.link pca.st hubs.ly hubs.la mailchi.mp eepurl.com smarturl.it
`)

// brandedShorteners give their customers hosts below their own.
var brandedShorteners = set(`app.link page.link onelink.me smart.link sjv.io`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func pairs(words string) map[string]string {
	m := map[string]string{}
	list := strings.Fields(words)
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}
