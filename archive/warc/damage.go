package warc

import (
	"fmt"

	"github.com/klauspost/compress/flate"
)

// A Code names one thing that can be wrong or odd in a file. Codes are stable:
// reports and scripts may rely on them.
type Code string

// What a Reader finds.
const (
	CodeJunk         Code = "junk"             // bytes that are no member or record
	CodeCut          Code = "cut"              // the file ends within a record
	CodeGzip         Code = "gzip"             // a gzip member that cannot be unpacked
	CodeZstd         Code = "zstd"             // a Zstandard frame that cannot be unpacked
	CodeGzipSum      Code = "member-checksum"  // a gzip member or Zstandard frame whose checksum does not fit
	CodeNotRecord    Code = "not-a-record"     // no record begins where one should
	CodeHeader       Code = "header"           // a record header that cannot be understood
	CodeLength       Code = "length"           // Content-Length does not fit the block
	CodeRecordEnd    Code = "record-end"       // a record does not end with two line ends
	CodeSpans        Code = "spans-members"    // one record in several gzip members
	CodeShared       Code = "shared-member"    // several records in one gzip member
	CodeLineEnd      Code = "line-end"         // a header line that ends without CR
	CodeNoColon      Code = "no-colon"         // a header line without a colon
	CodeFolded       Code = "folded-line"      // a header field over several lines
	CodeVersion      Code = "version"          // a version of WARC that is not 1.0 or 1.1
	CodeBlankLines   Code = "blank-lines"      // more line ends between records than there should be
	CodeDuplicateLen Code = "duplicate-length" // two Content-Length fields
	CodeEmptyMember  Code = "empty-member"     // a gzip member without a record
	CodeARC          Code = "arc"              // the file is an ARC, the forerunner of WARC
	CodeUTF8         Code = "header-not-utf8"  // a header with bytes that are not UTF-8
)

// An Oddity is something that a Reader found and could read past.
type Oddity struct {
	Code   Code
	Offset int64 // in the file: of the record or member that it concerns
	Detail string
}

// A Damage says that something at an offset cannot be read. After it, Next goes
// on with the next record that can be found.
type Damage struct {
	Code     Code
	Offset   int64  // in the file: of the record or member that it concerns
	RecordID string // of that record, if its header could be read
	Detail   string
}

func (d *Damage) Error() string {
	if d.RecordID != "" {
		return fmt.Sprintf("warc: record %s at offset %d: %s", d.RecordID, d.Offset, d.Detail)
	}
	return fmt.Sprintf("warc: offset %d: %s", d.Offset, d.Detail)
}

func isFlateError(err error) bool {
	switch err.(type) {
	case flate.CorruptInputError, flate.InternalError:
		return true
	}
	return false
}
