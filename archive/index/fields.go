package index

import (
	"encoding/json"
	"strconv"

	"github.com/refrain-archive/refrain/archive/cdx"
)

// canonicalField gives the name of a field for one of its other names.
func canonicalField(name string) string {
	switch name {
	case "mimetype":
		return "mime"
	case "statuscode":
		return "status"
	case "original":
		return "url"
	case "key", "surt":
		return "urlkey"
	}
	return name
}

// Field gives the value of a field as text, and whether the line has it. A value
// that is neither a string nor a number is given as JSON.
func Field(l *cdx.Line, name string) (string, bool) {
	value := ""
	switch name {
	case "urlkey":
		value = l.Key
	case "timestamp":
		value = l.Timestamp
	case "url":
		value = l.URL
	case "mime":
		value = l.MIME
	case "status":
		value = l.Status
	case "digest":
		value = l.Digest
	case "length":
		if l.Length <= 0 {
			return "", false
		}
		value = strconv.FormatInt(l.Length, 10)
	case "offset":
		if l.Offset < 0 {
			return "", false
		}
		value = strconv.FormatInt(l.Offset, 10)
	case "filename":
		value = l.Filename
	case "recordDigest":
		value = l.RecordDigest
	default:
		for _, x := range l.Extra {
			if x.Name == name {
				var s string
				if json.Unmarshal(x.Value, &s) == nil {
					return s, true
				}
				return string(x.Value), true
			}
		}
		return "", false
	}
	return value, value != ""
}
