package warc

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/sharedtest"
)

var update = flag.Bool("update", false, "rewrite docs/warc-conformance.md")

// conformanceFiles gives the name and bytes of each WARC and ARC file of the
// conformance folder.
func conformanceFiles(t *testing.T) (names []string, files map[string][]byte) {
	t.Helper()
	root := sharedtest.Path(t, "conformance/warc")
	files = map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		base := filepath.Base(path)
		if d.IsDir() && name == "golden" {
			return fs.SkipDir
		}
		if d.IsDir() || !regexp.MustCompile(`\.w?arc(\.gz(\.open|\.bad)?)?$`).MatchString(base) {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		names = append(names, name)
		files[name] = data
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names, files
}

// goldenVerdicts gives the four tools' verdicts by file.
func goldenVerdicts(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	lines := strings.Split(strings.TrimSpace(string(sharedtest.Read(t, "conformance/warc/golden/verdicts.tsv"))), "\n")
	for _, line := range lines[1:] {
		f := strings.Split(line, "\t")
		all[f[0]] = f[1:]
	}
	return all
}

// accepting counts the tools that find nothing wrong.
func accepting(verdicts []string) int {
	n := 0
	for _, v := range verdicts {
		if v == "0" || v == "0/0" || v == "true" {
			n++
		}
	}
	return n
}

// mustBeDamaged are the files that were damaged on purpose.
var mustBeDamaged = regexp.MustCompile(`^(matrix/N|gowarc-ia/corrupted)`)

func TestConformanceVerdicts(t *testing.T) {
	names, files := conformanceFiles(t)
	golden := goldenVerdicts(t)
	for name := range golden {
		if files[name] == nil {
			t.Errorf("golden/verdicts.tsv has %s, the folder has not", name)
		}
	}
	var table strings.Builder
	table.WriteString(conformanceHead)
	for _, name := range names {
		data := files[name]
		report, err := Verify(context.Background(), bytes.NewReader(data), int64(len(data)), name, VerifyOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch accept := accepting(golden[name]); {
		case mustBeDamaged.MatchString(name):
			if report.Verdict != Damaged {
				t.Errorf("%s: %s, but it was damaged on purpose", name, report.Verdict)
			}
		case accept >= 2 && report.Verdict == Damaged:
			t.Errorf("%s: %s, but %d of four tools accept it:\n%+v", name, report.Verdict, accept, report.Findings)
		}
		for _, f := range report.Findings {
			if f.Meaning == "" {
				t.Errorf("%s: code %s has no meaning", name, f.Code)
			}
		}
		others := golden[name]
		if others == nil {
			others = []string{"-", "-", "-", "-"}
		}
		fmt.Fprintf(&table, "| %s | %d | %s | %s | %s |\n", name, report.Records, report.Verdict, codes(report), strings.Join(others, " | "))
	}
	doc := filepath.Join("..", "..", "docs", "warc-conformance.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(doc), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(doc, []byte(table.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(have), "\r\n", "\n") != table.String() {
		t.Errorf("%s is not what the files give now; run go test ./archive/warc -run Conformance -update", doc)
	}
}

// codes lists the codes of a report, damage first.
func codes(r *Report) string {
	var damage, remarks []string
	for code, n := range r.Counts {
		s := string(code)
		if n > 1 {
			s += fmt.Sprintf(" (%d)", n)
		}
		isDamage := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == code && f.Severity == SeverityDamage })
		if isDamage {
			damage = append(damage, "**"+s+"**")
		} else {
			remarks = append(remarks, s)
		}
	}
	slices.Sort(damage)
	slices.Sort(remarks)
	return strings.Join(append(damage, remarks...), ", ")
}

