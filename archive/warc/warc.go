// Package warc reads, writes, checks and repairs WARC files: ISO 28500:2017,
// "WARC/1.1", and its elder forms.
//
// # Bytes
//
// A record is
//
//	WARC/1.1 CR LF
//	Name: value CR LF        any number, names without regard to case
//	CR LF
//	block                    exactly Content-Length bytes
//	CR LF CR LF
//
// and a .warc file is records one after the other. In a .warc.gz each record is
// one gzip member (RFC 1952) and each member one record, so that a record can
// be read by the offset of its member. In a .warc.zst each record is one or
// more Zstandard frames (RFC 8878), with the dictionary, if there is one, in a
// skippable frame 0x184D2A5D at the start.
//
// # What is written
//
// WARC/1.1 only. Fields stand in a fixed order, so that equal records give
// equal bytes. Every record has WARC-Type, WARC-Record-ID (a random UUID),
// WARC-Date (UTC, microseconds at most), WARC-Block-Digest and Content-Length;
// records with a payload have WARC-Payload-Digest. Digests are sha256: and
// lower-case hex. The payload of an HTTP message is its body with the transfer
// coding removed and the content coding kept, as the standard defines it;
// wget and others digest the body with its chunk framing instead, which Verify
// tells apart.
//
// Text is deflated; a body that is compressed already is stored, which costs
// one part in a thousand of size and saves nearly all of the time. The head of
// such a record is deflated even so if the record is small.
//
// # What is read
//
// WARC of any version, as .warc, .warc.gz (also when several records or all
// share a member) and .warc.zst, and version 1 of ARC, as .arc and .arc.gz,
// whose records are presented as WARC records. The kind is told from the first
// bytes, not from the name. Reader takes whatever can be understood and keeps a
// list of what was odd (ReadRecord.Oddities); Verify turns that list into a
// verdict, Repair into a sound copy. Memory is bounded whatever the file holds:
// blocks are streamed, headers limited to MaxHeader.
package warc
