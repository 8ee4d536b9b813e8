// Package web reads any page of the web: its title, main text, author, times,
// language, pictures and links.
//
// # What is asked
//
//	GET URL    any http(s) address that no platform's collector takes
//
// without a key, bound by robots.txt. The address is asked in its canonical
// form: no fragment, no default port, no credentials, host in lower case, and
// without the parameters that only mark where a click came from (utm_source,
// fbclid, gclid and the like; package internal/urlform has the list). Nothing
// else about it is changed.
//
// # What is read
//
// One page is one post, its id the canonical address that answered. It is an
// article where the page says so (og:type, JSON-LD or microdata of schema.org),
// else a page. Each field is taken from the first of these that has it:
//
//	title      JSON-LD headline, og:title, <title>, first h1
//	text       the main text, told from the boilerplate around it (maintext.go); JSON-LD articleBody
//	           where the page itself shows no text
//	lang       <html lang>, Content-Language, JSON-LD inLanguage, og:locale
//	account    JSON-LD author, <meta name=author>, article:author, rel=author and itemprop=author;
//	           else the site: og:site_name and its host
//	created    JSON-LD datePublished, article:published_time and its kin, itemprop, <time> in the article
//	edited     JSON-LD dateModified, article:modified_time, og:updated_time
//	media      og:image and og:video, pictures, sound and film of the main text, the biggest of a srcset
//	links      of the main text; of the whole page where there is none
//	tags       JSON-LD keywords, article:tag, <meta name=keywords>, rel=tag; then the analytics and ad ids
//	           in the page's markup and scripts: "analytics:UA-7654321-1", "analytics:G-ABC1234567",
//	           "analytics:GTM-AB12CD3", "analytics:facebook-pixel-ID", "analytics:yandex-metrica-ID",
//	           "analytics:matomo-SITE@HOST/PATH", "ads:ca-pub-ID", "ads:AW-ID" (package internal/traces)
//
// Describe gives more of a page than a post has room for: description, site
// name, Open Graph fields, feeds and all links.
//
// Plain text and JSON become a page with that text; every other type a page
// with its type and no text (ok_meta_only).
//
// # Following links
//
// A seed is just that page. Options in Step.State ask for more: links of the
// same site to a depth, feeds that the page names, or links only, without
// reading any text, which is several times faster. A redirect within the site
// gives a step to its Location, and so does a meta refresh; one to another site
// is left to the driver, as a platform's own collector may know that address.
//
// # What is refused
//
// Walls, challenges and errors are told by crawlers.Classify. Beside these, a
// page with status 200 that says "not found" in its title and shows next to no
// text is not_found; a shell that only scripts would fill is ok_meta_only where
// its head says what it is about, else layout_changed.
//
// Not collected: what scripts draw, comments under articles (they differ from
// site to site; platforms have collectors of their own). Contact details stay
// in the text and links; the corpus finds them there.
package web
