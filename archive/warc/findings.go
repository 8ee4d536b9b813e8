package warc

// What Verify finds beyond what Reader does.
const (
	CodeFieldMissing     Code = "field-missing"            // a field that the record type must have
	CodeFieldForbidden   Code = "field-not-allowed"        // a field that the record type must not have
	CodeFieldRepeated    Code = "field-repeated"           // a field that may stand once
	CodeFieldValue       Code = "field-value"              // a field whose value is not of its form
	CodeUnknownType      Code = "unknown-type"             // a record type that the standard does not know
	CodeDate             Code = "date"                     // a WARC-Date that cannot be read
	CodeDateForm         Code = "date-form"                // a WARC-Date in another form than the standard's
	CodeURIBrackets      Code = "uri-brackets"             // <…> around WARC-Target-URI in WARC/1.1
	CodeURI              Code = "uri"                      // WARC-Target-URI is no URI
	CodeDuplicateID      Code = "duplicate-record-id"      // two records with one WARC-Record-ID
	CodeIDsNotChecked    Code = "ids-not-checked"          // more records than are compared
	CodeDangling         Code = "concurrent-to-nothing"    // WARC-Concurrent-To names no record of this file
	CodeNoWarcinfo       Code = "no-warcinfo"              // the file does not begin with a warcinfo record
	CodeEmpty            Code = "empty"                    // no records at all
	CodeBlockDigest      Code = "block-digest"             // WARC-Block-Digest does not fit
	CodeBlockUnabridged  Code = "block-digest-unabridged"  // of a revisit: it is over the block with the body that was left out
	CodePayloadUndefined Code = "payload-undefined"        // a payload digest where there is no HTTP message to take a payload from
	CodePayloadDigest    Code = "payload-digest"           // WARC-Payload-Digest fits nothing
	CodePayloadFramed    Code = "payload-digest-framed"    // it is over the body with its chunk framing
	CodePayloadDecoded   Code = "payload-digest-decoded"   // it is over the unpacked body
	CodePayloadBlock     Code = "payload-digest-block"     // it is over the whole block
	CodePayloadTrunc     Code = "payload-digest-truncated" // it does not fit a body marked as truncated
	CodeDigestSpelling   Code = "digest-spelling"          // an algorithm label or encoding that not all tools read
	CodeDigestUnknown    Code = "digest-unknown"           // a digest that cannot be computed here
	CodeNoDigest         Code = "no-digest"                // a record without WARC-Block-Digest and WARC-Payload-Digest
	CodeNotHTTP          Code = "not-http"                 // application/http without an HTTP message
	CodeFramingRemoved   Code = "framing-removed"          // Transfer-Encoding: chunked over a body without chunks
	CodeFramingBroken    Code = "framing-broken"           // chunks that end early or make no sense
	CodeBodyShort        Code = "body-short"               // less body than the HTTP Content-Length says
	CodeBodyTruncated    Code = "body-truncated"           // likewise, and WARC-Truncated says so
	CodeHTTPStatusLine   Code = "http-status-line"         // HTTP/2 in the status line, which some readers refuse
	CodeContentTypeNone  Code = "no-content-type"          // a block without a Content-Type
)

// Severity says what a Finding means for the file.
type Severity string

// The severities.
const (
	SeverityRemark Severity = "remark" // odd, but all of it can be read and nothing is lost
	SeverityDamage Severity = "damage" // something is lost, changed, or cannot be told
)

// damaging are the codes that make a file damaged. CodeShared is decided for
// the file as a whole.
var damaging = map[Code]bool{
	CodeJunk:          true,
	CodeCut:           true,
	CodeGzip:          true,
	CodeZstd:          true,
	CodeGzipSum:       true,
	CodeNotRecord:     true,
	CodeHeader:        true,
	CodeLength:        true,
	CodeSpans:         true,
	CodeDuplicateLen:  true,
	CodeFieldMissing:  true,
	CodeDate:          true,
	CodeDuplicateID:   true,
	CodeBlockDigest:   true,
	CodePayloadDigest: true,
}

