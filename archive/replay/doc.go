// Package replay shows what was captured, as it was, without running any of it.
//
// # Addresses
//
// NAME is Options.Name, TIME any part of 14 digits from the year on.
//
//	/                            the start page: captured pages, search by URL
//	/NAME/TIME/URL               a page of ours: banner, and the capture in a frame
//	/NAME/TIMEmp_/URL            the capture, rewritten: a Memento
//	/NAME/TIMEid_/URL            its payload as it was stored
//	/NAME/TIMEim_/URL            a file of a page; cs_ a stylesheet, js_ a script (as text), if_ a document in a frame
//	/NAME/URL                    TimeGate: redirects to the capture nearest to Accept-Datetime
//	/NAME/timemap/link/URL       TimeMap (RFC 7089), application/link-format
//	/NAME/timemap/json/URL       the same as JSON
//	/NAME/*/URL                  the captures of a URL as a page
//	/NAME/cdx, /cdx              Options.CDX
//
// They are those of pywb, so that its users and tools find their way.
//
// # Safety
//
// What is archived must not run, and must not reach the network. The first two
// of these would each keep scripts from running alone, the third is for what
// nobody thought of:
//
//  1. It is rewritten (see htmlWriter): no scripts, no event handlers, no
//     javascript: URLs; every address leads to this archive or nowhere.
//  2. It is served under a Content-Security-Policy with sandbox and without
//     allow-scripts, which gives it an origin of its own, and whose sources are
//     this server alone. Raw payloads have one that loads nothing at all.
//  3. Requests of a service worker are refused, types are not sniffed, and the
//     pages around it are static, and hold neither script nor cookie.
//
// The server is meant to have a listener of its own. Pages that a user works
// with belong to another origin.
//
// # What is shown
//
// HTML, XHTML, CSS and SVG are rewritten; images, fonts, sound and moving
// images are given as they are; scripts, JSON, feeds and other text are shown as
// text. Everything else can be saved.
package replay
