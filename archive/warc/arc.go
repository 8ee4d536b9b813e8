package warc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// An arcLine is the header of an ARC record, version 1 or 2:
//
//	URL SP IP-address SP Archive-date SP Content-type SP [… SP] Archive-length LF
type arcLine struct {
	url, ip, date, mime string
	length              int64
}

// parseARC reads an ARC header line. URLs with blanks occur: the fields are
// found from the date, which is 12 to 18 digits.
func parseARC(line string) (arcLine, bool) {
	words := strings.Split(line, " ")
	if len(words) < 5 || len(line) > 64<<10 {
		return arcLine{}, false
	}
	for i := len(words) - 3; i >= 2; i-- {
		if !allDigits(words[i]) || len(words[i]) < 12 || len(words[i]) > 18 {
			continue
		}
		a := arcLine{url: strings.Join(words[:i-1], " "), ip: words[i-1], date: words[i], mime: words[i+1]}
		if colon := strings.IndexByte(a.url, ':'); colon < 1 || !isToken(a.url[:colon]) {
			return arcLine{}, false
		}
		if len(words) < 9 {
			// Version 1; a media type may have a blank.
			a.mime = strings.Join(words[i+1:len(words)-1], " ")
		}
		n, err := strconv.ParseInt(words[len(words)-1], 10, 64)
		if err != nil || n < 0 {
			n = -1
		}
		a.length = n
		return a, true
	}
	return arcLine{}, false
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// header presents the record as a WARC record. The id is made from what the
// line says and where it stands, so that it is the same each time.
func (a arcLine) header(offset int64) Header {
	date := a.date
	if t, err := ParseDate(date[:min(len(date), 14)]); err == nil {
		date = FormatDate(t)
	}
	var h Header
	id := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Appendf(nil, "%d %s %s %d", offset, a.date, a.url, a.length))
	add := func(kind, contentType string) {
		h.Add("WARC-Type", kind)
		h.Add("WARC-Record-ID", "<urn:uuid:"+id.String()+">")
		h.Add("WARC-Date", date)
		if name, ok := strings.CutPrefix(a.url, "filedesc://"); ok {
			h.Add("WARC-Filename", name)
		} else {
			h.Add("WARC-Target-URI", a.url)
			if a.ip != "" && a.ip != "0.0.0.0" && a.ip != "-" {
				h.Add("WARC-IP-Address", a.ip)
			}
		}
		h.Add("Content-Type", contentType)
		h.Add("Content-Length", strconv.FormatInt(a.length, 10))
	}
	scheme, _, _ := strings.Cut(strings.ToLower(a.url), ":")
	switch scheme {
	case "filedesc":
		add(TypeWarcinfo, a.mime)
	case "http", "https":
		add(TypeResponse, "application/http; msgtype=response")
	default:
		add(TypeResource, a.mime)
	}
	return h
}
