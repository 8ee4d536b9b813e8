// Package feed reads any RSS, Atom or JSON feed.
//
// # What is asked
//
//	GET URL    a feed's address, in canonical form (see package web)
//
// without a key, bound by robots.txt. An address is taken for a feed by its
// looks (/feed, /rss, atom.xml, ?feed=rss2 …); all others are web's, which finds
// the feeds that a page names.
//
// # Formats
//
// RSS 0.90, 0.91, 0.92, 1.0 (RDF) and 2.0, Atom 0.3 and 1.0, JSON Feed 1.0 and
// 1.1, told by the root element or by the version key. The parsing itself is
// github.com/mmcdole/gofeed; around it stand the charset (package
// internal/textenc), the recovery of broken feeds, and the reading of fields:
//
//	id         guid, atom:id, JSON id; else the link; else a digest of title, date and text
//	kind       article with a title, post without, comment where it replies to something
//	text       content:encoded, atom:content, content_html; else description, summary
//	account    the item's author (dc:creator, atom:author, author, itunes:author), else the feed
//	created    pubDate, published, dc:date; with Atom's updated alone, no later than that
//	edited     atom:updated, date_modified, dcterms:modified, if later
//	media      enclosures, Media RSS, itunes:image, attachments, and what the text shows
//	tags       category, dc:subject, itunes:keywords, media:keywords, JSON tags
//	counts     slash:comments, thr:total, media:statistics
//	refs       thr:in-reply-to
//
// A guid that is not unique in the world (a bare number or word) gets its host
// in front: "news.example#1234". A page with items also gives one post of kind
// account for the feed itself: title, description, site, language, image, and
// its generator as a tag "generator: …".
//
// # Paging
//
// Most feeds serve a window: the newest items only. Further pages are asked
// where the feed names them (Atom rel=next and prev-archive of RFC 5005, in RSS
// too, next_url of JSON Feed), and of WordPress by ?paged=N, if the feed's
// generator says that it is WordPress.
//
// # Broken feeds
//
// Undeclared entities, stray control characters and wrong charset declarations
// are read over. Where XML or JSON breaks off or is not well-formed, each item
// is tried by itself: what is whole is kept, the page is ok_partial and its
// reason says how many were not. Nothing is ever expanded from a DTD. Elements
// nested more than 200 deep and documents over 32 MiB are not read on.
package feed
