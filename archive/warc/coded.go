package warc

import (
	"bytes"
	"strings"
)

// coded reports whether b, the start of a block of that record, says that the
// block is compressed already, so that deflate would only cost time. head is
// the HTTP head of b where it has one.
func coded(header Header, head *HTTPHead, b []byte) bool {
	kind := mediaType(header.Get("Content-Type"))
	if head != nil {
		if len(head.ContentCodings()) > 0 {
			return true
		}
		kind = head.MediaType()
		b = b[min(head.Size, int64(len(b))):]
		if head.Chunked() {
			_, b, _ = bytes.Cut(b[:min(len(b), 64<<10)], []byte("\n"))
		}
	}
	return codedType(kind) || codedMagic(b)
}

func codedType(kind string) bool {
	top, sub, _ := strings.Cut(kind, "/")
	switch top {
	case "image":
		return !strings.Contains(sub, "svg") && sub != "bmp" && sub != "x-ms-bmp" && sub != "tiff" && sub != "x-icon" && sub != "vnd.microsoft.icon"
	case "video":
		return true
	case "audio":
		return sub != "wav" && sub != "x-wav" && sub != "midi"
	case "application":
		switch sub {
		case "zip", "gzip", "x-gzip", "zstd", "x-bzip2", "x-xz", "x-7z-compressed", "vnd.rar", "x-rar-compressed", "epub+zip", "wacz", "wacz+zip", "font-woff":
			return true
		}
		return strings.HasPrefix(sub, "vnd.openxmlformats-officedocument")
	case "font":
		return sub == "woff" || sub == "woff2"
	}
	return false
}

// codedMagic knows formats by their first bytes.
func codedMagic(b []byte) bool {
	for _, magic := range []string{
		"\x1f\x8b\x08",         // gzip
		"PK\x03\x04",           // zip
		"\x28\xb5\x2f\xfd",     // zstd
		"\xff\xd8\xff",         // JPEG
		"\x89PNG\r\n",          // PNG
		"GIF8",                 // GIF
		"\x1aE\xdf\xa3",        // WebM, Matroska
		"wOFF", "wOF2", "OggS", // fonts, Ogg
		"BZh", "\xfd7zXZ\x00", "7z\xbc\xaf\x27\x1c",
	} {
		if len(b) >= len(magic) && string(b[:len(magic)]) == magic {
			return true
		}
	}
	if len(b) >= 12 {
		return string(b[4:8]) == "ftyp" || string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
	}
	return false
}
