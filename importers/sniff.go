package importers

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
)

// gunzipHead gives the start of what a gzip file holds.
func gunzipHead(head []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil
	}
	inner := make([]byte, 64)
	n, _ := io.ReadFull(z, inner) // the head is cut, so an error is usual
	return inner[:n]
}
