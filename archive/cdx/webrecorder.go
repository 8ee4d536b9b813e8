package cdx

import (
	"regexp"
	"slices"
	"strings"

	"github.com/nlnwa/whatwg-url/url"
)

var leadingWWW = regexp.MustCompile(`^(https?://)www\d*\.`)

// WebrecorderKey gives the key under which url stands in the index of a WACZ,
// in the form that warcio.js and ReplayWeb.page compute: like SURT, but by the
// URL standard of browsers, with dot segments alone removed, percent-encoding,
// session ids and the trailing slash kept. What does not begin with http: or
// https:, in lower case, is its own key.
func WebrecorderKey(address string) string {
	if address == "" {
		return "-"
	}
	if !strings.HasPrefix(address, "https:") && !strings.HasPrefix(address, "http:") {
		return opaque(address)
	}
	s := leadingWWW.ReplaceAllString(address, "$1")
	u, err := url.Parse(strings.ToLower(s))
	if err != nil {
		return opaque(s)
	}
	labels := strings.Split(u.Hostname(), ".")
	slices.Reverse(labels)
	var b strings.Builder
	b.WriteString(strings.Join(labels, ","))
	if port := u.Port(); port != "" {
		b.WriteString(":" + port)
	}
	b.WriteByte(')')
	b.WriteString(u.Pathname())
	if search := u.Search(); search != "" {
		args := strings.Split(search[1:], "&")
		slices.Sort(args)
		b.WriteString("?" + strings.Join(args, "&"))
	}
	return b.String()
}
