package wacz

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// CopyRecord appends a record of another WARC to the one that NewWARC began,
// byte for byte, and indexes it: raw is its gzip member, length bytes long, h its
// header and head the HTTP head of its block, nil where it has none. The caller
// has read the record and knows that it is whole.
func (w *Writer) CopyRecord(ctx context.Context, raw io.Reader, length int64, h warc.Header, head *warc.HTTPHead) error {
	if w.cur == nil {
		return errors.New("wacz: CopyRecord without NewWARC before it")
	}
	pos := warc.Position{Offset: w.cur.n, Length: length}
	w.curWARC = nil
	if w.copyBuf == nil {
		w.copyBuf = make([]byte, copyPiece)
	}
	n, err := copyBuffer(ctx, w.cur, raw, w.copyBuf)
	if err == nil && n != length {
		err = fmt.Errorf("it has %d bytes, not %d", n, length)
	}
	if err != nil {
		return fmt.Errorf("wacz: copy record %s to %s: %w", h.RecordID(), w.curName, err)
	}
	l, ok, err := cdx.FromHead(h, head, pos, w.curName, cdx.Options{Key: cdx.WebrecorderKey})
	if err != nil {
		return fmt.Errorf("wacz: index %s: %w", w.curName, err)
	}
	if !ok {
		return nil
	}
	return w.addLine(&l)
}

// WARCSize is how many bytes the WARC that NewWARC began has by now; 0 if there
// is none.
func (w *Writer) WARCSize() int64 {
	if w.cur == nil {
		return 0
	}
	return w.cur.n
}
