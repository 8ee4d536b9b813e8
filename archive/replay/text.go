package replay

import "github.com/refrain-archive/refrain/internal/textenc"

// appendText appends text as UTF-8.
func appendText(dst, src []byte, contentType string) []byte {
	src, _ = textenc.Text(src, contentType)
	return append(dst, src...)
}
