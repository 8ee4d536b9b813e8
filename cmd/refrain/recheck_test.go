package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/post"
)

// One post is deleted, one edited, and one hidden behind a wall: recheck tells
// them apart.
func TestRecheck(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	inner, err := demoweb.Start(t.Context(), world)
	if err != nil {
		t.Fatal(err)
	}
	var walled atomic.Value
	walled.Store("no account")
	s := serveHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _ := walled.Load().(string)
		if strings.HasPrefix(r.Host, host+".") || strings.HasPrefix(r.Host, "www.tumblr.") && strings.Contains(r.RequestURI, host) && !strings.HasPrefix(r.URL.Path, "/login_required") {
			http.Redirect(w, r, "https://www.tumblr.com/login_required/"+host, http.StatusFound)
			return
		}
		inner.ServeHTTP(w, r)
	}), func() { _ = inner.Close() })
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)

	var tumblr []*demoweb.Account
	for _, a := range world.Accounts {
		if a.Platform == demoweb.Tumblr && a.State == "" {
			tumblr = append(tumblr, a)
		}
	}
	if len(tumblr) < 2 || len(tumblr[0].Posts()) < 3 {
		t.Fatal("the world is too small")
	}
	deleted, edited, stays := tumblr[0].Posts()[0], tumblr[0].Posts()[1], tumblr[0].Posts()[2]
	hidden := tumblr[1].Posts()[0]
	world.Remove(deleted)
	edited.Text = "Yesterday " + edited.Text
	walled.Store(tumblr[1].Handle)

	out, errs := d.must(t, exitPartly, "--json", "recheck", "platform:tumblr", "kind:post")
	rows := map[string]recheckedRow{}
	for line := range strings.Lines(out) {
		var row recheckedRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		rows[row.Post] = row
	}
	key := func(p *demoweb.Post) string { return "tumblr:" + p.ID }
	if row := rows[key(deleted)]; row.Now.Scope() != post.ScopeTarget || row.Gone < 2 {
		t.Errorf("deleted: %+v, want it gone by two routes\n%s", row, errs)
	}
	if row := rows[key(edited)]; row.Now != post.OK || !row.Changed {
		t.Errorf("edited: %+v, want it served and changed", row)
	}
	if row := rows[key(stays)]; row.Now != post.OK || row.Changed || row.Gone != 0 {
		t.Errorf("as it was: %+v", row)
	}
	if row := rows[key(hidden)]; row.Now.Scope() != post.ScopeUs || row.Gone != 0 {
		t.Errorf("behind a wall: %+v, want no word on the post", row)
	}

	standing := func(p *demoweb.Post) corpus.View {
		out, _ := d.must(t, exitDone, "--json", "show", key(p))
		var s struct{ Posts []corpus.View }
		if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Posts) != 1 {
			t.Fatalf("show %s: %v\n%s", key(p), err, out)
		}
		return s.Posts[0]
	}
	if v := standing(deleted); v.Gone < 2 || v.Standing.Scope() != post.ScopeTarget || !strings.Contains(v.Post.Text, strings.Fields(deleted.Text)[0]) {
		t.Errorf("show of the deleted post: standing %s by %d routes, %q", v.Standing, v.Gone, v.Post.Text)
	}
	if v := standing(hidden); v.Gone != 0 || v.Standing.Scope() != post.ScopeServed {
		t.Errorf("show of the post behind a wall: standing %s by %d routes", v.Standing, v.Gone)
	}
	out, _ = d.must(t, exitDone, "show", key(edited))
	if !strings.Contains(out, "{+Yesterday+}") {
		t.Errorf("show of the edited post has no diff:\n%s", out)
	}
	out, _ = d.must(t, exitDone, "show", key(deleted))
	if !strings.Contains(out, "(by 2 routes)") {
		t.Errorf("show of the deleted post does not count routes:\n%s", out)
	}
	// The words are still found.
	if out, _ = d.must(t, exitDone, "--json", "search", "-n", "0", "platform:tumblr"); !strings.Contains(out, key(deleted)[len("tumblr:"):]) {
		t.Error("the deleted post is not found any more")
	}
}
