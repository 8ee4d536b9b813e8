package main

import (
	"fmt"
	"io"

	"github.com/refrain-archive/refrain/archive/wacz"
)

// looksWACZ reports whether a file begins like a ZIP.
func looksWACZ(r io.ReaderAt) bool {
	var head [4]byte
	n, _ := r.ReadAt(head[:], 0) // a file that cannot be read is reported by what reads it next
	return n == 4 && (string(head[:]) == "PK\x03\x04" || string(head[:]) == "PK\x05\x06")
}

func describeWACZ(r *wacz.Report) string {
	signed := "not signed"
	if s := r.Signature; s != nil {
		switch {
		case !s.Valid:
			signed = "the signature does not hold"
		case s.Form == "domain":
			signed = "signed by " + s.Signer
		default:
			signed = "signed by the key " + s.Signer
		}
	}
	return fmt.Sprintf(" (%s fit their hash, %s, %s, %s)", plural(int64(r.Resources), "file"), plural(r.Pages, "page"), plural(r.Lines, "index line"), signed)
}

// printWACZ writes the findings on a WACZ and on the WACZ files in it.
func (v *verification) printWACZ(r *wacz.Report) error {
	for _, f := range r.Findings {
		where := f.Entry
		if where == "" {
			where = r.File
		}
		if f.Offset > 0 {
			where += fmt.Sprintf(" at offset %d", f.Offset)
		}
		if f.RecordID != "" {
			where += ", record " + f.RecordID
		}
		if err := v.app.printf("  %s in %s: %s\n    %s", f.Severity, where, f.Detail, f.Meaning); err != nil {
			return err
		}
	}
	if r.More > 0 {
		if err := v.app.printf("  and %d more", r.More); err != nil {
			return err
		}
	}
	for _, m := range r.Members {
		if err := v.app.printf("  %s: %s%s", m.File, m.Verdict, describeWACZ(m)); err != nil {
			return err
		}
		if err := v.printWACZ(m); err != nil {
			return err
		}
	}
	return nil
}
