// Package archive keeps captures: it records exchanges and posts into segments,
// finishes, stores and reads them. An archive is a folder or a prefix of an S3
// bucket, with the same names in both, and is all that matters: what else
// refrain keeps is made from it.
//
// # The archive on disk
//
//	refrain.json                       what this is
//	segments/2026/11/23/
//	    refrain-20261123101112345-00001-WORKER.warc.gz         captures
//	    refrain-20261123101112345-00001-WORKER.cdxj            their index
//	    refrain-20261123101112345-00001-WORKER.posts.jsonl.gz  posts read from them
//	imports/SHA256[.ext]               files of other tools, byte for byte
//	log/                               custody log: see package evidence
//
// Every file is written once and never changed, but for a recorded act (see
// below). Reading needs no tool of ours: gunzip gives text.
//
// # refrain.json
//
// One JSON object: "format", the number of FormatVersion; "archive", a random
// urn:uuid: that names the archive; "created", RFC 3339 in UTC; "log_key", the
// public key of its custody log, if it was known then.
//
// # Segments
//
// A segment is what one process wrote in one stretch: until its WARC had 1 GB,
// or 15 minutes after its first record, or until the end of the run. The name
// carries the time of the first record in UTC with milliseconds (17 digits), the
// number of the segment in its run, and who wrote it. The folder is the day of
// that time.
//
// # The WARC
//
// WARC/1.1 (ISO 28500:2017) as package warc writes it: one gzip member per
// record, digests as sha256: and 64 lower-case hex digits. The first record is
// the warcinfo. Each exchange then is up to four records, one directly behind
// the other, with one WARC-Date (when the request began, UTC, microseconds) and
// WARC-Concurrent-To pointing at the first of them:
//
//	response   status line, header and body as they came over the wire, above TLS,
//	           transfer coding and content coding included; or
//	revisit    status line and header only, where the payload is byte for byte one
//	           that is stored already, by the same run or in a finished segment of
//	           an earlier one: WARC-Refers-To, -Target-URI and -Date name that
//	           record, WARC-Refers-To-Filename and WARC-Refers-To-File-Offset say
//	           where it lies
//	request    the request as it was sent
//	metadata   application/warc-fields: fetchTimeMs, via, hopsFromSeed, robots
//	           verdict and whatever the layers of the fetch say; outcome and error
//	           where the fetch failed; redacted: a line for each place where a
//	           secret was replaced, with the digests before and after
//	resource   urn:refrain:interim:UUID, only where interim answers (1xx) came before
//	           the response: their bytes. They and the response's block, one
//	           after the other, are what the connection carried
//
// A fetch without an answer has no response record; request and metadata are
// there. WARC-Truncated says why a body is cut: length, time or disconnect.
//
// A post is a resource record of application/json with the target
// urn:refrain:post:PLATFORM:ID (bytes that may not stand in a URI are
// percent-encoded), WARC-Date the time at which the answer was read, and
// WARC-Concurrent-To the response that it was read from, which may lie in an
// earlier segment. Directly before the posts of an exchange stands what it said
// beside them (outcome, coverage, identities, further steps), as a resource
// record of application/json with the target urn:refrain:page:UUID; it is there
// for exchanges without posts too, and for fetches that were not made because
// robots.txt forbade them. Package crawlers (Line) describes the JSON. What was computed from a file has the target
// urn:refrain:asset:sha256:HEX; the same line stands among the pages too, as a
// page line of the type "asset" (address, post, outcome, facts, capture). What an
// analyst decides about narratives is a page line of the type "act", concurrent
// to nothing: url urn:refrain:act:narrative, act, narrative, other, posts, text,
// by, at. Package post describes the JSON.
//
// # Imported files
//
// A file that is only linked has no object: its record is one JSON object of the
// type "import_link", with path, sha256 and size (see index.Link).
//
// imports/SHA256[.ext] is a file of another tool, byte for byte; the ending
// follows from its form. A resource record with the target
// urn:refrain:import:sha256:HEX holds the same bytes where they are at most 4
// MiB, and else one JSON object that names the object, its digest and size.
// Pages and posts of the file are concurrent to that record; their capture has
// "import" (sha256:HEX of the file) and "line" (of a text file; the number of
// the element of an array or HAR), or for a WARC and WACZ the record's id, file
// and offset inside. A page's line may stand for many entries. How far an import
// came, and how it ended, is told by page lines of the type "import".
//
// # Acts
//
// A page line of the type "act" records an intervention: Act describes it. The one
// there is, "delete", replaces the files of segments in a folder: in place of each
// deleted record stands a metadata record of the same id, date, target and length,
// with the header field Refrain-Deleted (the id of the act) and, as
// application/warc-fields, deleted (when), act, deletedType, deletedBlockDigest and
// deletedPayloadDigest; index and posts file have no line of it any more. The gzip
// member is filled up to its length by an extra field of the subfield "rf", a name
// of hyphens, or blanks in the block. In a bucket nothing is replaced: the act
// lists the objects under "holds".
//
// # The CDXJ
//
// One line for each response, revisit and resource record, as package cdx
// writes it, sorted by bytes. It can be made again from the WARC.
//
// # The posts file
//
// One gzip member of UTF-8 text, one JSON object a line, in the order of the
// records. What is long enough is deflated once and stands in both files, so the
// member is made of blocks that refer to what is before them and of such that do
// not; any reader of gzip takes it.
//
//	{"record_id":"urn:uuid:…","offset":12345,"page":{…}}
//	{"record_id":"urn:uuid:…","offset":12399,"post":{…}}
//
// record_id and offset are those of the line's resource record in the WARC of
// the same segment, page or post is that record's block. A page's line comes
// before those of its posts. The file can be made again from the WARC. A segment
// without either has no posts file.
//
// # Segments that are being written
//
// They lie in the archive's folder or, for a bucket, in a local work folder:
//
//	.work/NAME.lock         there from before the first byte until nothing is left to
//	                        do, locked by its process (flock; LockFileEx on Windows)
//	.work/NAME.torn-N       what a repair cut off
//	segments/…/NAME.warc.gz.open, .cdxj.open (sorted pieces), .posts.jsonl.gz.open
//	segments/…/NAME.cdxj.tmp the merged index
//
// The WARC is written in whole records, and synced whenever someone waits in
// Sync; nothing is reported saved before that. At the end of a segment the
// index is merged, all is synced, index and posts get their names, then the
// WARC, and the folder is synced; then Options.Finished is told, the files are
// uploaded if they have to be, and the lock file goes.
//
// A process that starts looks through the lock files. One that is not locked
// belongs to a process that died: its WARC is cut behind the last whole record,
// index and posts are made again from it, and the segment is finished as any
// other. So every record that was synced is there after a crash, at the offset
// that was told.
package archive
