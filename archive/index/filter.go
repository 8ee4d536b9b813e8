package index

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/archive/cdx"
)

// A Filter is a condition on a field of a line. ParseFilter makes it.
type Filter struct {
	field string // empty: the whole line
	not   bool
	exact bool
	text  string
	match *regexp.Regexp
}

// ParseFilter reads a filter in the form of pywb's CDX server: [!][=|~]FIELD:TEXT.
// Without = or ~ the field contains TEXT, with = it is TEXT, with ~ TEXT is a
// regular expression (RE2) that holds from the beginning of the field on; !
// means that it does not. Without FIELD: it is about the whole line. Fields are
// urlkey, timestamp, url, mime, status, digest, length, offset, filename and
// whatever else lines have; mimetype, statuscode and original are read too.
func ParseFilter(s string) (Filter, error) {
	text := s
	f := Filter{}
	text, f.not = strings.CutPrefix(text, "!")
	text, f.exact = strings.CutPrefix(text, "=")
	text, regular := text, false
	if !f.exact {
		text, regular = strings.CutPrefix(text, "~")
	}
	if field, rest, ok := strings.Cut(text, ":"); ok {
		f.field, text = canonicalField(field), rest
	}
	f.text = text
	if regular {
		var err error
		if f.match, err = regexp.Compile("^(?:" + text + ")"); err != nil {
			return f, fmt.Errorf("filter %q: %w", s, err)
		}
	}
	return f, nil
}

func (f *Filter) holds(l *cdx.Line) bool {
	value := ""
	if f.field == "" {
		value = l.String()
	} else {
		value, _ = Field(l, f.field)
	}
	var holds bool
	switch {
	case f.match != nil:
		holds = f.match.MatchString(value)
	case f.exact:
		holds = value == f.text
	default:
		holds = strings.Contains(value, f.text)
	}
	return holds != f.not
}
