package cdx

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

var update = flag.Bool("update", false, "write docs/cdxj-conformance.md anew")

const conformanceDoc = "../../docs/cdxj-conformance.md"

// goldenLines are the lines that the independent indexers wrote, by file, offset
// and indexer. What they wrote and cannot be read is left out.
func goldenLines(t *testing.T, dir string) map[string]map[int64]map[string]Line {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "golden", "cdxj", "*.cdxj"))
	if err != nil || len(files) < 200 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	golden := map[string]map[int64]map[string]Line{}
	for _, path := range files {
		for _, indexer := range indexers {
			file, ok := strings.CutSuffix(filepath.Base(path), "."+indexer+".cdxj")
			if !ok {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if golden[file] == nil {
				golden[file] = map[int64]map[string]Line{}
			}
			for text := range strings.Lines(string(data)) {
				l, err := ParseLine([]byte(text))
				if err != nil {
					continue
				}
				if golden[file][l.Offset] == nil {
					golden[file][l.Offset] = map[string]Line{}
				}
				golden[file][l.Offset][indexer] = l
			}
		}
	}
	return golden
}

// Where the three independent indexers agree, our line is theirs. Where they do
// not, docs/cdxj-conformance.md says who has what.
func TestGoldenDoc(t *testing.T) {
	dir := sharedtest.Path(t, "conformance/warc")
	golden := goldenLines(t, dir)
	var table bytes.Buffer
	values, agreed, same, lines := 0, 0, 0, 0
	for _, file := range slices.Sorted(maps.Keys(golden)) {
		path := filepath.Join(dir, filepath.FromSlash(strings.Replace(file, "_", "/", 1)))
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ours := map[int64]Line{}
		if _, err := Index(context.Background(), bytes.NewReader(data), filepath.Base(path), IndexOptions{Damaged: func(*warc.Damage) {}}, func(l *Line) error {
			ours[l.Offset] = *l
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		offsets := map[int64]bool{}
		for o := range golden[file] {
			offsets[o] = true
		}
		for o := range ours {
			offsets[o] = true
		}
		for _, offset := range slices.Sorted(maps.Keys(offsets)) {
			own, have := ours[offset]
			theirs := golden[file][offset]
			lines++
			if len(theirs) < len(indexers) || !have {
				row(&table, file, offset, "line", func(indexer string) string {
					if _, ok := theirs[indexer]; ok {
						return "yes"
					}
					return "no"
				}, map[bool]string{true: "yes", false: "no"}[have])
			}
			if !have {
				if why := differs[fmt.Sprintf("%s@%d line", file, offset)]; why == "" {
					t.Errorf("%s@%d: we have no line, and nobody says why", file, offset)
				}
				continue
			}
			for _, field := range goldenFields(file) {
				got := field.value(own, "")
				said := map[string]bool{}
				for indexer, l := range theirs {
					said[field.value(l, indexer)] = true
				}
				if len(theirs) == 0 {
					continue
				}
				values++
				if len(said) == 1 && len(theirs) == len(indexers) {
					agreed++
					if said[got] {
						same++
					} else if why := differs[fmt.Sprintf("%s@%d %s", file, offset, field.name)]; why == "" {
						t.Errorf("%s@%d: %s is %q, all indexers have %v", file, offset, field.name, got, said)
					}
				}
				if len(said) == 1 && said[got] {
					continue
				}
				row(&table, file, offset, field.name, func(indexer string) string {
					if l, ok := theirs[indexer]; ok {
						return field.value(l, indexer)
					}
					return ""
				}, got)
			}
		}
	}
	var doc bytes.Buffer
	fmt.Fprintf(&doc, "# Index lines of others and ours\n\n"+
		"Three independent indexers (cdxj-indexer, warcio.js, jwarc) made CDXJ of the %d WARC files of the conformance folder that have\n"+
		"any line: %d lines in all. Of %d values that can be compared the three agree on %d, and ours are the same for %d of those.\n"+
		"Below is every place where they do not agree, or where ours is none of theirs, and why. An empty cell: the indexer has no\n"+
		"such line, or the line no such value.\n\n"+
		"Compared are digests by their value, as warcio.js writes no label, and the length of records in plain files without their\n"+
		"closing line ends, which cdxj-indexer and warcio.js do not count. Keys of warcio.js are made by its own rule: compared are those\n"+
		"that `cdx.WebrecorderKey` gives, which are all the same but for POST requests. Nothing in a record was changed for this.\n"+
		"Written by `go test ./archive/cdx -run TestGoldenDoc -update`.\n\n"+
		"| file, offset | field | cdxj-indexer | warcio.js | jwarc | ours | why |\n|---|---|---|---|---|---|---|\n", len(golden), lines, values, agreed, same)
	doc.Write(table.Bytes())
	if *update {
		if err := os.WriteFile(conformanceDoc, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(conformanceDoc)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(doc.String(), "not explained") {
		t.Error("a difference is not explained: see usual and differs")
	}
	if !bytes.Equal(have, doc.Bytes()) {
		t.Errorf("docs/cdxj-conformance.md is not what the test gives: go test ./archive/cdx -run TestGoldenDoc -update")
	}
}

// row writes a row of the table.
func row(b *bytes.Buffer, file string, offset int64, field string, value func(indexer string) string, own string) {
	why := differs[fmt.Sprintf("%s@%d %s", file, offset, field)]
	if why == "" {
		why = usual(field, value, own)
	}
	if why == "" {
		why = "**not explained**"
	}
	fmt.Fprintf(b, "| %s, %d | %s", strings.Replace(file, "_", "/", 1), offset, field)
	for _, v := range []string{value("cdxj-indexer"), value("warcio.js"), value("jwarc"), own} {
		if len(v) > 44 {
			v = v[:20] + "…" + v[len(v)-20:]
		}
		fmt.Fprintf(b, " | %s", strings.ReplaceAll(v, "|", "\\|"))
	}
	fmt.Fprintf(b, " | %s |\n", why)
}

// usual says why the indexers differ where it has one of the causes that come
// again and again.
func usual(field string, value func(indexer string) string, own string) string {
	py, js, jwarc := value("cdxj-indexer"), value("warcio.js"), value("jwarc")
	switch {
	case field == "line" && py == "yes" && js == "yes" && own == "yes":
		return "jwarc has none: it leaves out metadata records and what it does not take for whole"
	case field == "line" && own == "yes":
		return "one indexer has none"
	case field == "key" && strings.HasPrefix(own, "metadata:"):
		return "metadata: is its own key, as warcio.js has it; the others take it for a scheme with a host"
	case field == "digest" && js == "" && jwarc == "" && py == own:
		return "no payload digest is declared: two leave it out, cdxj-indexer and we have that of the block, which is the same"
	case field == "digest" && py == jwarc && py == own:
		return "the same digest: a bare one of warcio.js in Base32 is not told from SHA-1"
	case field == "length" && py == js && jwarc == own:
		return "the record ends the file, or its closing line ends are counted by all"
	case field == "mime" && strings.HasPrefix(js, own+";"):
		return "warcio.js keeps the parameters of a resource's type"
	case field == "url":
		return "cdxj-indexer escapes the blanks; we keep the URL as it stands in the record"
	}
	return ""
}
