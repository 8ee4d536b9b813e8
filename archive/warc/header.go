package warc

import "strings"

// A Field is one named field of a record header or of an HTTP head.
type Field struct{ Name, Value string }

// A Header is a list of fields in the order in which they stand in the record.
// Names are compared without regard to case. The zero Header is empty and ready
// to use.
type Header []Field

// sameName compares names of fields, most of which differ in length.
func sameName(a, b string) bool {
	return len(a) == len(b) && (a == b || strings.EqualFold(a, b))
}

// Get gives the value of the first field called name, or "".
func (h Header) Get(name string) string {
	for i := range h {
		if sameName(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has reports whether a field called name is there, even an empty one.
func (h Header) Has(name string) bool {
	for i := range h {
		if sameName(h[i].Name, name) {
			return true
		}
	}
	return false
}

// Values gives the values of all fields called name, in order.
func (h Header) Values(name string) []string {
	var all []string
	for i := range h {
		if sameName(h[i].Name, name) {
			all = append(all, h[i].Value)
		}
	}
	return all
}

// Add appends a field.
func (h *Header) Add(name, value string) { *h = append(*h, Field{name, value}) }

// Set gives the first field called name that value, removes further ones of
// that name, and appends the field where there is none.
func (h *Header) Set(name, value string) {
	kept, found := (*h)[:0], false
	for _, f := range *h {
		if sameName(f.Name, name) {
			if found {
				continue
			}
			f.Value, found = value, true
		}
		kept = append(kept, f)
	}
	if !found {
		kept = append(kept, Field{name, value})
	}
	*h = kept
}

// Del removes all fields called name.
func (h *Header) Del(name string) {
	kept := (*h)[:0]
	for _, f := range *h {
		if !sameName(f.Name, name) {
			kept = append(kept, f)
		}
	}
	*h = kept
}

// Clone gives a copy that shares nothing with h.
func (h Header) Clone() Header { return append(Header(nil), h...) }

// The record types of WARC/1.1, section 6.
const (
	TypeWarcinfo     = "warcinfo"
	TypeResponse     = "response"
	TypeResource     = "resource"
	TypeRequest      = "request"
	TypeMetadata     = "metadata"
	TypeRevisit      = "revisit"
	TypeConversion   = "conversion"
	TypeContinuation = "continuation"
)

// Type gives the record type in lower case, or "".
func (h Header) Type() string { return strings.ToLower(h.Get("WARC-Type")) }

// RecordID gives WARC-Record-ID without its angle brackets: urn:uuid:….
func (h Header) RecordID() string { return TrimID(h.Get("WARC-Record-ID")) }

// TargetURI gives WARC-Target-URI without the angle brackets that some older
// writers put around it.
func (h Header) TargetURI() string { return TrimID(h.Get("WARC-Target-URI")) }

// TrimID removes blanks and one pair of angle brackets around s.
func TrimID(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}

// fieldOrder is the order in which Writer writes the fields that it knows.
// Others follow in the order of the record, before Content-Type and
// Content-Length, which are last.
var fieldOrder = []string{
	"WARC-Type",
	"WARC-Record-ID",
	"WARC-Date",
	"WARC-Filename",
	"WARC-Target-URI",
	"WARC-Warcinfo-ID",
	"WARC-Concurrent-To",
	"WARC-Refers-To",
	"WARC-Refers-To-Target-URI",
	"WARC-Refers-To-Date",
	"WARC-Profile",
	"WARC-IP-Address",
	"WARC-Protocol",
	"WARC-Cipher-Suite",
	"WARC-Truncated",
	"WARC-Identified-Payload-Type",
	"WARC-Block-Digest",
	"WARC-Payload-Digest",
}

// ordered gives the fields of h in the order in which Writer writes them.
// Fields of one name keep their order among themselves.
func (h Header) ordered() Header {
	sorted := make(Header, 0, len(h))
	used := make([]bool, len(h))
	take := func(name string) {
		for i := range h {
			if !used[i] && sameName(h[i].Name, name) {
				sorted, used[i] = append(sorted, h[i]), true
			}
		}
	}
	for _, name := range fieldOrder {
		take(name)
	}
	for i := range h {
		if !used[i] && !sameName(h[i].Name, "Content-Type") && !sameName(h[i].Name, "Content-Length") {
			sorted, used[i] = append(sorted, h[i]), true
		}
	}
	take("Content-Type")
	take("Content-Length")
	return sorted
}
