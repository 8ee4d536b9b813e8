package crawlers

import "testing"

func TestWireURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://plaza.example/a/../b?q='x'&sig=%2b+#f": "https://plaza.example/a/../b?q='x'&sig=%2b+#f",
		"https://plaza.example/1*桥.png":                 "https://plaza.example/1*%E6%A1%A5.png",
		"https://plaza.example/a b?c d\n":               "https://plaza.example/a%20b?c%20d%0A",
		"https://plaza.example?é":                       "https://plaza.example?%C3%A9",
		"https://bücher.example/ü":                      "https://bücher.example/%C3%BC", // a host is encoded by other rules
		"https://plaza.example/\xff\x7f":                "https://plaza.example/%FF%7F",
		"no address":                                    "no address",
		"https://plaza.example":                         "https://plaza.example",
	} {
		if got := wireURL(address); got != want {
			t.Errorf("wireURL(%q) = %q, want %q", address, got, want)
		}
	}
}
