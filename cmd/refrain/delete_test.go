package main

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/internal/s3test"
)

// victim is a post of an archive with words of its own.
func victim(t testing.TB, posts map[string]string) (key, words string) {
	t.Helper()
	for k, text := range posts {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		last := lines[len(lines)-1]
		if strings.HasPrefix(k, "tumblr:") && len(last) > 40 && !strings.Contains(last, `"`) {
			alone := true
			for other, t := range posts {
				alone = alone && (other == k || !strings.Contains(t, last[:40]))
			}
			if alone && (key == "" || k < key) {
				key, words = k, last[:40]
			}
		}
	}
	if key == "" {
		t.Fatal("no post has words of its own")
	}
	return key, words
}

// A deletion takes the words out of every file of the archive, is recorded, is no
// damage, and everything else stays as it was.
func TestDelete(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	want := d.posts(t)
	key, words := victim(t, want)
	has := func() (n int) {
		for _, ending := range []string{".warc.gz", ".posts.jsonl.gz"} {
			for _, name := range d.files(t, ending) {
				n += strings.Count(gunzip(t, name), words)
			}
		}
		return n
	}
	if has() < 2 {
		t.Fatalf("the words %q are not in the archive", words)
	}
	d.must(t, exitUsage, "delete", key)
	out, _ := d.must(t, exitDone, "delete", key, "--reason", "personal data", "--authority", "AG Kassel 12 C 345/26")
	if !strings.Contains(out, "Nothing was changed") || has() < 2 {
		t.Fatalf("without --yes: %s", out)
	}
	out, _ = d.must(t, exitDone, "--json", "delete", key, "--reason", "personal data", "--authority", "AG Kassel 12 C 345/26", "--yes")
	var act archive.Act
	if err := json.Unmarshal([]byte(out), &act); err != nil || !act.Done || len(act.Files) < 2 || len(act.Records) < 2 || len(act.Holds) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	if n := has(); n > 0 {
		t.Errorf("the words are still there %d times", n)
	}
	delete(want, key)
	compare(t, "after the deletion", d.posts(t), want)
	d.must(t, exitDone, "rebuild")
	compare(t, "after a rebuild", d.posts(t), want)
	verified, _ := d.must(t, exitDone, "verify")
	if !strings.Contains(verified, "was deleted by a recorded act") || strings.Contains(verified, ": damaged") {
		t.Errorf("verify says\n%s", verified)
	}
	name := filepath.Join(t.TempDir(), "rest.wacz")
	d.must(t, exitDone, "export", "--wacz", name, "--all")
	d.must(t, exitDone, "verify", name)
	found := false
	arch := d.open(t)
	for seg, err := range arch.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for line, err := range arch.Posts(t.Context(), seg.Name) {
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(line.Page), `"authority":"AG Kassel 12 C 345/26"`)
		}
	}
	if !found {
		t.Error("the act is not recorded in the archive")
	}
	// The same command again: the post is not known any more.
	d.must(t, exitUsage, "delete", key, "--reason", "x", "--authority", "y", "--yes")
}

// What lies under an object lock is held: neither shown nor exported, and its
// lock's end is told.
func TestDeleteHeld(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/delete", server.SecretKey, 30))
	d.must(t, exitDone, collectArgs(world)...)
	want := d.posts(t)
	key, words := victim(t, want)
	out, _ := d.must(t, exitDone, "delete", key, "--reason", "personal data", "--authority", "AG Kassel 12 C 345/26", "--yes")
	if !strings.Contains(out, "its lock ends on ") || !strings.Contains(out, "held: segments/") {
		t.Errorf("the hold is not told: %s", out)
	}
	delete(want, key)
	compare(t, "held", d.posts(t), want)
	d.must(t, exitDone, "rebuild")
	compare(t, "held, after a rebuild", d.posts(t), want)
	d.sound(t)
	// In replay the answer names the act, whatever form is asked for.
	var act archive.Act
	acts, _ := d.must(t, exitDone, "--json", "show", archive.DeleteURL)
	var known shown
	if err := json.Unmarshal([]byte(acts), &known); err != nil || len(known.Fetches) == 0 {
		t.Fatalf("%v: %s", err, acts)
	}
	if err := json.Unmarshal(known.Fetches[len(known.Fetches)-1], &act); err != nil || len(act.Records) == 0 {
		t.Fatalf("%v: %s", err, known.Fetches)
	}
	served := d.serve(t, 1)
	withheld := 0
	for _, rec := range act.Records {
		if !strings.HasPrefix(rec.URL, "http") {
			continue
		}
		resp, body := ask(t, served.urls[0]+"/archive/2200if_/"+rec.URL)
		for i := 0; i < 5 && resp.StatusCode == http.StatusFound; i++ {
			resp, body = ask(t, served.urls[0]+resp.Header.Get("Location"))
		}
		if strings.Contains(body, words) {
			t.Errorf("the words are shown at %s", rec.URL)
		}
		if resp.StatusCode == http.StatusUnavailableForLegalReasons && strings.Contains(body, act.ID) {
			withheld++
		}
	}
	served.interrupt()
	if withheld == 0 {
		t.Errorf("no answer of the replay names the act %s: %v", act.ID, act.Records)
	}
	name := filepath.Join(t.TempDir(), "rest.wacz")
	r := exportReport(t, first(d.must(t, exitDone, "--json", "export", "--wacz", name, "--all")))
	if len(r.Withheld) == 0 {
		t.Error("nothing is withheld")
	}
	f := openWACZ(t, name)
	for _, w := range f.WARCs() {
		rc, err := f.Open(w)
		if err != nil {
			t.Fatal(err)
		}
		if text := gunzipped(t, rc); strings.Contains(text, words) {
			t.Errorf("the words are in %s", w)
		}
		rc.Close()
	}
}
