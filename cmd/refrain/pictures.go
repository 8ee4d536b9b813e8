package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/crawlers/asset"
	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/post"
)

// maxPicture is the size in bytes of the largest file that is read as a picture.
const maxPicture = 64 << 20

// files gives the captured files as the engine reads them.
type files struct {
	*corpus.Store
	archive *archive.Archive
}

// AssetsSince implements engine.Assets.
func (f files) AssetsSince(ctx context.Context, after int64, limit int) ([]engine.Asset, error) {
	lines, err := f.Store.AssetsSince(ctx, after, limit)
	var list []engine.Asset
	for _, l := range lines {
		var line struct {
			Facts   asset.Facts  `json:"facts"`
			Capture post.Capture `json:"capture"`
		}
		if err := json.Unmarshal(l.Line, &line); err != nil {
			return nil, fmt.Errorf("what is kept of the file %s cannot be read (run `refrain rebuild`): %w", l.URL, err)
		}
		list = append(list, engine.Asset{ID: l.ID, URL: l.URL, SHA256: line.Facts.SHA256, Type: line.Facts.Type, Capture: line.Capture})
	}
	return list, err
}

// Bytes implements engine.Assets.
func (f files) Bytes(ctx context.Context, a engine.Asset) ([]byte, error) {
	return payload(ctx, f.archive, a.Capture, maxPicture)
}

// payload gives the body of a captured answer, decoded, up to a limit; of a
// revisit that of its original; nothing where an act has deleted it.
func payload(ctx context.Context, arch *archive.Archive, c post.Capture, limit int64) (data []byte, err error) {
	body, err := openPayload(ctx, arch, c, limit)
	if body == nil || err != nil {
		return nil, err
	}
	data, err = io.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

// openPayload is payload, as a stream; nil where an act has deleted it.
func openPayload(ctx context.Context, arch *archive.Archive, c post.Capture, limit int64) (_ io.ReadCloser, err error) {
	rec, err := arch.ReadRecord(ctx, c)
	if err != nil {
		return nil, err
	}
	if original, ok := rec.Original(); ok {
		if err := rec.Close(); err != nil {
			return nil, err
		}
		if rec, err = arch.ReadRecord(ctx, original); err != nil {
			return nil, err
		}
	}
	opened := false
	defer func() {
		if !opened {
			err = errors.Join(err, rec.Close())
		}
	}()
	if rec.Header.Has(archive.DeletedField) {
		return nil, nil // by legal duty: there is nothing to look at
	}
	m, err := warc.ReadHTTP(rec)
	if err != nil {
		return nil, err
	}
	body, err := m.Decoded(limit)
	if err != nil {
		return nil, err
	}
	opened = true
	return &recordBody{body, rec}, nil
}

// A recordBody is the body of an answer with the record that it is read from.
type recordBody struct {
	io.ReadCloser
	rec io.Closer
}

func (b *recordBody) Close() error { return errors.Join(b.ReadCloser.Close(), b.rec.Close()) }

// byImage shows the posts with a picture that shows what a file shows.
func (c similarCmd) byImage(ctx context.Context, a *app, r *reading) error {
	info, err := os.Stat(c.Image)
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	if info.Size() > maxPicture {
		return fmt.Errorf("similar: %s has %d MiB; a picture has at most %d", c.Image, info.Size()>>20, maxPicture>>20)
	}
	data, err := os.ReadFile(c.Image)
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	e, err := a.openForQuery(ctx, r)
	if err != nil {
		return err
	}
	defer closing(&err, e)
	ix, err := e.Images()
	if err != nil {
		return err
	}
	matches, err := ix.Query(data)
	if err != nil {
		return fmt.Errorf("similar: %s: %w", c.Image, err)
	}
	shown := 0
	for _, m := range matches {
		uses, err := ix.Uses(m.Picture)
		if err != nil {
			return err
		}
		var posts []string
		for _, u := range uses {
			keys, err := r.Showing(ctx, u.Key)
			if err != nil {
				return err
			}
			posts = append(posts, keys...)
		}
		if len(posts) == 0 {
			continue
		}
		if shown++; c.Limit > 0 && shown > c.Limit {
			break
		}
		if err := c.printImage(ctx, a, r, narrative.FromImage("", m), uses[0].Key, posts); err != nil {
			return err
		}
	}
	clips, err := c.stills(ctx, a, r, e, data)
	if err != nil {
		return fmt.Errorf("similar: %s: %w", c.Image, err)
	}
	if a.JSON {
		return nil
	}
	if clips > 0 {
		return a.printf("%s, %s in which it may stand", plural(int64(shown), "picture"), plural(int64(clips), "clip"))
	}
	if shown == 0 {
		_, pictures, _ := ix.Size()
		return a.printf("none of the %s shows this", plural(int64(pictures), "captured picture"))
	}
	return a.printf("%s", plural(int64(shown), "picture"))
}

// A similarPicture is one captured picture that shows the same, as JSON.
type similarPicture struct {
	Kind     narrative.Kind     `json:"kind"`
	Score    float64            `json:"score"`
	Strength narrative.Strength `json:"strength"`
	Why      string             `json:"why"`
	Media    string             `json:"media"` // address of the picture
	Posts    []similarPost      `json:"posts"`
}

type similarPost struct {
	Post       string   `json:"post"`
	URL        string   `json:"url,omitempty"`
	Created    string   `json:"created"`
	Record     string   `json:"record"`
	Narratives []string `json:"narratives"`
}

func (c similarCmd) printImage(ctx context.Context, a *app, r *reading, l narrative.Link, media string, posts []string) error {
	out := similarPicture{Kind: l.Kind, Score: l.Score, Strength: l.Strength(), Why: l.Why, Media: media}
	for _, key := range posts {
		p, err := r.newest(ctx, key)
		if err != nil {
			return err
		}
		out.Posts = append(out.Posts, similarPost{Post: key, URL: p.URL, Created: strings.TrimSpace(when(p.Created)), Record: recordOf(&p), Narratives: r.NarrativesOf(key)})
	}
	if a.JSON {
		return a.writeJSON(out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n    %s, %s, score %.2f: %s", media, kindWords(l.Kind), out.Strength, l.Score, l.Why)
	for _, p := range out.Posts {
		fmt.Fprintf(&b, "\n    in %s  %s  %s\n        %s", p.Post, p.Created, p.URL, p.Record)
	}
	return a.printf("%s", b.String())
}
