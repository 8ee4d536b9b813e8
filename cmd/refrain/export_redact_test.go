package main

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/post"
)

// decodedBodies gives the bodies of the responses of a WARC, unpacked.
func decodedBodies(t testing.TB, text string, f func(url, body string)) {
	t.Helper()
	r, err := warc.NewReaderAt(strings.NewReader(text), int64(len(text)), 0)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Header.Type() != warc.TypeResponse {
			continue
		}
		m, err := warc.ReadHTTP(rec)
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Decoded(0)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(d)
		if err != nil {
			t.Fatalf("%s: %v", rec.Header.TargetURI(), err)
		}
		d.Close()
		f(rec.Header.TargetURI(), string(body))
	}
}

// No string of the list is in any byte of what is exported, however it is written
// there; the package is sound and says what was redacted, and the archive is as it
// was.
func TestExportRedact(t *testing.T) {
	t.Parallel()
	world := tinyWorld()
	d := newDesk(t, serve(t, world), "")
	d.must(t, exitDone, append(collectArgs(world), "--media")...)
	dir := t.TempDir()
	all := filepath.Join(dir, "all.jsonl")
	d.must(t, exitDone, "export", "--jsonl", all, "--all")
	text, err := os.ReadFile(all)
	if err != nil {
		t.Fatal(err)
	}
	// What goes: handles, names, and words of a post.
	secrets := map[string]bool{}
	platforms := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var p post.Post
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if len(p.Account.Handle) > 5 && !platforms[p.Platform] {
			platforms[p.Platform] = true
			secrets[strings.ToLower(p.Account.Handle)] = true
			if len(p.Account.Name) > 5 {
				secrets[strings.ToLower(p.Account.Name)] = true
			}
		}
	}
	if len(secrets) < 3 {
		t.Fatalf("the posts name hardly anybody: %v", secrets)
	}
	list := filepath.Join(dir, "names.txt")
	var lines strings.Builder
	for s := range secrets {
		lines.WriteString(s + "\n")
	}
	if err := os.WriteFile(list, []byte(lines.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	clean := func(where, s string) {
		t.Helper()
		for level := range 3 {
			lower := strings.ToLower(s)
			for secret := range secrets {
				if i := strings.Index(lower, secret); i >= 0 {
					t.Fatalf("%s: %q is left at level %d: …%s…", where, secret, level, lower[max(0, i-60):min(len(lower), i+60)])
				}
			}
			s = html.UnescapeString(s)
			if u, err := url.PathUnescape(strings.ReplaceAll(s, "%", "%25")); err == nil && level > 0 {
				s = u
			}
		}
	}
	before := map[string]string{}
	for _, ending := range []string{".warc.gz", ".cdxj", ".posts.jsonl.gz"} {
		for _, name := range d.files(t, ending) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before[name] = string(b)
		}
	}
	for _, c := range []struct {
		name string
		args []string
	}{
		{"whole", []string{"--all"}},
		{"kept", []string{"platform:tumblr", "--keep-binary"}},
		{"query", []string{"platform:reddit,web"}},
	} {
		name := filepath.Join(dir, c.name)
		args := append([]string{"--json", "export", "--wacz", name + ".wacz", "--jsonl", name + ".jsonl", "--csv", name + ".csv", "--redact", list, "--redact", "email", "--redact", "phone"}, c.args...)
		out, _ := d.must(t, exitDone, args...)
		r := exportReport(t, out)
		if r.Redaction == nil || r.Redaction.Kinds["name"] == 0 || r.Redaction.Records == 0 || len(r.Redaction.List) == 0 {
			t.Fatalf("%s: the report does not say what was redacted: %s", c.name, out)
		}
		if kept := c.name == "kept"; kept != (r.Redaction.Binary == "kept") {
			t.Errorf("%s: binary payloads are %s", c.name, r.Redaction.Binary)
		}
		f := openWACZ(t, name+".wacz")
		pages := 0
		for _, entry := range f.Names() {
			rc, err := f.Open(entry)
			if err != nil {
				t.Fatal(err)
			}
			s := ""
			if strings.HasSuffix(entry, ".gz") {
				s = gunzipped(t, rc)
			} else if b, err := io.ReadAll(rc); err == nil {
				s = string(b)
			} else {
				t.Fatal(err)
			}
			rc.Close()
			clean(c.name+" "+entry, s)
			if strings.HasPrefix(entry, "pages/") {
				pages += strings.Count(s, "redacted-name-")
			}
			if strings.HasSuffix(entry, ".warc.gz") {
				decodedBodies(t, s, func(url, body string) { clean(c.name+" "+url, body) })
			}
		}
		if pages == 0 {
			t.Errorf("%s: no page shows what was redacted", c.name)
		}
		for _, ending := range []string{".jsonl", ".csv"} {
			b, err := os.ReadFile(name + ending)
			if err != nil {
				t.Fatal(err)
			}
			clean(c.name+ending, string(b))
			if ending == ".csv" {
				if rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll(); err != nil || len(rows) < 3 {
					t.Errorf("%s: %d rows, %v", c.name, len(rows), err)
				}
			}
		}
		if verdict, _ := d.must(t, exitDone, "verify", name+".wacz"); strings.Contains(verdict, ": damaged") {
			t.Errorf("%s: %s", c.name, verdict)
		}
		if posts := d.extracted(t, name+".wacz"); len(posts) == 0 {
			t.Errorf("%s: no post can be read from what is redacted", c.name)
		}
	}
	for name, data := range before {
		if b, err := os.ReadFile(name); err != nil || string(b) != data {
			t.Errorf("%s is not as it was: %v", name, err)
		}
	}
	d.must(t, exitUsage, "export", "--jsonl", filepath.Join(dir, "no.jsonl"), "--all", "--redact", filepath.Join(dir, "none.txt"))
	d.must(t, exitUsage, "export", "--jsonl", filepath.Join(dir, "no.jsonl"), "--all", "--keep-binary")
}
