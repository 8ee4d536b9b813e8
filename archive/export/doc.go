// Package export copies a part of an archive into a file that stands alone: a
// WACZ with the captures that a set of posts was read from, or a table of the
// posts.
//
// # What a package holds
//
// For each selected post, of every time that it was seen: the response that it
// was read from with its request and metadata records, what that exchange said
// (urn:refrain:page:…) and the post as it was read (urn:refrain:post:…); the
// answers that say that it is gone; the captures of its pictures, videos and
// sounds and of its author's picture, redirects to them included, with what was
// computed from them (urn:refrain:asset:…). Of an imported post the record of the
// imported file, and, where that was a WARC or WACZ, the exchange in it. The
// warcinfo record of each segment stands before what is from it.
//
// Records are copied byte for byte, gzip member included, after each was read to
// its end and its block compared with its WARC-Block-Digest. What does not fit is
// left out and named in the report. Where a copied record is a revisit, the
// record with its payload is copied too, before it: nothing outside of the
// package is needed to read it.
//
// An export of everything holds all records of all segments, in their order.
//
// A page is listed for each post: at the post's own address where that was
// captured as a page, else at the address of the newest capture that it was read
// from, with title and text of the post. Further captures of pages are listed as
// extra pages.
//
// With a Redactor the records in which it finds something are written anew, under
// their ids and with fields that say so; all others stay as they are.
//
// export/export.json in the package says how it was made: the selection, the
// archive, counts, and what could not be taken in.
package export
