package export

import (
	"context"
	"encoding/csv"
	"iter"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/post"
)

func selectionOf(posts ...*Post) Selection {
	return func(context.Context) iter.Seq2[*Post, error] {
		return func(yield func(*Post, error) bool) {
			for _, p := range posts {
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}

// No cell with text of others begins like a formula, and every cell comes back
// as it was but for the apostrophe.
func TestCSVFormulas(t *testing.T) {
	for _, text := range []string{"=1+2", "+49 30", "-rm", "@SUM(A1)", "\t=1", "\r=1", "  =HYPERLINK(\"http://x\")", "＝1", "|cmd", "%x", "plain, \"quoted\"\nand broken", "Дело №1", ""} {
		p := &Post{Post: post.Post{Platform: "plaza", ID: "1", Text: text, Account: post.Account{Handle: text}, Counts: []post.Count{post.ExactCount("likes", 3), post.HiddenCount("views")}}}
		var b strings.Builder
		n, err := CSV(t.Context(), &b, selectionOf(p, p), false)
		if err != nil || n != 1 {
			t.Fatalf("%q: %d rows, %v", text, n, err)
		}
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != 2 {
			t.Fatalf("%q: %v, %v", text, rows, err)
		}
		row := map[string]string{}
		for i, name := range rows[0] {
			row[name] = rows[1][i]
		}
		want := strings.ReplaceAll(text, "\r\n", "\n")
		for _, name := range []string{"text", "account_handle"} {
			cell := row[name]
			if got := strings.TrimPrefix(cell, "'"); got != want {
				t.Errorf("%s of %q is %q", name, text, cell)
			}
			if first := strings.TrimLeft(cell, " "); first != "" && strings.ContainsRune("=+-@\t\r＝|%", []rune(first)[0]) {
				t.Errorf("%q stands as %q", text, cell)
			}
		}
		if row["likes"] != "3" || row["views"] != "" || row["key"] != "plaza:1" {
			t.Errorf("%v", row)
		}
	}
}
