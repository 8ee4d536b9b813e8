package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/narrative/video"
	"github.com/refrain-archive/refrain/narrative/video/videotest"
)

// videos measures which of the data's videos find each other, which changes of them
// are found, and how often clips are linked that show different things. Videos whose
// names begin alike, up to the first hyphen, show the same.
func videos(dir string, o options) ([]Table, error) {
	names, err := filepath.Glob(filepath.Join(dir, "video", "*.mp4"))
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("videos in %s: %w", filepath.Join(dir, "video"), fs.ErrNotExist)
	}
	reader, err := video.Find()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	tmp, err := os.MkdirTemp("", "refrain-quality-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	b := videoBench{ctx: context.Background(), reader: reader, tmp: tmp}
	pairs, err := b.pairs(names)
	if err != nil {
		return nil, err
	}
	unrelated, err := b.unrelated(max(8/o.each, 2))
	if err != nil {
		return nil, err
	}
	variants, err := b.variants(names, o.each)
	return []Table{pairs, variants, unrelated}, err
}

type videoBench struct {
	ctx    context.Context
	reader video.Reader
	tmp    string
	index  video.Index
}

func scene(key string) string {
	s, _, _ := strings.Cut(key, "-")
	return s
}

// add reads a video, adds it and gives what it matches.
func (b *videoBench) add(path string) (video.Clip, []video.Match, error) {
	key := filepath.Base(path)
	c, refused := b.reader.ReadFile(b.ctx, path)
	matches, err := b.index.Query(c, video.Digest{})
	if err != nil {
		return c, nil, err
	}
	_, err = b.index.Add(b.ctx, key, sha256.Sum256([]byte(path)), c, refused)
	return c, matches, err
}

func (b *videoBench) pairs(names []string) (Table, error) {
	t := Table{Part: "video", Title: "pairs of the data's videos", Columns: []string{"", "pairs", "linked", "possible"}}
	var count, linked, possible [2]int
	var keys []string
	for _, name := range names {
		key := filepath.Base(name)
		for _, other := range keys {
			count[same(scene(other) == scene(key))]++
		}
		keys = append(keys, key)
		_, matches, err := b.add(name)
		if err != nil {
			return t, err
		}
		for _, m := range matches {
			group := same(scene(m.Key) == scene(key))
			if m.Strength() == video.Linked {
				linked[group]++
			} else {
				possible[group]++
			}
			t.Notes = append(t.Notes, fmt.Sprintf("%s and %s: %s", key, m.Key, m.Why()))
		}
	}
	for group, name := range []string{"of one scene", "of different scenes"} {
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(count[group]), fmt.Sprint(linked[group]), fmt.Sprint(possible[group])})
	}
	return t, nil
}

func same(yes bool) int {
	if yes {
		return 0
	}
	return 1
}

func (b *videoBench) unrelated(n int) (Table, error) {
	t := Table{Part: "video", Title: "clips that show different things, each against all before it", Columns: []string{"kind", "clips", "linked", "possible"}}
	clips, linked := 0, 0
	for i, s := range videotest.Sources {
		var of, possible, read int
		for seed := range uint64(n) {
			path := filepath.Join(b.tmp, fmt.Sprintf("unrelated%d.%d-.mp4", i, seed))
			if err := s.Make(b.ctx, b.reader.FFmpeg, seed, path); err != nil {
				return t, err
			}
			c, matches, err := b.add(path)
			if err != nil {
				return t, err
			}
			if len(c.Frames) > 0 {
				read++
			}
			for _, m := range matches {
				if m.Strength() == video.Linked {
					of++
					t.Notes = append(t.Notes, fmt.Sprintf("%s, number %d, and %s: score %.2f, %s", s.Name, seed, m.Key, m.Score, m.Why()))
				} else {
					possible++
				}
			}
			if err := os.Remove(path); err != nil {
				return t, err
			}
		}
		clips, linked = clips+read, linked+of
		t.Rows = append(t.Rows, []string{s.Name, fmt.Sprint(read), fmt.Sprint(of), fmt.Sprint(possible)})
	}
	t.Notes = append(t.Notes, fmt.Sprintf("%d links in %d pairs; the clips are made by narrative/video/videotest; those too flat to be compared are not counted", linked, clips*(clips-1)/2))
	return t, nil
}

func (b *videoBench) variants(names []string, each int) (Table, error) {
	t := Table{Part: "video", Title: "changes of the data's videos (the first ten seconds)", Columns: []string{"change", "videos", "found", "frames", "distance", "other scenes"}}
	for i, v := range videotest.Variants {
		if i%each != 0 {
			continue
		}
		var tried, found, frames, distance, wrong int
		var done []string
		for _, name := range names {
			key := filepath.Base(name)
			known := false
			for _, d := range done {
				known = known || d == scene(key)
			}
			if known { // one video of each scene
				continue
			}
			done = append(done, scene(key))
			path := filepath.Join(b.tmp, "variant.mp4")
			if err := v.Make(b.ctx, b.reader.FFmpeg, name, path); err != nil {
				return t, err
			}
			c, err := b.reader.ReadFile(b.ctx, path)
			if err != nil {
				return t, fmt.Errorf("%s, %s: %w", key, v.Name, err)
			}
			matches, err := b.index.Query(c, video.Digest{})
			if err != nil {
				return t, err
			}
			tried++
			hit := false
			for _, m := range matches {
				if m.Strength() != video.Linked {
					continue
				}
				if m.Key == key {
					hit = true
					frames, distance = frames+m.Frames, distance+m.Distance
				} else if scene(m.Key) != scene(key) {
					wrong++
				}
			}
			if hit {
				found++
			} else {
				t.Notes = append(t.Notes, fmt.Sprintf("not found: %s, %s", key, v.Name))
			}
		}
		t.Rows = append(t.Rows, []string{v.Name, fmt.Sprint(tried), fmt.Sprint(found), fmt.Sprintf("%.1f", float64(frames)/float64(max(found, 1))), fmt.Sprint(distance / max(found, 1)), fmt.Sprint(wrong)})
	}
	t.Notes = append(t.Notes, "frames and distance are means over those found; other scenes counts links to videos of another scene, and to the unrelated clips")
	return t, nil
}
