package warc

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// blockSums are the digests of a block as this package writes them.
type blockSums struct{ block, payload string }

// digestBlock computes the digests of a block in one pass over it. Where the
// payload is the end of the block as it stands, both are fed from one read;
// where chunk framing is in between, the payload is read through it.
func digestBlock(b Block, p *plan, kind string, head *HTTPHead, wantBlock, wantPayload bool, buf []byte) (blockSums, error) {
	var sums blockSums
	start := int64(0) // of the payload
	chunked := false
	if head != nil && (kind == TypeResponse || kind == TypeRequest) {
		start, chunked = head.Size, head.Chunked()
	}
	block, payload := sha256.New(), sha256.New()
	var framed *dechunker
	if wantPayload && chunked {
		framed = newDechunker(payload)
	}
	feed := func(piece []byte, off int64) {
		if wantBlock {
			block.Write(piece)
		}
		if !wantPayload || wantBlock && start == 0 && framed == nil {
			return
		}
		if off < start {
			piece = piece[min(start-off, int64(len(piece))):]
		}
		if framed != nil {
			framed.Write(piece)
		} else {
			payload.Write(piece)
		}
	}
	feed(p.first, 0)
	// p.first lies in buf and is needed again: what follows has a buffer of
	// its own.
	if off := int64(len(p.first)); off < p.size {
		piece := make([]byte, len(buf))
		for off < p.size {
			piece = piece[:min(p.size-off, int64(cap(piece)))]
			if err := readBlock(b, piece, off); err != nil {
				return sums, fmt.Errorf("read the block at %d: %w", off, err)
			}
			feed(piece, off)
			off += int64(len(piece))
		}
	}
	if wantBlock {
		sums.block = formatSHA256(block.Sum(nil))
	}
	switch {
	case !wantPayload:
	case wantBlock && start == 0 && framed == nil:
		sums.payload = sums.block
	case framed != nil && framed.unframed():
		// The header names a framing that the body does not have.
		payload.Reset()
		if _, err := io.Copy(payload, section(b, start)); err != nil {
			return sums, fmt.Errorf("read the payload: %w", err)
		}
		sums.payload = formatSHA256(payload.Sum(nil))
	default:
		sums.payload = formatSHA256(payload.Sum(nil))
	}
	return sums, nil
}
