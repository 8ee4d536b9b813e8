// Package cdx makes and reads CDXJ, the index of a WARC.
//
// # Bytes
//
// A CDXJ is lines
//
//	KEY SP TIMESTAMP SP {"url": "…", "mime": "…", "status": "200", "digest": "sha256:…",
//	    "length": "1228", "offset": "784", "filename": "x.warc.gz"} LF
//
// sorted by their bytes (LC_ALL=C) and without duplicates. KEY is the SURT of
// the URL (see SURT and WebrecorderKey), TIMESTAMP the WARC-Date to the second.
// All values are strings when written; numbers are read too. offset and length
// are those of the gzip member that is the record, or of the record itself in a
// plain file; filename is a base name.
//
// Indexed are response, revisit (mime warc/revisit), resource and metadata
// records, but none of application/warc-fields, and no warcinfo, request and
// conversion records: what cdxj-indexer, jwarc and warcio.js agree on, as far
// as they do.
package cdx
