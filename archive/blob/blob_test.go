package blob_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/blob"
)

func TestCheckKey(t *testing.T) {
	for _, key := range []string{
		"refrain.json",
		"segments/2026/11/23/refrain-20261123101112345-00001-host.warc.gz",
		"imports/0123abcd.har",
		"log/tile/0/x001/234.p/5",
		"console/com10/nullable", // begin like device names, but are none
		strings.Repeat("a", 200) + "/" + strings.Repeat("b", 200),
	} {
		if err := blob.CheckKey(key); err != nil {
			t.Errorf("CheckKey(%q) = %v, want nil", key, err)
		}
	}
	for _, test := range []struct{ key, says string }{
		{"", "is empty"},
		{"/etc/passwd", "empty element"},
		{"a//b", "empty element"},
		{"a/", "empty element"},
		{"../a", "begins or ends with a dot"},
		{"a/../b", "begins or ends with a dot"},
		{"a/./b", "begins or ends with a dot"},
		{".tmp/x", "begins or ends with a dot"},
		{"a/b.", "begins or ends with a dot"},
		{`a\b`, `'\\'`},
		{"c:/a", "':'"},
		{"a\x00b", `'\x00'`},
		{"a b", "' '"},
		{"A", "'A'"},
		{"é", "'é'"},
		{"a\xff", "'\ufffd'"},
		{"a/nul", "device name"},
		{"com1.txt/a", "device name"},
		{"x.warc.gz.open", "not objects yet"},
		{"x.lock", "not objects yet"},
		{strings.Repeat("a", 201), "more than 200 bytes"},
		{strings.Repeat("a/", 300) + "a", "more than 512"},
	} {
		err := blob.CheckKey(test.key)
		if !errors.Is(err, blob.ErrKey) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("CheckKey(%.40q) = %v, want an ErrKey that says %q", test.key, err, test.says)
		}
	}
}

func FuzzCheckKey(f *testing.F) {
	f.Add("segments/2026/a.warc.gz")
	f.Add("../x")
	f.Add("a\x00/\xff")
	f.Fuzz(func(t *testing.T, key string) {
		if blob.CheckKey(key) != nil {
			return
		}
		if err := blob.CheckPrefix(key); err != nil {
			t.Errorf("key %q is no prefix: %v", key, err)
		}
		if strings.Contains(key, "..") && strings.Contains("/"+key+"/", "/../") || strings.ContainsAny(key, "\\:\x00") || key[0] == '/' {
			t.Errorf("key %q could leave a folder", key)
		}
	})
}
