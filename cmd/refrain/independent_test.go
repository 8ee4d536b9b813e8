package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/post"
)

// warcioList prints one line of JSON for each record that npm's warcio reads.
const warcioList = `
import { WARCParser } from "warcio";
import { createReadStream } from "node:fs";
const parser = new WARCParser(createReadStream(process.argv[2]));
for await (const record of parser) {
  await record.skipFully();
  console.log(JSON.stringify({
    type: record.warcType, url: record.warcTargetURI || "", digest: record.warcHeader("WARC-Payload-Digest") || "",
    offset: parser.offset, length: parser.recordLength,
  }));
}
`

// npm's warcio indexes every WARC that the demo writes as our CDXJ does.
func TestDemoIsReadByWarcio(t *testing.T) {
	t.Parallel()
	tools, err := filepath.Abs("../../tools")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "node_modules", "warcio")); err != nil {
		t.Skip("skipped: tools/node_modules has no warcio; run tools/setup.sh npm")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("skipped: node is not installed")
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "list.mjs")
	// Modules are looked for beside the script.
	if err := errors.Join(os.WriteFile(script, []byte(warcioList), 0o666), os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(dir, "node_modules"))); err != nil {
		t.Fatal(err)
	}
	d := desk{config: filepath.Join(dir, "demo", "refrain.yaml"), archive: filepath.Join(dir, "demo", "archive")}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"--quiet", "demo", "--once", "--dir", filepath.Dir(d.config)}, streams{in: strings.NewReader(""), out: &out, err: &out}); code != exitDone {
		t.Fatalf("the demo: exit code %d\n%s", code, &out)
	}
	files := 0
	err = filepath.WalkDir(d.archive, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".warc.gz") {
			return err
		}
		files++
		list, err := exec.CommandContext(t.Context(), node, script, path).Output()
		if err != nil {
			return fmt.Errorf("warcio: %w", err)
		}
		theirs := map[int64]string{}
		for line := range bytes.Lines(list) {
			var r struct {
				Type, URL, Digest string
				Offset, Length    int64
			}
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			if r.Type == "response" || r.Type == "revisit" || r.Type == "resource" {
				theirs[r.Offset] = fmt.Sprint(r.URL, " ", r.Digest, " ", r.Length)
			}
		}
		index, err := os.ReadFile(strings.TrimSuffix(path, ".warc.gz") + ".cdxj")
		if err != nil {
			return err
		}
		lines := 0
		for scanner := bufio.NewScanner(bytes.NewReader(index)); scanner.Scan(); lines++ {
			l, err := cdx.ParseLine(scanner.Bytes())
			if err != nil {
				return err
			}
			if want := fmt.Sprint(l.URL, " ", l.Digest, " ", l.Length); theirs[l.Offset] != want {
				t.Errorf("%s at offset %d: warcio has %q, our index %q", path, l.Offset, theirs[l.Offset], want)
			}
		}
		if lines != len(theirs) || lines < 1000 {
			t.Errorf("%s: warcio has %d records to index, our index %d lines", path, len(theirs), lines)
		}
		return nil
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files: %v", files, err)
	}
}

// extracted gives "URL KEY" → words of every post that extract reads in files,
// http and https taken for one.
func extracted(t *testing.T, d desk, files ...string) map[string]string {
	t.Helper()
	out, _ := d.must(t, exitDone, append([]string{"extract"}, files...)...)
	found := map[string]string{}
	page := ""
	for line := range strings.Lines(out) {
		var l struct{ Type, URL string }
		var p post.Post
		if err := errors.Join(json.Unmarshal([]byte(line), &l), json.Unmarshal([]byte(line), &p)); err != nil {
			t.Fatal(err)
		}
		if l.Type == "page" {
			_, page, _ = strings.Cut(l.URL, "://")
			continue
		}
		key := strings.ReplaceAll(p.Key(), ":http://", ":https://") // the address is the id of a page
		found[page+" "+key] = p.Title + "\n" + p.Text
	}
	return found
}

// wget fetches the same addresses into a WARC of its own: we read it, say what
// is odd in it, and find the same posts.
func TestWgetIsReadByUs(t *testing.T) {
	t.Parallel()
	wget, err := exec.LookPath("wget")
	if err != nil {
		t.Skip("skipped: wget is not installed")
	}
	world := tinyWorld()
	s := serve(t, world)
	d := newDesk(t, s, "")
	d.must(t, exitDone, collectArgs(world)...)
	var ours []string
	err = filepath.WalkDir(d.archive, func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".warc.gz") {
			ours = append(ours, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var list strings.Builder
	for address := range count(s.log(0)) {
		if rest, ok := strings.CutPrefix(address, "https://"); ok && !isRobots(address) {
			fmt.Fprintf(&list, "http://%s\n", rest)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "list.txt"), []byte(list.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		file string
		args []string
	}{
		{"packed.warc.gz", []string{"--warc-file=packed"}},
		{"plain.warc", []string{"--warc-file=plain", "--no-warc-compression"}},
	} {
		// The site is wget's proxy, as it answers for all hosts.
		args := append([]string{"--no-config", "-e", "use_proxy=yes", "-e", "http_proxy=" + s.web.URL, "--quiet", "--no-cookies", "-O", os.DevNull, "-i", "list.txt"}, form.args...)
		cmd := exec.CommandContext(t.Context(), wget, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("wget: %v\n%s", err, out)
		}
		file := filepath.Join(dir, form.file)
		compare(t, "wget's "+form.file, extracted(t, d, file), extracted(t, d, ours...))
		out, _ := d.must(t, exitDone, "verify", file)
		if !strings.Contains(out, "sound with remarks") || !strings.Contains(out, "chunk") {
			t.Errorf("verify of %s does not say that payload digests are over the chunked body:\n%s", form.file, out)
		}
	}
}
