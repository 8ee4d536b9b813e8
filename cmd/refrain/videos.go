package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/refrain-archive/refrain/config"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/video"
)

// maxVideo is the size in bytes of the largest file that is read as a clip.
const maxVideo = 2 << 30

// Stream implements engine.Films.
func (f files) Stream(ctx context.Context, a engine.Asset) (io.ReadCloser, error) {
	return openPayload(ctx, f.archive, a.Capture, maxVideo)
}

// findReader gives what reads clips; nil where there is no ffmpeg.
func findReader() (*video.Reader, error) {
	rd, err := video.Find()
	if errors.Is(err, video.ErrNoFFmpeg) {
		return nil, nil
	}
	return &rd, err
}

// indexClips takes the captured clips that are new.
func (a *app) indexClips(ctx context.Context, cfg config.Config, store *corpus.Store, e *engine.Engine) error {
	arch, err := a.openArchive(ctx, cfg, true)
	if err != nil {
		return err
	}
	rd, err := findReader()
	if err != nil {
		return err
	}
	show := newTicker(a)
	s, err := e.Clips(ctx, files{store, arch}, rd, func(s engine.VideoStats) {
		show.tick(func() string {
			return fmt.Sprintf("narratives: %s, %d of them clips that are new", plural(int64(s.Files), "captured file"), s.Clips)
		})
	})
	show.end()
	if s.Unread > 0 {
		a.say("refrain: %s compared by their bytes alone: %v; once it is there, the next `refrain index` reads them", plural(int64(s.Unread), "clip"), video.ErrNoFFmpeg)
	}
	return err
}

// byVideo shows the posts with a clip that shows what a file shows.
func (c similarCmd) byVideo(ctx context.Context, a *app, r *reading) (err error) {
	rd, err := video.Find()
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	f, err := os.Open(c.Video)
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	clip, err := rd.ReadFile(ctx, c.Video)
	if err != nil {
		return fmt.Errorf("similar: %s: %w", c.Video, err)
	}
	e, err := a.openForQuery(ctx, r)
	if err != nil {
		return err
	}
	defer closing(&err, e)
	ix, err := e.Videos()
	if err != nil {
		return err
	}
	matches, err := ix.Query(clip, video.Digest(h.Sum(nil)))
	if err != nil {
		return fmt.Errorf("similar: %s: %w", c.Video, err)
	}
	shown := 0
	for _, m := range matches {
		there, err := c.printClip(ctx, a, r, ix, m.Clip, narrative.FromVideo("", m), c.Limit > 0 && shown >= c.Limit)
		if err != nil {
			return err
		}
		if there {
			shown++
		}
	}
	if a.JSON {
		return nil
	}
	if shown == 0 {
		_, clips, _ := ix.Size()
		return a.printf("none of the %s shows this", plural(int64(clips), "captured clip"))
	}
	return a.printf("%s", plural(int64(shown), "clip"))
}

// printClip shows the posts that have a clip, unless skip. It gives false where
// the corpus has none.
func (c similarCmd) printClip(ctx context.Context, a *app, r *reading, ix *video.Index, clip uint32, l narrative.Link, skip bool) (bool, error) {
	uses, err := ix.Uses(clip)
	if err != nil {
		return false, err
	}
	var posts []string
	for _, media := range uses {
		keys, err := r.Showing(ctx, media)
		if err != nil {
			return false, err
		}
		posts = append(posts, keys...)
	}
	if len(posts) == 0 || skip {
		return false, nil
	}
	return true, c.printImage(ctx, a, r, l, uses[0], posts)
}

// stills shows the clips in which a picture stands: by one frame, so only possible.
func (c similarCmd) stills(ctx context.Context, a *app, r *reading, e *engine.Engine, data []byte) (shown int, err error) {
	img, err := image.Decode(bytes.NewReader(data), image.Limits{})
	if err != nil {
		return 0, err
	}
	ix, err := e.Videos()
	if err != nil {
		return 0, err
	}
	list, err := ix.Stills(img.Grey)
	for _, s := range list {
		if err != nil {
			break
		}
		var there bool
		there, err = c.printClip(ctx, a, r, ix, s.Clip, narrative.FromStill("", s), c.Limit > 0 && shown >= c.Limit)
		if there {
			shown++
		}
	}
	return shown, err
}

// openForQuery opens the narratives' indexes, to be asked.
func (a *app) openForQuery(ctx context.Context, r *reading) (*engine.Engine, error) {
	e, err := engine.Open(ctx, narrativeDir(r.cfg))
	if errors.Is(err, fsys.ErrLocked) {
		return nil, fmt.Errorf("another process has the narratives open: try again when it is done")
	}
	return e, err
}
