package index

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive/cdx"
)

// fieldNames are the fields that every line may have, in the order in which they
// are written.
var fieldNames = []string{"urlkey", "timestamp", "url", "mime", "status", "digest", "length", "offset", "filename", "recordDigest"}

// Paging, in the words of pywb: a page has pageSize blocks. Here a block is a
// number of lines.
const (
	pageLines       = 1000
	defaultPageSize = 5
	maxPageSize     = 1000
)

// CDXServer answers GET requests as pywb's CDX server does, with the parameters
//
//	url              required; http://example.com/a/* is a prefix, *.example.com a domain
//	matchType        exact (the default), prefix, host, domain
//	from, to         4 to 14 digits, both included
//	limit            at most so many lines
//	sort             reverse or, with closest, closest
//	closest          14 digits or fewer: by distance from that time; for exact matches
//	filter           see ParseFilter; can be repeated
//	fl               the fields to be given, with commas between
//	output           cdxj (the default), json (an object a line), text (values with blanks between)
//	collapse         FIELD or FIELD:N: of neighbours with the same value (the same first N
//	                 characters) the first only
//	collapseTime     N: of neighbours with the same first N digits of time and the same status the first only
//	resolveRevisits  true: with orig.length, orig.offset and orig.filename of the record that holds the payload
//	page, pageSize   a part of the lines, before any filter: pages count from 0 and have pageSize
//	                 blocks of 1,000 lines
//	showNumPages     true: how many pages there are, as a JSON object
//
// A request that cannot be understood is answered 400 with a JSON object that
// says why in "message". It serves what the last Update took in.
func (x *Index) CDXServer() http.Handler { return http.HandlerFunc(x.serveCDX) }

// A cdxRequest is a request as it was understood.
type cdxRequest struct {
	q        Query
	fields   []string // nil: all
	output   string
	collapse []collapse
	resolve  bool
	count    bool
	page     int64 // -1: no paging
	pageSize int64
}

// A collapse leaves out lines that have the same value as the one before.
type collapse struct {
	fields []string
	first  int // characters of the first field; 0: all
	last   string
	some   bool
}

// keeps reports whether a line is given.
func (c *collapse) keeps(l *cdx.Line) bool {
	value := ""
	for i, f := range c.fields {
		v, _ := Field(l, f)
		if i == 0 && c.first > 0 {
			v = v[:min(len(v), c.first)]
		}
		value += v + "\x00"
	}
	if c.some && value == c.last {
		return false
	}
	c.last, c.some = value, true
	return true
}

func (x *Index) serveCDX(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		cdxError(w, http.StatusMethodNotAllowed, errors.New("the index is asked with GET"))
		return
	}
	request, err := parseCDX(r.URL.RawQuery)
	if err == nil && request.page >= 0 || err == nil && request.count {
		err = x.pages(r.Context(), w, request)
		if err == nil && request.count {
			return
		}
	}
	var failed *serverError
	if errors.As(err, &failed) {
		cdxError(w, http.StatusInternalServerError, err)
		return
	}
	if err != nil {
		cdxError(w, http.StatusBadRequest, err)
		return
	}
	switch request.output {
	case "json":
		w.Header().Set("Content-Type", "application/x-ndjson")
	case "text":
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	default:
		w.Header().Set("Content-Type", "text/x-cdxj")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	out := bufio.NewWriterSize(w, 32<<10)
	limit, given := request.q.Limit, 0
	if len(request.collapse) > 0 {
		request.q.Limit = 0 // it counts what is left
	}
	var line []byte
	for e, err := range x.Find(r.Context(), request.q) {
		if err != nil && given == 0 && out.Buffered() == 0 {
			cdxError(w, http.StatusInternalServerError, err)
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the client shall not take this for the end
		}
		if !keepsAll(request.collapse, &e.Line) {
			continue
		}
		if request.resolve {
			if err := x.addOriginal(r.Context(), &e); err != nil {
				panic(http.ErrAbortHandler)
			}
		}
		line = request.line(line[:0], &e.Line)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return // the client is gone
		}
		if given++; given == limit && limit > 0 {
			break
		}
	}
	out.Flush() //nolint:errcheck // the client is gone
}

func keepsAll(list []collapse, l *cdx.Line) bool {
	for i := range list {
		if !list[i].keeps(l) {
			return false
		}
	}
	return true
}

// A serverError is not the client's.
type serverError struct{ error }