const conformanceHead = `# WARC files of other tools, and what we say about them

This table is written by ` + "`go test ./archive/warc -run Conformance -update`" + ` and checked by the same test. The files are
test data of warcio, warcio.js, jwarc, gowarc, py-wacz, cdxj-indexer, OutbackCDX and the IIPC's specifications, and a
matrix of variants of one capture; they are not part of this repository.

*records* are those that can be read whole. *verdict* and *findings* are ours: in bold what makes the file damaged, the
rest are remarks; each code's meaning is in package archive/warc. The last four columns are what other tools say:
the exit status of ` + "`warcio check`" + `, exit status and number of ERROR lines of ` + "`jwarc validate`" + `, exit status of
` + "`warc validate`" + ` (warchaeology), and ` + "`valid`" + ` of ` + "`warc verify --json`" + ` (gowarc). ARC files were not given to them.

Three rules are worth knowing:

- A payload digest is compared with the payload (transfer coding removed, content coding kept) and, if it does not fit,
  with the chunked body, the unpacked body and the whole block, which other tools digest instead. One that fits any of
  these is a remark. One that fits none is damage.
- Several records in one gzip member are a remark, as the standard asks for one member for each record only where
  possible. They are damage where a WARC/1.1 warcinfo record names the file .gz (matrix/N7): such a file was written
  member by member and packed again as a whole, and the offsets of its index are void. ` + "`refrain repair`" + ` makes a copy that can
  be indexed of either kind.
- A record id that stands twice is damage. None of the four tools looks for it.

| file | records | verdict | findings | warcio | jwarc | warchaeology | gowarc |
|---|---|---|---|---|---|---|---|
`

// unpack gives the bytes of a file, by the standard library.
func unpack(t *testing.T, data []byte) []byte {
	t.Helper()
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(z) // what comes before the damage
	return all
}

// TestConformanceRecords counts the records of each sound file by their first
// lines, and reads each again by its offset.
func TestConformanceRecords(t *testing.T) {
	names, files := conformanceFiles(t)
	version := regexp.MustCompile(`(?m)^WARC/1\.[01]\r?$`)
	arcLine := regexp.MustCompile(`(?m)^(filedesc|http)://.* \d{14} text/`)
	for _, name := range names {
		data := files[name]
		for _, random := range []bool{true, false} {
			records, damages := readAll(t, name, data, random)
			want := len(version.FindAll(unpack(t, data), -1))
			if strings.Contains(name, ".arc") {
				want = len(arcLine.FindAll(unpack(t, data), -1))
			}
			if got := len(records) + damages; got < want || damages == 0 && got != want {
				t.Errorf("%s: %d records and %d damages, want %d records", name, len(records), damages, want)
			}
			for _, r := range records {
				if r.shared {
					continue
				}
				again, err := ReadAt(bytes.NewReader(data), int64(len(data)), r.pos.Offset)
				if err != nil {
					t.Errorf("%s: read at %d: %v", name, r.pos.Offset, err)
					continue
				}
				block, err := io.ReadAll(again)
				if err != nil || !bytes.Equal(block, r.block) || again.ID() != r.header.RecordID() {
					t.Errorf("%s: the record at %d reads otherwise by its offset: %v", name, r.pos.Offset, err)
				}
				if pos, err := again.Finish(); err != nil || pos != r.pos {
					t.Errorf("%s: position %+v by offset, %+v in turn, %v", name, pos, r.pos, err)
				}
			}
		}
	}
}

type gotRecord struct {
	version string
	header  Header
	block   []byte
	pos     Position
	shared  bool
}

// readAll reads a file to its end.
func readAll(t *testing.T, name string, data []byte, random bool) (records []gotRecord, damages int) {
	t.Helper()
	var r *Reader
	var err error
	if random {
		r, err = NewReaderAt(bytes.NewReader(data), int64(len(data)), 0)
	} else {
		r, err = NewReader(struct{ io.Reader }{bytes.NewReader(data)})
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return records, damages
		}
		var block []byte
		var pos Position
		if err == nil {
			if block, err = io.ReadAll(rec); err == nil {
				pos, err = rec.Finish()
			}
		}
		var d *Damage
		if errors.As(err, &d) {
			damages++
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if int64(len(block)) != rec.Size() {
			t.Errorf("%s: the block at %d has %d bytes, want %d", name, rec.Offset, len(block), rec.Size())
		}
		records = append(records, gotRecord{rec.Version, rec.Header.Clone(), block, pos, rec.Shared()})
	}
}

