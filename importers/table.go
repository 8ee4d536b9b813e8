package importers

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
	"github.com/refrain-archive/refrain/internal/dates"
	"github.com/refrain-archive/refrain/post"
)

// A table is a file of rows under a line of column names, separated by commas,
// semicolons or tabs.
type table struct {
	csv   *csv.Reader
	limit *limited
	names []string       // as they stand
	at    map[string]int // normalised name → column
	row   []string
	line  int64
}

// newTable reads the line of names. It gives an error for what is no table.
func newTable(r io.Reader) (*table, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3) // they were peeked at
	}
	head, _ := b.Peek(16 << 10)
	first, _, _ := bytes.Cut(head, []byte("\n"))
	comma := byte(0)
	most := 0
	for _, c := range []byte(",;\t") {
		if n := bytes.Count(first, []byte{c}); n > most {
			comma, most = c, n
		}
	}
	if most == 0 {
		return nil, errors.New("no separators in the first line")
	}
	t := &table{limit: &limited{r: b}, at: map[string]int{}}
	t.csv = csv.NewReader(t.limit)
	t.csv.Comma, t.csv.FieldsPerRecord, t.csv.LazyQuotes, t.csv.ReuseRecord = rune(comma), -1, true, true
	names, err := t.csv.Read()
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		name = strings.TrimSpace(name)
		t.names = append(t.names, name)
		if key := columnKey(name); key != "" {
			if _, twice := t.at[key]; !twice {
				t.at[key] = i
			}
		}
	}
	return t, nil
}

// columnKey is a column's name in lower case, with spaces and underscores as one
// space: "Post Created", "post_created".
func columnKey(name string) string {
	name, _, _ = strings.Cut(name, "(")
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '_' || r == '\u00a0' || r == '?' }), " ")
}

func (t *table) has(names ...string) bool {
	for _, n := range names {
		if _, ok := t.at[n]; !ok {
			return false
		}
	}
	return true
}

func (t *table) any(names ...string) bool {
	for _, n := range names {
		if _, ok := t.at[n]; ok {
			return true
		}
	}
	return false
}

// format tells whose the columns are.
func (t *table) format() Format {
	switch {
	case t.any("page name", "account", "user name", "group name") && t.any("total interactions", "overperforming score", "followers at posting") && t.has("url"):
		return FormatCrowdTangle
	case t.any("post owner.id", "owner.id", "post owner.username") && t.any("creation time", "id"):
		return FormatMCL
	case t.has("videoid") && t.any("videotitle", "publishedat") && t.any("channelid"):
		return FormatYTDT
	case t.has("id", "authorname", "text") && t.any("authorchannelid", "replycount", "isreply"):
		return FormatYTDT
	case t.has("url") && t.any("text", "title"), t.has("platform", "id") && t.any("text", "title"):
		return FormatOwnCSV
	}
	return ""
}

// next reads the next row; io.EOF after the last.
func (t *table) next() error {
	t.limit.n = 0
	row, err := t.csv.Read()
	if err != nil {
		var parse *csv.ParseError
		if errors.As(err, &parse) {
			t.line = int64(parse.StartLine)
		}
		return err
	}
	line, _ := t.csv.FieldPos(0)
	t.row, t.line = row, int64(line)
	return nil
}

// get gives the first of the named cells that is not empty. Words that tools
// write for nothing ("N/A", "null") count as empty.
func (t *table) get(names ...string) string {
	for _, name := range names {
		if i, ok := t.at[name]; ok && i < len(t.row) {
			switch v := strings.TrimSpace(t.row[i]); strings.ToLower(v) {
			case "", "n/a", "null", "nan", "none", "na":
			default:
				return v
			}
		}
	}
	return ""
}

// raw gives the first of the named cells that is not blank, as it stands.
func (t *table) raw(names ...string) string {
	for _, name := range names {
		if i, ok := t.at[name]; ok && i < len(t.row) && strings.TrimSpace(t.row[i]) != "" {
			return t.row[i]
		}
	}
	return ""
}

// number reads a whole number, with or without separators of thousands.
func (t *table) number(names ...string) (int64, bool) {
	s := strings.NewReplacer(",", "", " ", "", "\u00a0", "").Replace(t.get(names...))
	if s == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) {
		return int64(f), true
	}
	return 0, false
}

