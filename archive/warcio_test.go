package archive_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/cdx"
)

// warcioList prints one line of JSON for each record that npm's warcio reads.
const warcioList = `
import { WARCParser } from "warcio";
import { createReadStream } from "node:fs";
const parser = new WARCParser(createReadStream(process.argv[2]));
for await (const record of parser) {
  await record.skipFully();
  console.log(JSON.stringify({
    type: record.warcType, url: record.warcTargetURI || "", id: record.warcHeader("WARC-Record-ID"),
    digest: record.warcHeader("WARC-Payload-Digest") || "", offset: parser.offset, length: parser.recordLength,
    status: record.httpHeaders ? record.httpHeaders.statusCode : 0,
  }));
}
`

// npm's warcio finds the same records at the same offsets as our index.
func TestWarcio(t *testing.T) {
	tools, err := filepath.Abs("../tools")
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
	script := filepath.Join(t.TempDir(), "list.mjs")
	// Modules are looked for beside the script.
	if err := errors.Join(os.WriteFile(script, []byte(warcioList), 0o666), os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(filepath.Dir(script), "node_modules"))); err != nil {
		t.Fatal(err)
	}
	store := folder(t)
	a := mustOpen(t, store, archive.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err = writeRandom(ctx, a, rand.New(rand.NewPCG(7, 7)), "w", func(ack) {
		if n++; n == 40 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for s, err := range a.Segments(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), node, script, store.Path(s.Name.Key(archive.WARCEnding))).Output()
		if err != nil {
			t.Fatalf("warcio: %v\n%s", err, stderr(err))
		}
		theirs := map[string]string{}
		for line := range bytes.Lines(out) {
			var r struct {
				Type, URL, Digest string
				Offset, Length    int64
				Status            int
			}
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatal(err)
			}
			if r.Type == "response" || r.Type == "revisit" || r.Type == "resource" {
				theirs[fmt.Sprint(r.Offset)] = fmt.Sprint(r.URL, " ", r.Digest, " ", r.Length)
			}
		}
		index, err := blob.ReadAll(t.Context(), store, s.Name.Key(archive.IndexEnding), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for scanner := bufio.NewScanner(strings.NewReader(string(index))); scanner.Scan(); lines++ {
			l, err := cdx.ParseLine(scanner.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := theirs[fmt.Sprint(l.Offset)], fmt.Sprint(l.URL, " ", l.Digest, " ", l.Length); got != want {
				t.Errorf("at offset %d warcio has %q, our index %q", l.Offset, got, want)
			}
		}
		if lines < 40 || lines != len(theirs) {
			t.Errorf("warcio has %d records to index, our index %d lines", len(theirs), lines)
		}
	}
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}
