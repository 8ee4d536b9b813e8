// Package seeds reads lists of seeds as researchers keep them: plain text, CSV
// with any separator, and XLSX sheets. Which columns hold seeds is told from
// what stands in them, not from their names; names only decide between columns
// that look alike.
//
// Nothing is fetched. What was recognised, what not and why, and which seeds
// name the same target is in the List, so that it can be looked at first.
package seeds

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/textenc"
)

// A Found is one target that a list names.
type Found struct {
	Seed  crawlers.Seed
	Ref   crawlers.Ref // what its URL names; Platform is "web" for pages of no platform
	Place string       // where it stands first: "line 3", "Sheet1!B3"
	Also  []string     // further places that name the same target
}

// A Fault is something that stands where seeds are due and is none.
type Fault struct {
	Place string `json:"place"`
	Text  string `json:"text"`
	Why   string `json:"why"`
}

// A List is what a file of seeds holds.
type List struct {
	Form    string   // "text", "CSV", "XLSX"
	Columns []string // of a table: those that seeds were taken from
	Found   []Found  // in the order of the file, each target once
	Faults  []Fault
	Rows    int // lines or rows that are not empty
}

// Merged is how many mentions were of a target that was named before.
func (l *List) Merged() (n int) {
	for i := range l.Found {
		n += len(l.Found[i].Also)
	}
	return n
}

// A cell is a text with its place.
type cell struct {
	text  string
	link  string // target of the cell's hyperlink, if it has one
	place string
}

// A sheet is a list or table.
type sheet struct {
	rows [][]cell
	list bool // of one column, without names
}

// Read reads a file of seeds. The error is for a file that is none of the forms;
// single places that are wrong are Faults.
func Read(data []byte, collectors []crawlers.Collector) (*List, error) {
	l := &List{}
	r := &reader{list: l, collectors: collectors, known: map[string]int{}}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		l.Form = "XLSX"
		sheets, err := readXLSX(data)
		if err != nil {
			return nil, fmt.Errorf("read the XLSX file: %w", err)
		}
		for _, s := range sheets {
			r.sheet(s)
		}
		return l, nil
	case bytes.HasPrefix(data, []byte{0xd0, 0xcf, 0x11, 0xe0}):
		return nil, errors.New("this is an old Excel file (.xls): save it as XLSX or CSV")
	}
	if !bytes.HasPrefix(data, []byte{0xff, 0xfe}) && !bytes.HasPrefix(data, []byte{0xfe, 0xff}) && bytes.IndexByte(data[:min(len(data), 4096)], 0) >= 0 {
		return nil, errors.New("this is neither text nor XLSX")
	}
	text, _ := textenc.Text(data, "")
	s, err := readText(string(text))
	if err != nil {
		return nil, err
	}
	if l.Form = "CSV"; s.list {
		l.Form = "text"
	}
	r.sheet(s)
	return l, nil
}

// readText reads a plain list or a CSV: a table is what has as many cells in
// most lines.
func readText(text string) (sheet, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if comma := separator(text); comma != 0 {
		return readCSV(text, comma)
	}
	s := sheet{list: true}
	n := 0
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if at := strings.Index(line, " #"); at >= 0 {
			line = strings.TrimSpace(line[:at])
		}
		s.rows = append(s.rows, []cell{{text: line, place: fmt.Sprintf("line %d", n)}})
	}
	return s, nil
}

// separator is what separates the cells of a CSV: what stands in at least half
// of the first lines outside of addresses. 0 is a plain list.
func separator(text string) rune {
	lines, have := 0, map[rune]int{}
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if lines++; lines > 50 {
			break
		}
		plain := address.ReplaceAllString(line, "x")
		for _, c := range ",;\t" {
			if strings.ContainsRune(plain, c) {
				have[c]++
			}
		}
	}
	best := rune(0)
	for _, c := range "\t;," {
		if 2*have[c] >= lines && have[c] > 0 && (best == 0 || have[c] > have[best]) {
			best = c
		}
	}
	return best
}

func readCSV(text string, comma rune) (sheet, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.Comment, r.TrimLeadingSpace = comma, -1, true, '#', true
	var s sheet
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return s, err
		}
		line, _ := r.FieldPos(0)
		row := make([]cell, len(record))
		for i, text := range record {
			row[i] = cell{text: strings.TrimSpace(text), place: fmt.Sprintf("line %d, column %d", line, i+1)}
		}
		s.rows = append(s.rows, row)
	}
}

// address finds web addresses inside other text.
var address = regexp.MustCompile(`(?i)\bhttps?://[^\s"'<>|]+`)

// bare is a web address without its scheme.
var bare = regexp.MustCompile(`(?i)^(?:[\p{L}0-9](?:[\p{L}0-9_-]*[\p{L}0-9])?\.)+\p{L}{2,}(?::\d{1,5})?(?:[/?#]\S*)?$`)

// short are the forms of crawlers.ParseSeed that need no dot: r/NAME, u/NAME,
// PLATFORM:@HANDLE, @USER@HOST.
var short = regexp.MustCompile(`(?i)^(?:/?[ru]/[\w-]{2,}/?|[a-z]+:@\S+|@[\w.-]+@[\w.-]+\.\w+)$`)

type reader struct {
	list       *List
	collectors []crawlers.Collector
	known      map[string]int // key of a target → its place in list.Found
}

// add takes a seed in, merged with what names the same target.
func (r *reader) add(text, place string) error {
	seed, err := crawlers.ParseSeed(text)
	if err != nil {
		return err
	}
	_, ref, ok := crawlers.Match(r.collectors, seed.URL)
	if !ok {
		return fmt.Errorf("seed %q: no collector takes this address: see `refrain platforms`", text)
	}
	if i, twice := r.known[ref.Key()]; twice {
		r.list.Found[i].Also = append(r.list.Found[i].Also, place)
		return nil
	}
	r.known[ref.Key()] = len(r.list.Found)
	r.list.Found = append(r.list.Found, Found{Seed: seed, Ref: ref, Place: place})
	return nil
}

// take reads a cell in which a seed is due: the seed itself, or the addresses
// inside its text.
func (r *reader) take(c cell) {
	if isBlank(c.text) && c.link == "" {
		return
	}
	err := errors.New("it is empty")
	if !isBlank(c.text) {
		if err = r.add(c.text, c.place); err == nil {
			return
		}
	}
	found := address.FindAllString(c.text, -1)
	if c.link != "" {
		found = append(found, c.link)
	}
	added := false
	for _, a := range found {
		a = strings.TrimRight(a, ".,;:!?)]}")
		if aerr := r.add(a, c.place); aerr != nil {
			err = aerr
		} else {
			added = true
		}
	}
	if !added {
		r.list.Faults = append(r.list.Faults, Fault{Place: c.place, Text: c.text, Why: err.Error()})
	}
}

// isBlank reports whether a cell says that there is nothing.
func isBlank(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "-", "–", "—", "n/a", "na", "none", "null", "nan", "?", "/":
		return true
	}
	return false
}
