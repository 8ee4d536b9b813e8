package narrative

import (
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/narrative/image"
	"github.com/refrain-archive/refrain/narrative/link"
	"github.com/refrain-archive/refrain/narrative/video"
)

// Pictures, videos and addresses become links whose keys are in order, whose kind is
// read from A to B, and whose strength follows the thresholds of their signal.
func TestOtherSignals(t *testing.T) {
	pic := func(query, indexed, score float64, turn image.Turn) image.Match {
		return image.Match{Key: "m:1", QueryShare: query, IndexedShare: indexed, Score: score, Turn: turn, Told: 100}
	}
	clip := func(query, indexed, score float64, distance int) video.Match {
		return video.Match{Key: "m:1", QueryShare: query, IndexedShare: indexed, Score: score, Distance: distance, Speed: 1, Pieces: []video.Piece{{QueryTo: time.Second, IndexedTo: time.Second}}}
	}
	news, _ := link.Options{}.Of("https://news.example/story")
	home, _ := link.Options{}.Of("https://news.example/")
	for _, c := range []struct {
		name string
		l    Link
		kind Kind
		want Strength
		why  string
	}{
		{"the same file", FromImage("a:1", image.Match{Key: "m:1", Same: true, Score: 1}), Copy, Linked, "byte for byte"},
		{"whole and nearly equal", FromImage("a:1", pic(1, 1, .95, 0)), Copy, Linked, "the whole picture"},
		{"whole and edited", FromImage("a:1", pic(1, 1, .6, 0)), EditedCopy, Linked, "60 %"},
		{"mirrored", FromImage("a:1", pic(1, 1, .95, image.Mirrored)), EditedCopy, Linked, "mirrored"},
		{"a crop", FromImage("a:1", pic(1, .6, .9, 0)), Excerpt, Linked, "a crop of it"},
		{"a crop, keys the other way", FromImage("z:1", pic(1, .6, .9, 0)), Contains, Linked, "a crop of it"},
		{"framed", FromImage("a:1", pic(.6, 1, .9, 0)), Contains, Linked, "added around it"},
		{"a common part", FromImage("a:1", pic(.6, .6, .3, 0)), Passage, Possible, "a part that both have"},
		{"no match", FromImage("a:1", pic(1, 1, .1, 0)), EditedCopy, Weak, ""},
		{"a whole video", FromVideo("a:1", clip(1, 1, .9, 12)), Copy, Linked, "0:00.0–0:01.0 show 0:00.0–0:01.0"},
		{"a video encoded anew and changed", FromVideo("a:1", clip(.9, .9, .9, 45)), EditedCopy, Linked, ""},
		{"a cut", FromVideo("z:1", clip(1, .2, .9, 12)), Contains, Linked, ""},
		{"one frame", FromVideo("a:1", clip(.1, .1, .08, 12)), Passage, Possible, ""},
		{"a still", FromStill("z:1", video.Still{Key: "m:1", At: 2 * time.Second, Distance: 4}), Contains, Possible, "2s from its start"},
		{"a rare page", FromURL("z:1", "m:1", news, 100_000, 3), Copy, Linked, "as 3 of 100000 posts do"},
		{"a page many share", FromURL("z:1", "m:1", news, 100_000, 300), Copy, Possible, ""},
		{"a page all share", FromURL("z:1", "m:1", news, 100_000, 30_000), Copy, Weak, ""},
		{"a home page", FromURL("z:1", "m:1", home, 100_000, 3), Copy, Weak, "the site"},
	} {
		if c.l.A >= c.l.B || c.l.Kind != c.kind || c.l.Strength() != c.want || c.l.Why == "" || !strings.Contains(c.l.Why, c.why) {
			t.Errorf("%s: %+v is %s, want %s and %s", c.name, c.l, c.l.Strength(), c.kind, c.want)
		}
	}
}
