// Package index is one view over all captures of an archive: of its segments,
// those that are still open too, of the WARC and WACZ files that were imported
// into it, and of those that it is linked to and that lie elsewhere. A look-up
// by URL, prefix, host, domain or digest takes one seek for each of a few sorted
// files, however many captures there are.
//
// # What it is made from
//
// From the CDXJ of each finished segment, or from its WARC where the CDXJ is
// missing or cannot be read; from the records of open segments; and from the
// records of imported and linked files. All of it can be made again: the folder
// may be deleted at any time, and a file in it that is damaged is made anew.
//
// # The folder
//
//	index.json      what is taken in, and of which runs the index consists
//	NUMBER.run      a run: sorted lines, never changed
//	open-*.run      lines of open segments, of one process
//	index.lock      locked while a process changes the index
//
// index.json is replaced as a whole (a temporary file, synced, renamed), after
// the runs that it names were synced. What it does not name is left from a
// process that died, and is removed by the next that changes the index. So a
// crash at any moment leaves the index as it was or as it was going to be.
//
// # A run
//
// All numbers are little-endian unless it says otherwise.
//
//	"refrain index run 2\n"
//	blocks of lines: about 1 KiB, then CRC-32C (4 bytes)
//	pages of digests: up to 32 pairs of 16 bytes, then CRC-32C
//	lengths   of each block without its CRC-32C, as a varint
//	keys      where each block begins: see below
//	first     8 bytes: digest of the first pair of each page
//	filters   two Bloom filters: of keys, and of payload digests
//	the trailer: 10 numbers of 8 bytes, CRC-32C, "\nend of run\n"
//
// Lengths, keys, first and each filter are followed by CRC-32C. The numbers of
// the trailer are how many lines, blocks and pairs there are, and the offsets of
// the pages, the lengths, the keys, first, the two filters and the trailer.
//
// The key of a block is the shortest text that comes after all lines before it
// and not after its first; that of the first block is empty. It is written as
// two varints, how many bytes it shares with the key before and how many follow,
// and those bytes; each 16th shares none.
//
// A run is mapped into memory where the system can do that, for look-ups without
// a system call; what goes from block to block reads it.
//
// A line in a block is its length as a varint, and
//
//	KEY SP TIMESTAMP NUL        KEY is the SURT of the URL in the form of the Internet Archive
//	file      4 bytes, big-endian: number of the file, as index.json gives them
//	offset    8 bytes, big-endian: of the record in that file
//	length    varint
//	digest    see below; of the payload
//	record    digest of the record's bytes as they lie in the file, or none
//	status, mime, url           each its length as a varint, then its bytes
//	extra     number of further fields as a varint, then name and JSON value of each
//
// sorted by its bytes. A digest is a byte, 0 none, 1 sha256: and 32 bytes, 2
// sha1: and 20 bytes, 3 any other text with its length. A pair is the first 8
// bytes of a payload digest, big-endian, and the place of its line: number of
// the block (40 bits) and number of the line in it (24 bits). A key of more than
// 1,000 bytes is cut there, and the SHA-256 of all of it follows.
package index

// Version is the version of the folder's files, in index.json. An index of
// another version is made anew.
//
//	1  2026: runs with block tables, digest pages and Bloom filters
//	2  2026: smaller blocks and pages, keys without what they share
const Version = 2
