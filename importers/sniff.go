package importers

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
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

// unzstdHead gives the start of what a Zstandard file holds; nil if it cannot
// be unpacked without a dictionary.
func unzstdHead(head []byte) []byte {
	z, err := zstd.NewReader(bytes.NewReader(head), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil
	}
	defer z.Close()
	inner := make([]byte, 64)
	n, _ := io.ReadFull(z, inner) // the head may be cut, so an error is usual
	return inner[:n]
}
