package wacz

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/sharedtest"
)

var update = flag.Bool("update", false, "write docs/wacz-verdicts.md anew")

const verdictsDoc = "../../docs/wacz-verdicts.md"

// The verdict on each conformance file is what docs/wacz-verdicts.md says.
func TestConformance(t *testing.T) {
	golden := string(sharedtest.Read(t, "conformance/warc/golden/wacz-verdicts.tsv"))
	var doc bytes.Buffer
	doc.WriteString("# Verdicts on WACZ files by others\n\n" +
		"Each file of the conformance folder, what `wacz.Verify` says of it, whether `wacz validate`\n" +
		"(py-wacz) accepts it, whether ReplayWeb.page 2.5.3 shows its page, and what was found.\n" +
		"Written by `go test ./archive/wacz -run TestConformance -update`.\n\n" +
		"| file | our verdict | py-wacz | ReplayWeb.page | findings |\n|---|---|---|---|---|\n")
	say := func(s, yes, no string) string {
		if s == "0" {
			return yes
		}
		return no
	}
	for i, line := range strings.Split(strings.TrimSpace(golden), "\n") {
		cells := strings.Split(line, "\t")
		if i == 0 || len(cells) != 3 {
			continue
		}
		data := sharedtest.Read(t, "conformance/warc/"+cells[0])
		r, err := Verify(t.Context(), bytes.NewReader(data), int64(len(data)), filepath.Base(cells[0]))
		if err != nil {
			t.Fatalf("%s: %v", cells[0], err)
		}
		damaged := strings.Contains(cells[0], "signed-wrong") || strings.Contains(cells[0], "tampered") || strings.Contains(cells[0], "/invalid")
		if damaged != (r.Verdict == warc.Damaged) {
			t.Errorf("%s is %s", cells[0], r.Verdict)
		}
		var found []string
		for _, f := range r.Findings {
			found = append(found, fmt.Sprintf("**%s** %s: %s", f.Code, f.Entry, f.Detail))
		}
		fmt.Fprintf(&doc, "| %s | %s | %s | %s | %s |\n", cells[0], r.Verdict, say(cells[1], "valid", "invalid"), say(cells[2], "shown", "not shown"),
			strings.ReplaceAll(strings.Join(found, "<br>"), "|", "\\|"))
	}
	doc.WriteString(verdictReasons)
	if *update {
		if err := os.WriteFile(verdictsDoc, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(verdictsDoc)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, doc.Bytes()) {
		t.Errorf("docs/wacz-verdicts.md differs from:\n%s", doc.String())
	}
}

const verdictReasons = `
## Where the tools disagree

- gzonly: every byte is right, so it is not damaged; ReplayWeb.page needs the index.idx that is missing.
- profile-wacz: ReplayWeb.page and py-wacz refuse the unknown profile and the missing version; the content is whole.
- noprofile, nosurt: both tools take them; we name what departs from the format.
- signed-der: py-wacz does not look at anonymous signatures. The signature is right, in the encoding of the other form.
- signed-wrong: py-wacz does not look at the signature, ReplayWeb.page shows the page all the same. The signature is not over this archive: damaged.
- tampered-pages: ReplayWeb.page shows the page, because it does not hash the list of pages first. The list is not the one that was signed: damaged.
- invalid_signed_example_1: the signature fits its certificate, but the chain ends in the staging root of Let's Encrypt, to which
  anyone's name can be certified without being believed. py-wacz accepts it as it does not ask for signatures unless told to: damaged.
- valid_signed_example_1: the chain ends in the key of ISRG Root X1 (in its cross-signed form), which is on our list.
- valid_example_1: version 1.0 of the format, whose hashes stand elsewhere; they fit. py-wacz refuses the version.
- valid_example_2: whole; that ReplayWeb.page did not show its page has no cause in what is checked here.

That a time stamp was signed by a time-stamping authority is not checked: only its imprint and its time are.
`
