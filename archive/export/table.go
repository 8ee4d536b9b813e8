package export

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refrain-archive/refrain/post"
)

// JSONL writes the selected posts as lines of JSON, the fields of package post
// and first_seen, last_seen, seen and standing, in the order of the selection. It
// gives the number of posts.
func JSONL(ctx context.Context, w io.Writer, posts Selection) (int64, error) {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return each(ctx, posts, func(p *Post) error { return e.Encode(p) })
}

// each calls f for each post once.
func each(ctx context.Context, posts Selection, f func(*Post) error) (int64, error) {
	done := set{}
	n := int64(0)
	for p, err := range posts(ctx) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return n, err
		}
		if done.has(p.Key()) {
			continue
		}
		done.add(p.Key())
		if err := f(p); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// countColumns are the counts with a column of their own; the column counts has
// all of them as JSON.
var countColumns = []string{"likes", "dislikes", "score", "comments", "reposts", "quotes", "views", "notes", "bookmarks"}

// Columns are the names of the columns that CSV writes.
func Columns() []string {
	list := []string{"key", "platform", "id", "kind", "url", "account_id", "account_handle", "account_name", "account_url", "account_followers",
		"title", "text", "lang", "created", "created_from", "created_to", "created_raw", "edited", "first_seen", "last_seen", "times_seen", "standing"}
	list = append(list, countColumns...)
	return append(list, "counts", "media", "links", "hashtags", "mentions", "tags", "thread", "refs", "record_id", "warc_file", "warc_offset", "payload_digest", "imported_file", "imported_line")
}

// CSV writes the selected posts as a table of RFC 4180 in UTF-8, one row a post
// with a row of column names first. Lists are parted by blanks, tags by "|". A
// cell with text of others that a spreadsheet would take for a formula begins with
// an apostrophe; JSONL has the text as it is. bom begins the file with a byte
// order mark, which Excel needs to see that it is UTF-8. It gives the number of
// posts.
func CSV(ctx context.Context, w io.Writer, posts Selection, bom bool) (int64, error) {
	if bom {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return 0, err
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(Columns()); err != nil {
		return 0, err
	}
	n, err := each(ctx, posts, func(p *Post) error {
		row, err := row(p)
		if err != nil {
			return err
		}
		return out.Write(row)
	})
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return n, err
}

func row(p *Post) ([]string, error) {
	counts, refs := "", ""
	if len(p.Counts) > 0 {
		b, err := json.Marshal(p.Counts)
		if err != nil {
			return nil, err
		}
		counts = string(b)
	}
	if len(p.Refs) > 0 {
		b, err := json.Marshal(p.Refs)
		if err != nil {
			return nil, err
		}
		refs = string(b)
	}
	media := make([]string, len(p.Media))
	for i, m := range p.Media {
		media[i] = m.URL
	}
	list := []string{cell(p.Key()), cell(p.Platform), cell(p.ID), string(p.Kind), cell(p.URL),
		cell(p.Account.ID), cell(p.Account.Handle), cell(p.Account.Name), cell(p.Account.URL), count(p.Account.Counts, "followers"),
		cell(p.Title), cell(p.Text), cell(p.Lang), stamp(p.Created.Time), stamp(p.Created.Earliest()), stamp(p.Created.Latest()), cell(p.Created.Raw), stamp(p.Edited.Time),
		stamp(p.FirstSeen), stamp(p.LastSeen), number(int64(p.Seen)), string(p.Standing)}
	for _, name := range countColumns {
		list = append(list, count(p.Counts, name))
	}
	c := p.Capture
	offset := ""
	if c.File != "" {
		offset = strconv.FormatInt(c.Offset, 10)
	}
	return append(list, cell(counts), cell(strings.Join(media, " ")), cell(strings.Join(p.Links, " ")), cell(strings.Join(p.Hashtags, " ")), cell(strings.Join(p.Mentions, " ")),
		cell(strings.Join(p.Tags, "|")), cell(p.Thread), cell(refs), c.RecordID, cell(c.File), offset, c.PayloadDigest, c.Import, number(c.Line)), nil
}

// formulaSigns are what a formula, or a command of elder spreadsheets, begins
// with.
const formulaSigns = "=+-@\t\r\n＝＋－＠|%"

// cell makes text of others safe for a spreadsheet: what begins like a formula
// gets an apostrophe before it, zero bytes go.
func cell(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	// Spreadsheets pass over blanks before a formula, and take the wide forms of
	// the signs for the signs.
	if first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000\ufeff")); strings.ContainsRune(formulaSigns, first) {
		return "'" + s
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func number(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// count gives a count, or nothing where the platform does not state it.
func count(list []post.Count, name string) string {
	for _, c := range list {
		if c.Name == name && c.State == post.StatePresent {
			return strconv.FormatInt(c.Value, 10)
		}
	}
	return ""
}