// pages answers showNumPages, or turns a page into the lines that it has.
func (x *Index) pages(ctx context.Context, w http.ResponseWriter, r *cdxRequest) error {
	n, err := x.count(ctx, r.q)
	if err != nil {
		return &serverError{err}
	}
	blocks := (n + pageLines - 1) / pageLines
	pages := max(1, (blocks+r.pageSize-1)/r.pageSize)
	if r.count {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"blocks": %d, "pages": %d, "pageSize": %d}`+"\n", blocks, pages, r.pageSize) //nolint:errcheck // the client is gone
		return nil
	}
	if r.page >= pages {
		return fmt.Errorf("page %d does not exist: there are %d, counted from 0", r.page, pages)
	}
	r.q.skip, r.q.take = r.page*r.pageSize*pageLines, r.pageSize*pageLines
	return nil
}

func cdxError(w http.ResponseWriter, status int, err error) {
	body, merr := json.Marshal(map[string]string{"message": err.Error()})
	if merr != nil {
		body = []byte("{}")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) //nolint:errcheck // the client is gone
}

// cdxParams are the parameters that are known. Others are an error: a misspelled
// filter would give more than was asked for.
var cdxParams = []string{"url", "matchType", "from", "to", "limit", "sort", "closest", "filter", "fl", "fields", "output", "collapse", "collapseTime", "resolveRevisits", "page", "pageSize", "showNumPages"}

func parseCDX(raw string) (*cdxRequest, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("the parameters cannot be read: %w", err)
	}
	for name, list := range values {
		if !slices.Contains(cdxParams, name) {
			return nil, fmt.Errorf("there is no parameter %q: there are %s", name, strings.Join(cdxParams, ", "))
		}
		if len(list) > 1 && name != "filter" && name != "collapse" {
			return nil, fmt.Errorf("%s is given %d times", name, len(list))
		}
	}
	r := &cdxRequest{output: "cdxj", page: -1, pageSize: defaultPageSize}
	r.q.URL = values.Get("url")
	if r.q.URL == "" {
		return nil, errors.New("the parameter url is required")
	}
	switch m := values.Get("matchType"); m {
	case "":
		if rest, ok := strings.CutPrefix(r.q.URL, "*."); ok {
			r.q.URL, r.q.Match = rest, Domain
		} else if rest, ok := strings.CutSuffix(r.q.URL, "*"); ok {
			if r.q.URL, r.q.Match = rest, Prefix; rest == "" {
				r.q.Match = All
			}
		}
	case "exact":
	case "prefix", "host", "domain":
		r.q.Match = Match(m)
	default:
		return nil, fmt.Errorf("matchType is %q: it is one of exact, prefix, host, domain", m)
	}
	if r.q.Match != All {
		if _, _, err := prefixes(r.q.URL, r.q.Match); err != nil {
			return nil, err
		}
	}
	if r.q.From, err = bound(values, "from", false); err != nil {
		return nil, err
	}
	if r.q.To, err = bound(values, "to", true); err != nil {
		return nil, err
	}
	if r.q.Closest, err = bound(values, "closest", false); err != nil {
		return nil, err
	}
	switch s := Sort(values.Get("sort")); {
	case s == ByKey && !r.q.Closest.IsZero():
		r.q.Sort = Closest
	case s == ByKey, s == Reverse, s == Closest && !r.q.Closest.IsZero():
		r.q.Sort = s
	case s == Closest:
		return nil, errors.New("sort=closest needs closest=TIMESTAMP")
	default:
		return nil, fmt.Errorf("sort is %q: it is reverse or closest", s)
	}
	if r.q.Sort == Closest && r.q.Match != Exact {
		return nil, errors.New("closest is for one URL: matchType=exact")
	}
	if r.q.Limit, err = count(values, "limit", 1<<31-1); err != nil {
		return nil, err
	}
	for _, text := range values["filter"] {
		f, err := ParseFilter(text)
		if err != nil {
			return nil, err
		}
		r.q.Filters = append(r.q.Filters, f)
	}
	for _, name := range []string{"fl", "fields"} {
		for field := range strings.SplitSeq(values.Get(name), ",") {
			if field = strings.TrimSpace(field); field != "" {
				r.fields = append(r.fields, canonicalField(field))
			}
		}
	}
	switch r.output = values.Get("output"); r.output {
	case "":
		r.output = "cdxj"
	case "cdxj", "json", "text":
	default:
		return nil, fmt.Errorf("output is %q: it is one of cdxj, json, text", r.output)
	}
	return r, r.more(values)
}

// more reads the parameters that are about which lines are given.
func (r *cdxRequest) more(values url.Values) error {
	for _, text := range values["collapse"] {
		field, number, ok := strings.Cut(text, ":")
		c := collapse{fields: []string{canonicalField(field)}}
		if ok {
			n, err := strconv.Atoi(number)
			if err != nil || n < 1 {
				return fmt.Errorf("collapse is %q: it is FIELD or FIELD:N", text)
			}
			c.first = n
		}
		r.collapse = append(r.collapse, c)
	}
	n, err := count(values, "collapseTime", maxTimestamp)
	if err != nil {
		return err
	}
	if n > 0 {
		r.collapse = append(r.collapse, collapse{fields: []string{"timestamp", "status"}, first: n})
	}
	if r.resolve, err = flag(values, "resolveRevisits"); err != nil {
		return err
	}
	if r.count, err = flag(values, "showNumPages"); err != nil {
		return err
	}
	if text := values.Get("page"); text != "" {
		if r.page, err = strconv.ParseInt(text, 10, 32); err != nil || r.page < 0 {
			return fmt.Errorf("page is %q: it is a number from 0", text)
		}
	}
	if n, err = count(values, "pageSize", maxPageSize); err != nil {
		return err
	}
	if n > 0 {
		r.pageSize = int64(n)
	}
	if (r.page >= 0 || r.count) && r.q.Sort == Closest {
		return errors.New("there are no pages in the order of closest")
	}
	return nil
}

// count reads a parameter that is a number from 1; 0: it is not given.
func count(values url.Values, name string, most int) (int, error) {
	text := values.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%s is %q: it is a number from 1 to %d", name, text, most)
	}
	return n, nil
}

func flag(values url.Values, name string) (bool, error) {
	switch text := values.Get(name); text {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, fmt.Errorf("%s is %q: it is true or false", name, text)
	}
}

// bound reads a time of 4 to 14 digits; the end of the year, month, day that it
// names if last.
func bound(values url.Values, name string, last bool) (time.Time, error) {
	text := values.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := ParseTimestamp(text, last)
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// ParseTimestamp reads a timestamp of 14 digits, or of fewer: a year, a month, a
// day, an hour, a minute, of which it gives the first or the last second.
func ParseTimestamp(text string, last bool) (time.Time, error) {
	const layout = "20060102150405"
	var t time.Time
	err := errors.New("not of that length")
	if n := len(text); n >= 4 && n <= 14 && n%2 == 0 {
		t, err = time.Parse(layout[:n], text)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a timestamp: write 2026, 202611, 20261123 or more, up to 14 digits", text)
	}
	if !last {
		return t, nil
	}
	switch len(text) {
	case 4:
		t = t.AddDate(1, 0, 0)
	case 6:
		t = t.AddDate(0, 1, 0)
	case 8:
		t = t.AddDate(0, 0, 1)
	case 10:
		t = t.Add(time.Hour)
	case 12:
		t = t.Add(time.Minute)
	default:
		return t, nil
	}
	return t.Add(-time.Second), nil
}

// addOriginal adds where the payload of a revisit lies, as pywb does.
func (x *Index) addOriginal(ctx context.Context, e *Entry) error {
	values := []string{"-", "-", "-"}
	if e.Revisit() && e.Digest != "" {
		for o, err := range x.Find(ctx, Query{Digest: e.Digest}) {
			if err != nil {
				return err
			}
			if !o.Revisit() {
				values = []string{strconv.FormatInt(o.Length, 10), strconv.FormatInt(o.Offset, 10), o.Filename}
				e.MIME, e.Status = o.MIME, o.Status
				break
			}
		}
	}
	for i, name := range []string{"orig.length", "orig.offset", "orig.filename"} {
		value, err := json.Marshal(values[i])
		if err != nil {
			return err
		}
		e.Extra = append(e.Extra, cdx.Extra{Name: name, Value: value})
	}
	return nil
}

// line appends a line of the answer.
func (r *cdxRequest) line(b []byte, l *cdx.Line) []byte {
	if r.output == "cdxj" && r.fields == nil {
		return l.Append(b)
	}
	names := r.fields
	if names == nil {
		names = slices.Clone(fieldNames)
		for _, x := range l.Extra {
			names = append(names, x.Name)
		}
	}
	if r.output == "text" {
		for i, name := range names {
			if i > 0 {
				b = append(b, ' ')
			}
			value, ok := Field(l, name)
			if !ok {
				value = "-"
			}
			b = append(b, strings.ReplaceAll(value, " ", "%20")...)
		}
		return b
	}
	if r.output == "cdxj" {
		b = append(append(append(append(b, l.Key...), ' '), l.Timestamp...), ' ')
	}
	b = append(b, '{')
	start := len(b)
	for _, name := range names {
		if r.output == "cdxj" && (name == "urlkey" || name == "timestamp") {
			continue
		}
		value, ok := Field(l, name)
		if !ok {
			continue
		}
		if len(b) > start {
			b = append(b, ", "...)
		}
		b = appendJSON(b, name)
		b = append(b, ": "...)
		b = appendJSON(b, value)
	}
	return append(b, '}')
}

func appendJSON(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, text...)
}
