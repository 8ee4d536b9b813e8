package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/video"
)

// Clip is the kind of an object that is a group of clips which show the same: its
// key is sha256: and the digest of the first of them. It is told by the captured
// files, not by their addresses.
const Clip = "clip"

// Films gives the captured files, as they come from where they lie.
type Films interface {
	Assets
	// Stream gives the whole file; nil for one that was deleted.
	Stream(ctx context.Context, a Asset) (io.ReadCloser, error)
}

// VideoStats counts what Videos did.
type VideoStats struct {
	Files      int `json:"files"`
	Clips      int `json:"clips"`      // of them new, by their bytes
	Linked     int `json:"linked"`     // of those: that show what an earlier one shows
	Unreadable int `json:"unreadable"` // of those: of which ffmpeg gave no frame, or that are over a limit
	Unread     int `json:"unread"`     // of those: compared by their bytes alone, as there is no ffmpeg
}

// Videos gives the index of clips, to be asked.
func (e *Engine) Videos() (*video.Index, error) {
	if e.videos == nil {
		dir := filepath.Join(e.dir, "videos")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("open the clips: %w", err)
		}
		ix, err := video.Open(dir, video.Options{})
		if err != nil {
			return nil, err
		}
		e.videos = ix
	}
	return e.videos, nil
}

// videoBatch is how many files are made durable together, and clipBatch how many
// of them are clips that were read, at seconds each.
const (
	videoBatch = 500
	clipBatch  = 10
)

// Clips takes the captured clips that are new. With rd nil, as there is no ffmpeg,
// they are compared by their bytes alone, and read when Clips is called with one.
// It returns when all of it is durable, or with the error of ctx when what was
// done until then is.
func (e *Engine) Clips(ctx context.Context, src Films, rd *video.Reader, progress func(VideoStats)) (s VideoStats, err error) {
	if e.failed != nil {
		return s, fmt.Errorf("the narratives stopped after a failure; open them again: %w", e.failed)
	}
	var at int64
	var unread bool
	err = e.db.QueryRowContext(ctx, "SELECT asset, unread FROM videos_taken").Scan(&at, &unread)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("index clips: %w", err)
	}
	if unread && rd != nil { // ffmpeg has come
		if err := e.forgetClips(ctx); err != nil {
			return s, fmt.Errorf("index clips: %w", err)
		}
		at = 0
	}
	for {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		list, err := src.AssetsSince(ctx, at, videoBatch)
		if err != nil || len(list) == 0 {
			return s, err
		}
		taken, err := e.clips(ctx, src, rd, list, &s)
		if err != nil {
			return s, err
		}
		if taken > 0 {
			at = list[taken-1].ID
		}
		if progress != nil {
			progress(s)
		}
	}
}

// forgetClips takes away what is known of clips.
func (e *Engine) forgetClips(ctx context.Context) error {
	if e.videos != nil {
		if err := e.videos.Close(); err != nil {
			return err
		}
		e.videos = nil
	}
	if _, err := e.conn.ExecContext(ctx, "DELETE FROM videos_taken; DELETE FROM video"); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(e.dir, "videos"))
}

// clips takes files in one transaction, and says how many: fewer than all after
// clipBatch clips, or when ctx ends.
func (e *Engine) clips(ctx context.Context, src Films, rd *video.Reader, list []Asset, s *VideoStats) (taken int, err error) {
	ix, err := e.Videos()
	if err != nil {
		return 0, err
	}
	saved := context.WithoutCancel(ctx)
	if _, err := e.conn.ExecContext(saved, "BEGIN IMMEDIATE"); err != nil {
		return 0, fmt.Errorf("index clips: %w", err)
	}
	defer func() {
		if err != nil {
			_, undone := e.conn.ExecContext(saved, "ROLLBACK")
			err = errors.Join(err, undone)
		}
	}()
	for before := s.Clips; taken < len(list) && s.Clips < before+clipBatch && ctx.Err() == nil; taken++ {
		a := list[taken]
		err := e.clip(ctx, ix, src, rd, a, s)
		if err != nil && ctx.Err() != nil {
			break // this one is taken the next time
		}
		if err != nil {
			return 0, fmt.Errorf("index the clip %s (record %s): %w", a.URL, a.Capture.RecordID, err)
		}
	}
	if err := ix.Sync(); err != nil {
		return 0, err
	}
	if taken > 0 {
		if err := e.exec(saved, "INSERT INTO videos_taken (id, asset, unread) VALUES (0, ?, ?) ON CONFLICT DO UPDATE SET asset = excluded.asset, unread = max(unread, excluded.unread)", list[taken-1].ID, s.Unread > 0); err != nil {
			return 0, err
		}
	}
	_, err = e.conn.ExecContext(saved, "COMMIT")
	return taken, err
}

// clip takes one file. What was taken before a crash and not committed is known to
// the index, which gives the same group again.
func (e *Engine) clip(ctx context.Context, ix *video.Index, src Films, rd *video.Reader, a Asset, s *VideoStats) error {
	s.Files++
	key := mediaKey(a.URL)
	if key == "" || !strings.HasPrefix(a.Type, "video/") || len(key) > 1000 {
		return nil
	}
	sum, err := image.ParseDigest(a.SHA256)
	if err != nil {
		return err
	}
	r, known, err := ix.AddKnown(ctx, key, video.Digest(sum))
	if err != nil {
		return err
	}
	if !known {
		c, refused, err := readClip(ctx, src, rd, a)
		if err == nil {
			r, err = ix.Add(ctx, key, video.Digest(sum), c, refused)
		}
		if err != nil {
			return err
		}
		s.Clips++
		switch {
		case len(r.Matches) > 0:
			s.Linked++
		case errors.Is(refused, video.ErrNoFFmpeg):
			s.Unread++
		case refused != nil || r.Outcome == video.Unreadable:
			s.Unreadable++
		}
	}
	return e.exec(context.WithoutCancel(ctx), "INSERT OR IGNORE INTO video (media, gang, sha256, record) VALUES (?, ?, ?, ?)", key, r.Group.String(), a.SHA256, a.Capture.RecordID)
}

// readClip reads the frames of a file. refused says why it has none; err is of
// reading the archive, or of ctx.
func readClip(ctx context.Context, src Films, rd *video.Reader, a Asset) (c video.Clip, refused, err error) {
	if rd == nil {
		return c, video.ErrNoFFmpeg, nil
	}
	f, err := src.Stream(ctx, a)
	if err != nil {
		return c, nil, err
	}
	if f == nil {
		return c, video.ErrNoFrames, nil
	}
	watched := &watchedReader{Reader: f}
	c, refused = rd.Read(ctx, watched)
	err = errors.Join(watched.failed, f.Close(), ctx.Err())
	return c, refused, err
}

// A watchedReader keeps the error of reading, which is not the file's.
type watchedReader struct {
	io.Reader
	failed error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.failed = err
	}
	return n, err
}

// shownBy are the tables of what captured files show, by the kind of object.
var shownBy = map[string]struct{ table, why string }{
	Picture: {"picture", "both show the same picture"},
	Clip:    {"video", "both show the same clip"},
}
