package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
)

// rest makes index and posts file of a segment's WARC anew, beside it, where they
// are not there. It gives the names of the files that it made.
func (c repairCmd) rest(ctx context.Context, name string) (made []string, err error) {
	stem := strings.TrimSuffix(name, archive.WARCEnding)
	for _, part := range []struct {
		name  string
		write func(context.Context, string, io.Writer) (int64, error)
	}{{stem + archive.IndexEnding, writeIndexOf}, {stem + archive.PostsEnding, writePostsOf}} {
		lines := int64(0)
		err := c.write(part.name, func(w io.Writer) (err error) {
			lines, err = part.write(ctx, name, w)
			if err == nil && lines == 0 {
				err = errNoLines
			}
			return err
		})
		if errors.Is(err, errNoLines) {
			continue // a segment without posts has no posts file
		}
		if err != nil {
			return made, err
		}
		made = append(made, part.name)
	}
	return made, nil
}

var errNoLines = errors.New("no lines")

// writeIndexOf writes the CDXJ of a WARC.
func writeIndexOf(ctx context.Context, name string, w io.Writer) (lines int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	sorter := cdx.NewSorter(cdx.SortOptions{})
	defer func() { err = errors.Join(err, sorter.Close()) }()
	stats, err := cdx.Index(ctx, bufio.NewReaderSize(f, 1<<20), filepath.Base(name), cdx.IndexOptions{}, sorter.Add)
	if err != nil {
		return 0, err
	}
	_, err = sorter.WriteTo(w)
	return stats.Lines, err
}

// writePostsOf writes the posts file of a segment's WARC: a line for each record of
// a post or of what an exchange said, in their order.
func writePostsOf(ctx context.Context, name string, w io.Writer) (lines int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // only read
	r, err := warc.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return 0, err
	}
	out := gzip.NewWriter(w)
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		rec, err := r.Next()
		if err == io.EOF {
			return lines, out.Close()
		}
		if err != nil {
			return 0, err
		}
		member, ok := archive.MemberOf(rec.Header.TargetURI())
		if !ok || rec.Header.Type() != warc.TypeResource {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(rec, maxPostsLine))
		if err != nil {
			return 0, err
		}
		if !json.Valid(data) {
			return 0, fmt.Errorf("the block of record %s is not JSON", rec.ID())
		}
		id, err := json.Marshal(rec.ID())
		if err != nil {
			return 0, err
		}
		if _, err := fmt.Fprintf(out, `{"record_id":%s,"offset":%d,"%s":%s}`+"\n", id, rec.Offset, member, data); err != nil {
			return 0, err
		}
		lines++
	}
}
