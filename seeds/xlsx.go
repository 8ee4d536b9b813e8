package seeds

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Bounds of what is read of an XLSX file.
const (
	maxPart  = 256 << 20 // bytes of one XML part
	maxCells = 2 << 20
)

// readXLSX reads the texts and hyperlinks of the sheets of an XLSX workbook
// (ECMA-376: SpreadsheetML in a ZIP). Numbers are given as they are stored;
// formulas by their last result.
func readXLSX(data []byte) ([]sheet, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	x := &xlsx{files: map[string]*zip.File{}}
	for _, f := range z.File {
		x.files[strings.ToLower(strings.TrimPrefix(f.Name, "/"))] = f
	}
	if x.files["xl/workbook.xml"] == nil {
		return nil, errors.New("the ZIP holds no workbook: save the list as XLSX or CSV")
	}
	if err := x.sharedStrings(); err != nil {
		return nil, fmt.Errorf("its strings: %w", err)
	}
	names, err := x.sheetNames()
	if err != nil {
		return nil, fmt.Errorf("its list of sheets: %w", err)
	}
	var sheets []sheet
	for _, s := range names {
		rows, err := x.sheet(s.part, s.name)
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", s.name, err)
		}
		if len(rows) > 0 {
			sheets = append(sheets, sheet{rows: rows})
		}
	}
	return sheets, nil
}

type xlsx struct {
	files  map[string]*zip.File
	shared []string
	cells  int
}

// part calls f for each start element of an XML part, which may read on. A part
// that is absent gives nothing.
func (x *xlsx) part(name string, f func(d *xml.Decoder, e xml.StartElement) error) error {
	file := x.files[strings.ToLower(name)]
	if file == nil {
		return nil
	}
	r, err := file.Open()
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // only read
	d := xml.NewDecoder(io.LimitReader(r, maxPart))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if e, ok := t.(xml.StartElement); ok {
			if err := f(d, e); err != nil {
				return err
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// A richText is a string item: its text, or the texts of its runs.
type richText struct {
	Text []string `xml:"t"`
	Runs []struct {
		Text []string `xml:"t"`
	} `xml:"r"`
}

func (t richText) String() string {
	s := strings.Join(t.Text, "")
	for _, r := range t.Runs {
		s += strings.Join(r.Text, "")
	}
	return s
}

func (x *xlsx) sharedStrings() error {
	return x.part("xl/sharedStrings.xml", func(d *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "si" {
			return nil
		}
		var t richText
		if err := d.DecodeElement(&t, &e); err != nil {
			return err
		}
		if len(x.shared) >= maxCells {
			return fmt.Errorf("more than %d", maxCells)
		}
		x.shared = append(x.shared, t.String())
		return nil
	})
}

// relations gives the targets of a part's relations by id. Targets inside the
// file are made absolute.
func (x *xlsx) relations(part string) (map[string]string, error) {
	targets := map[string]string{}
	err := x.part(path.Dir(part)+"/_rels/"+path.Base(part)+".rels", func(_ *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		target := attr(e, "Target")
		if attr(e, "TargetMode") != "External" {
			if strings.HasPrefix(target, "/") {
				target = target[1:]
			} else {
				target = path.Join(path.Dir(part), target)
			}
		}
		targets[attr(e, "Id")] = target
		return nil
	})
	return targets, err
}

type namedPart struct{ name, part string }

func (x *xlsx) sheetNames() ([]namedPart, error) {
	targets, err := x.relations("xl/workbook.xml")
	if err != nil {
		return nil, err
	}
	var list []namedPart
	err = x.part("xl/workbook.xml", func(_ *xml.Decoder, e xml.StartElement) error {
		if e.Name.Local == "sheet" {
			if part := targets[attr(e, "id")]; part != "" {
				list = append(list, namedPart{attr(e, "name"), part})
			}
		}
		return nil
	})
	return list, err
}

// sheet reads the rows of a sheet. Cells stand in the column that their
// reference names.
func (x *xlsx) sheet(part, name string) ([][]cell, error) {
	targets, err := x.relations(part)
	if err != nil {
		return nil, err
	}
	var rows [][]cell
	where := map[string][2]int{} // reference → row and column in rows
	row, at := []cell(nil), 0
	flush := func() {
		for _, c := range row {
			if c.text != "" {
				rows = append(rows, row)
				break
			}
		}
		row = nil
	}
	err = x.part(part, func(d *xml.Decoder, e xml.StartElement) error {
		switch e.Name.Local {
		case "row":
			flush()
			at++
			if n, err := strconv.Atoi(attr(e, "r")); err == nil && n > 0 {
				at = n
			}
		case "c":
			var c struct {
				Value  string   `xml:"v"`
				Inline richText `xml:"is"`
			}
			ref, kind := attr(e, "r"), attr(e, "t")
			if err := d.DecodeElement(&c, &e); err != nil {
				return err
			}
			col := columnOf(ref)
			if col < 0 {
				col = len(row)
			}
			if col > 16383 { // XFD, the last column that there is
				return fmt.Errorf("cell %.20s: there is no such column", ref)
			}
			if x.cells += col + 1 - min(len(row), col+1); x.cells > maxCells {
				return fmt.Errorf("more than %d cells", maxCells)
			}
			for len(row) <= col {
				row = append(row, cell{place: fmt.Sprintf("%s!%s%d", name, letters(len(row)), at)})
			}
			switch kind {
			case "s":
				if i, err := strconv.Atoi(c.Value); err == nil && i >= 0 && i < len(x.shared) {
					c.Value = x.shared[i]
				}
			case "inlineStr":
				c.Value = c.Inline.String()
			}
			row[col].text = strings.TrimSpace(c.Value)
			where[fmt.Sprintf("%s%d", letters(col), at)] = [2]int{len(rows), col}
		case "sheetData":
		case "hyperlink":
			flush()
			ref, _, _ := strings.Cut(attr(e, "ref"), ":")
			target := targets[attr(e, "id")]
			if spot, ok := where[ref]; ok && spot[0] < len(rows) && strings.HasPrefix(strings.ToLower(target), "http") {
				rows[spot[0]][spot[1]].link = target
			}
		}
		return nil
	})
	flush()
	return rows, err
}

// columnOf is the number of a reference's column, from 0: 27 of "AB3". It is
// below 0 for what is no reference.
func columnOf(ref string) int {
	n := 0
	for i, c := range ref {
		if c >= 'A' && c <= 'Z' && i < 4 {
			n = 26*n + int(c-'A') + 1
			continue
		}
		break
	}
	return n - 1
}

func letters(n int) string {
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}