// meanings say in one sentence what a code means for the user of the file.
var meanings = map[Code]string{
	CodeJunk:             "Bytes stand here that belong to no record; what they were is lost.",
	CodeCut:              "The file ends in the middle of this record: the last write was interrupted, or a copy is incomplete.",
	CodeGzip:             "This gzip member cannot be unpacked; its record, or a part of it, is lost.",
	CodeZstd:             "This Zstandard frame cannot be unpacked; its record, or a part of it, is lost.",
	CodeGzipSum:          "The content of this member is not what its checksum was made from: bytes have changed.",
	CodeNotRecord:        "No record begins where one must; readers that are less patient stop here.",
	CodeHeader:           "The header of this record cannot be understood, so its end is not known.",
	CodeLength:           "The record is longer or shorter than it says; readers that go by its length stop here.",
	CodeRecordEnd:        "The two line ends after the block are not there; the record itself is whole.",
	CodeSpans:            "The record lies in several gzip members; it cannot be read by its offset alone.",
	CodeShared:           "Several records share a gzip member, so none of them can be read by an offset and no index of the file works; repair writes a copy with one member for each.",
	CodeLineEnd:          "Header lines end with LF instead of CR LF.",
	CodeNoColon:          "A header line that is no field is passed over.",
	CodeFolded:           "A field over several lines was allowed once; some readers take only its first line.",
	CodeVersion:          "The file is of another version of the format than 1.0 and 1.1.",
	CodeBlankLines:       "Empty lines between records are passed over.",
	CodeDuplicateLen:     "Two lengths for one block: readers may disagree where it ends.",
	CodeEmptyMember:      "A gzip member without content is passed over.",
	CodeARC:              "The file is an ARC, the forerunner of WARC: it can be read, and carries no digests to check.",
	CodeUTF8:             "A header has bytes that are not UTF-8; they are kept as they are.",
	CodeFieldMissing:     "A field is missing without which the record cannot be used as evidence of anything.",
	CodeFieldForbidden:   "The standard does not allow this field here; readers pass over it.",
	CodeFieldRepeated:    "The standard allows this field once; the first one counts.",
	CodeFieldValue:       "The value of this field is not of the form that the standard wants.",
	CodeUnknownType:      "Readers pass over records of an unknown type.",
	CodeDate:             "It cannot be told when this was captured.",
	CodeDateForm:         "The date can be read, but is not in the form of the standard.",
	CodeURIBrackets:      "Some readers take the angle brackets as a part of the address.",
	CodeURI:              "The address is not a URI as it stands; it is kept as it is.",
	CodeDuplicateID:      "Two records claim one id: what refers to it may mean either.",
	CodeIDsNotChecked:    "Record ids are compared only up to a number of records that fits in memory.",
	CodeDangling:         "The record that belongs to this one is not in this file.",
	CodeNoWarcinfo:       "Nothing in the file says which program wrote it and how.",
	CodeEmpty:            "The file holds no records.",
	CodeBlockDigest:      "The block is not what its digest was made from: bytes have changed since it was written.",
	CodePayloadDigest:    "The payload digest fits neither the payload nor anything that other tools digest instead.",
	CodeBlockUnabridged:  "The digest was made before the body was left out, as older versions of warcio did; it fits.",
	CodePayloadUndefined: "The block is no HTTP message, so what its payload was cannot be told; the block itself is checked by its own digest.",
	CodePayloadFramed:    "The payload digest is over the body with its chunk framing, as wget and older tools write it; it fits.",
	CodePayloadDecoded:   "The payload digest is over the unpacked body; it fits.",
	CodePayloadBlock:     "The payload digest is over the whole block; it fits.",
	CodePayloadTrunc:     "The payload was cut while it was captured, and its digest is not of what is here; it cannot be checked.",
	CodeDigestSpelling:   "The digest fits, but is spelled in a way that not all tools read.",
	CodeDigestUnknown:    "The digest is of a kind that cannot be computed here.",
	CodeNoDigest:         "The record has no digest: nothing tells whether it has changed.",
	CodeNotHTTP:          "The block should be an HTTP message and is not one.",
	CodeFramingRemoved:   "An archiver removed the chunk framing and kept the header that names it.",
	CodeFramingBroken:    "The chunks of the body end early or are malformed: the connection broke, or the server was wrong.",
	CodeBodyShort:        "The body has fewer bytes than the server announced, and the record does not say that it was cut.",
	CodeBodyTruncated:    "The body was cut while it was captured, as the record says.",
	CodeHTTPStatusLine:   "HTTP/2 in a status line is refused by some readers.",
	CodeContentTypeNone:  "Nothing says what the block is.",
}

// Meaning says in one sentence what a code means for the user of a file.
func (c Code) Meaning() string { return meanings[c] }

// Severity says what the code means for a file by itself.
func (c Code) Severity() Severity {
	if damaging[c] {
		return SeverityDamage
	}
	return SeverityRemark
}

// A Finding is one thing that Verify found.
type Finding struct {
	File     string   `json:"file"`
	Offset   int64    `json:"offset"` // of the record or member in File
	RecordID string   `json:"record_id,omitempty"`
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Detail   string   `json:"detail"`  // what was found here
	Meaning  string   `json:"meaning"` // what that means

	number int64 // of the record in the file, where it is not the present one
}

// Verdict says of a file whether it can be relied on.
type Verdict string

// The verdicts.
const (
	Sound            Verdict = "sound"
	SoundWithRemarks Verdict = "sound with remarks" // all can be read, something is odd
	Damaged          Verdict = "damaged"
)