func (t *table) moment(names ...string) post.Time {
	at, ok := dates.Parse(t.get(names...))
	if !ok {
		return post.Time{}
	}
	return at
}

// utc reads a moment that the tool writes in UTC, whether or not it says so.
func (t *table) utc(names ...string) post.Time {
	s := t.get(names...)
	if at, ok := dates.Parse(s + "Z"); ok && !at.Time.IsZero() {
		return at
	}
	return t.moment(names...)
}

// counts adds an exact count for each column that has a number.
func (t *table) counts(list []post.Count, pairs ...string) []post.Count {
	for i := 0; i+1 < len(pairs); i += 2 {
		if n, ok := t.number(pairs[i+1]); ok {
			list = append(list, post.ExactCount(pairs[i], n))
		}
	}
	return list
}

// table reads the rows of a table.
func (r *reading) table(text io.Reader) error {
	t, err := newTable(text)
	if err != nil {
		return err
	}
	row := map[Format]func(*table) (post.Post, string){
		FormatCrowdTangle: r.crowdTangle, FormatMCL: r.library, FormatYTDT: r.youTubeTools, FormatOwnCSV: r.ownRow,
	}[r.file.Form.Format]
	for {
		err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var parse *csv.ParseError
		if err != nil && !errors.As(err, &parse) {
			return fmt.Errorf("after line %d: %w", t.line, err)
		}
		if berr := r.begin(t.line, t.csv.InputOffset()); berr != nil {
			return berr
		}
		if t.line <= r.o.After {
			continue
		}
		if parse != nil {
			r.report.problem(t.line, false, "broken row: %v", parse.Err)
			continue
		}
		p, why := row(t)
		if why != "" {
			r.report.problem(t.line, false, "%s", why)
			continue
		}
		if err := r.row(t.line, p); err != nil {
			return err
		}
	}
}

// row gives the entry of a post that was read from a row.
func (r *reading) row(n int64, p post.Post) error {
	at := p.FetchedAt
	if r.wrong(p.Platform) {
		r.report.problem(n, true, "items of %s: --platform says that only %s is wanted", p.Platform, r.o.Platform)
		return nil
	}
	ex := crawlers.Exchange{URL: p.URL, FetchedAt: at, Capture: r.capture(n)}
	page, err := crawlers.Read(rowOf{p}, crawlers.Step{}, ex)
	if err != nil {
		return err
	}
	page.Posts[0].Reader = readerName
	return r.give(Entry{Number: n, Collector: rowOf{p}, Exchange: ex, Page: page})
}

// readerName stands in posts that were read from tables and plain lines, which
// no platform's collector read.
var readerName = fmt.Sprintf("import/%d", Version)

// rowOf stands for the collector of a post that a row describes.
type rowOf struct{ p post.Post }

func (r rowOf) About() crawlers.About                           { return crawlers.About{Platform: r.p.Platform, Reader: Version} }
func (r rowOf) Match(*url.URL) (crawlers.Ref, bool)             { return crawlers.Ref{}, false }
func (r rowOf) Identify(crawlers.Exchange) (crawlers.Ref, bool) { return crawlers.Ref{}, false }
func (r rowOf) Request(crawlers.Step) (crawlers.Request, error) {
	return crawlers.Request{}, errors.New("a row asks for nothing")
}
func (r rowOf) Read(crawlers.Step, crawlers.Exchange) (crawlers.Page, error) {
	return crawlers.Page{Outcome: r.p.Outcome, Posts: []post.Post{r.p}}, nil
}

// match finds what an address names, where it names a single item of a platform
// (not just a page or feed).
func (r *reading) match(address string) (crawlers.Ref, bool) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Host == "" {
		return crawlers.Ref{}, false
	}
	_, ref, ok := crawlers.Match(r.o.Collectors, u)
	return ref, ok
}

// itemAt names the post at an address: its platform, id and canonical address.
func (r *reading) itemAt(address string) (ref crawlers.Ref, ok bool) {
	ref, ok = r.match(address)
	switch ref.Kind {
	case crawlers.RefPost, crawlers.RefComment, crawlers.RefQuestion, crawlers.RefPage:
		return ref, ok
	}
	return crawlers.Ref{}, false
}
