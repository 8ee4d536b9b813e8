// Package wacz reads, checks and writes WACZ, the web archive collection
// format of Webrecorder (version 1.1.1): a ZIP that holds WARC files, their
// index and a list of pages.
//
// # Bytes
//
// The entries of the ZIP, in any order:
//
//	archive/NAME.warc.gz      WARC files; stored, not deflated, so that a record is read by its offset
//	indexes/index.cdxj        CDXJ of all of them (or index.cdx), or, for large archives,
//	indexes/index.cdx.gz      the same lines, some hundred to a gzip member; stored
//	indexes/index.idx         and where each of those members lies, by its first line
//	pages/pages.jsonl         a header line, then a JSON object for each page: url, ts, title, text
//	pages/extraPages.jsonl    further pages, same form; optional
//	datapackage.json          every file above with its sha256 and bytes
//	datapackage-digest.json   the sha256 of datapackage.json, and a signature over it; optional
//
// An index.idx is a line of JSON, "!meta 0 {…}", and then lines
//
//	KEY TIMESTAMP {"offset": N, "length": N, "digest": "sha256:HEX", "filename": "index.cdx.gz"}
//
// A multi-WACZ is a datapackage.json, alone or in a ZIP, whose resources are
// WACZ files.
//
// # What is read
//
// Any version of the format so far: the profiles data-package, wacz-package,
// multi-wacz-package and none; resources with hash and bytes, and with the
// stats of version 1.0. Names that lead out of the archive and names that are
// there twice are never opened.
//
// # What is written
//
// Version 1.1.1. Keys of the index are those that ReplayWeb.page computes; up to
// 50,000 bytes of lines are an index.cdxj, more an index.cdx.gz with blocks of
// 1,024 lines. A signature is anonymous: ECDSA P-384 over the text of the digest
// ("sha256:" and hex), r and s as 48 bytes each. The file gets its name when it
// has been read back from the disk and every hash fits.
package wacz
