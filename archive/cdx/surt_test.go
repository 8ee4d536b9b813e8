package cdx

import (
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

// surtDiffers are the URLs whose key is not the Internet Archive's, and why.
var surtDiffers = map[string]string{
	"urn:text:http://example.com/":            "urn:text:http://example.com/",            // not http: its own key, not damaged
	"urn:thumbnail:https://example.com/A?b=C": "urn:thumbnail:https://example.com/A?b=C", // likewise
}

func TestSURTGolden(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(sharedtest.Read(t, "conformance/warc/golden/surt-threeway.tsv"))), "\n")[1:]
	if len(lines) != 39 {
		t.Errorf("%d URLs, want 39", len(lines))
	}
	for _, line := range lines {
		f := strings.Split(line, "\t")
		want := f[1]
		if w, ok := surtDiffers[f[0]]; ok {
			want = w
		}
		if got := SURT(f[0]); got != want {
			t.Errorf("SURT(%q) = %q, want %q", f[0], got, want)
		}
	}
}
