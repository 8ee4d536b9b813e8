package crawlers

import (
	"fmt"
	"strings"
)

// wireURL gives an address as it can stand in a request line and in
// WARC-Target-URI: spaces, controls and bytes beyond ASCII behind the host are
// percent-encoded, as browsers do. Nothing else is changed.
func wireURL(address string) string {
	bare := func(c byte) bool { return c <= ' ' || c >= 0x7f }
	start := strings.Index(address, "://") + 3
	if start < 3 {
		return address
	}
	for start < len(address) && !strings.ContainsRune("/?#", rune(address[start])) {
		start++
	}
	var b strings.Builder
	done := 0
	for i := start; i < len(address); i++ {
		if bare(address[i]) {
			b.WriteString(address[done:i])
			fmt.Fprintf(&b, "%%%02X", address[i])
			done = i + 1
		}
	}
	if done == 0 {
		return address
	}
	b.WriteString(address[done:])
	return b.String()
}
