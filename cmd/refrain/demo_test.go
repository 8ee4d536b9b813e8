package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// The demonstration is the only place where all is known: what was told by whom
// in which way. What the linker makes of it is held here; the whole world is
// judged by `refrain demo`.
func TestDemoFindsTheRefrain(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--quiet", "--json", "demo", "--once", "--small", "--dir", t.TempDir()}, streams{in: strings.NewReader(""), out: &out, err: &errs}); code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	var r demoReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	got := r.Truth
	if r.Found < r.World*3/4 || r.Wrong != 0 {
		t.Errorf("of %d posts %d were found, %d with other words", r.World, r.Found, r.Wrong)
	}
	if got.Told < 60 || percent(got.Together, got.Told) < 95 {
		t.Errorf("%d of %d posts of stories stand together", got.Together, got.Told)
	}
	if got.Ordinary < 60 || 1000*got.FalsePosts > 5*max(got.Ordinary, 200) {
		t.Errorf("%d of %d ordinary posts are linked to what they do not carry", got.FalsePosts, got.Ordinary)
	}
	if got.WrongPairs != 0 {
		t.Errorf("%d of %d pairs of accounts have an ordinary one", got.WrongPairs, got.Pairs)
	}
	for _, s := range got.Stories {
		if s.Platforms < 2 && !strings.HasPrefix(s.Story, "meme-") || len(s.Narrative) == 0 || len(s.Narrative) > len(s.Languages) {
			t.Errorf("story %s: %+v", s.Story, s)
		}
	}
}