// TestConformanceRepair repairs every file. A copy is never damaged, holds what
// the original has whole, and nothing else.
func TestConformanceRepair(t *testing.T) {
	names, files := conformanceFiles(t)
	for _, name := range names {
		data := files[name]
		var out bytes.Buffer
		report, err := Repair(context.Background(), bytes.NewReader(data), int64(len(data)), name, &out)
		if strings.Contains(name, ".arc") {
			if err == nil {
				t.Errorf("%s: an ARC file was repaired", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if report.Bytes != int64(out.Len()) {
			t.Errorf("%s: %d bytes reported, %d written", name, report.Bytes, out.Len())
		}
		after, err := Verify(context.Background(), bytes.NewReader(out.Bytes()), int64(out.Len()), name, VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if after.Verdict == Damaged || after.Counts[CodeShared] > 0 {
			t.Errorf("%s: the copy is %s: %+v", name, after.Verdict, after.Findings)
		}
		if after.Records != report.Kept {
			t.Errorf("%s: %d records kept, the copy has %d", name, report.Kept, after.Records)
		}
		if report.Before.Verdict == Damaged && report.Before.Counts[CodeShared] == 0 && len(report.Lost) == 0 {
			t.Errorf("%s is damaged, but nothing is lost", name)
		}
		if report.Before.Verdict != Damaged && (len(report.Lost) > 0 || report.Kept != report.Before.Records) {
			t.Errorf("%s is not damaged, but %d of %d records are kept, lost %+v", name, report.Kept, report.Before.Records, report.Lost)
		}
		before, _ := readAll(t, name, data, true)
		copied, damages := readAll(t, name, out.Bytes(), false)
		if damages > 0 {
			t.Errorf("%s: the copy has %d damages", name, damages)
		}
		for _, c := range copied {
			if !slices.ContainsFunc(before, func(b gotRecord) bool {
				return b.version == c.version && slices.Equal(b.header, c.header) && bytes.Equal(b.block, c.block)
			}) {
				t.Errorf("%s: record %s of the copy is not in the original as it is", name, c.header.RecordID())
			}
		}
	}
}

// TestRepairKeeps says for the damaged files what is kept and lost.
func TestRepairKeeps(t *testing.T) {
	_, files := conformanceFiles(t)
	for name, want := range map[string]string{
		"matrix/N1-bitflip-body.warc.gz":                  "2 kept; 268-650 block-digest",
		"matrix/N2-missing-date.warc.gz":                  "1 kept; 268-630 field-missing",
		"matrix/N4-len-off-by-one.warc.gz":                "3 kept; 268-650 length",
		"matrix/N5-dup-record-id.warc.gz":                 "2 kept; 651-1034 duplicate-record-id",
		"matrix/N6-response-no-uri.warc.gz":               "1 kept; 268-626 field-missing",
		"matrix/N7-wholefile-gzip.warc.gz":                "3 kept",
		"matrix/N8-cut-tail.warc.gz":                      "2 kept; 650-967 cut",
		"gowarc-ia/corrupted-mid-record.warc.gz.open":     "12 kept; 1219-1253 junk",
		"gowarc-ia/corrupted-trailing-bytes.warc.gz.open": "30 kept; 2362-2417 junk",
	} {
		data := files[name]
		if data == nil {
			t.Errorf("%s is not there", name)
			continue
		}
		report, err := Repair(context.Background(), bytes.NewReader(data), int64(len(data)), name, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%d kept", report.Kept)
		for _, l := range report.Lost {
			got += fmt.Sprintf("; %d-%d %s", l.Offset, l.End, l.Code)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
