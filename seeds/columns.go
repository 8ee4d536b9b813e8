package seeds

import (
	"fmt"
	"strings"
)

// A column is what the cells of one column look like.
type column struct {
	index     int
	name      string
	filled    int
	addresses int // cells that are or hold web addresses, or short forms of seeds
	bare      int // cells that look like addresses without scheme
	platforms int // cells that are names of platforms
	handles   int // cells that could be a handle
	at        int // of them, those with "@"
}

// sheet takes the seeds of a list or table.
func (r *reader) sheet(s sheet) {
	width := 0
	for _, row := range s.rows {
		width = max(width, len(row))
	}
	r.list.Rows += len(s.rows)
	if s.list || width == 1 {
		for i, row := range s.rows {
			if i == 0 && len(s.rows) > 1 && isHeading(row[0].text) {
				continue
			}
			r.take(row[0])
		}
		return
	}
	rows, names := s.rows, []cell(nil)
	if len(rows) > 1 && noSeedIn(rows[0]) {
		rows, names = rows[1:], rows[0]
	}
	columns := make([]column, width)
	for i := range columns {
		columns[i] = look(rows, i)
		if i < len(names) {
			columns[i].name = names[i].text
		}
	}
	taken := r.addressColumns(rows, columns)
	if p, h := pair(columns); p >= 0 && (!taken || columns[h].name != "") {
		r.handleColumns(rows, columns, p, h, taken)
		taken = true
	}
	if !taken && len(rows) > 0 {
		r.list.Faults = append(r.list.Faults, Fault{Place: rows[0][0].place, Text: rows[0][0].text, Why: "no column of this table holds addresses, or platforms with handles"})
	}
}

// isHeading reports whether the first line of a list is its name.
func isHeading(s string) bool {
	return !strings.ContainsAny(s, "./:@") && !short.MatchString(s)
}

func noSeedIn(row []cell) bool {
	for _, c := range row {
		if c.link != "" || address.MatchString(c.text) || short.MatchString(c.text) || bare.MatchString(c.text) {
			return false
		}
	}
	return true
}

// look counts what the cells of a column are.
func look(rows [][]cell, i int) column {
	c := column{index: i}
	for _, row := range rows {
		if i >= len(row) || isBlank(row[i].text) && row[i].link == "" {
			continue
		}
		text := row[i].text
		c.filled++
		_, platform := platformNamed(text)
		switch {
		case row[i].link != "", address.MatchString(text), short.MatchString(text):
			c.addresses++
		case platform:
			c.platforms++
		case bare.MatchString(text):
			c.bare++
		}
		if isHandle(text) {
			c.handles++
			if strings.HasPrefix(text, "@") {
				c.at++
			}
		}
	}
	return c
}

// addressColumns takes the seeds of the columns whose cells are addresses: at
// least half of them, or those that are named as such.
func (r *reader) addressColumns(rows [][]cell, columns []column) bool {
	var use []int
	for _, c := range columns {
		named := hasWord(c.name, "url", "link", "address", "seed", "website", "site", "domain", "feed", "profile", "homepage", "channel")
		switch {
		case c.filled == 0:
		case 2*c.addresses >= c.filled && prose(rows, c.index) < 0.5, named && 2*(c.addresses+c.bare) >= c.filled, c.name == "" && 10*(c.addresses+c.bare) >= 9*c.filled && c.addresses+c.bare > 0:
			use = append(use, c.index)
			r.list.Columns = append(r.list.Columns, label(c))
		}
	}
	for _, row := range rows {
		for _, i := range use {
			if i < len(row) {
				r.take(row[i])
			}
		}
	}
	return len(use) > 0
}

// prose is the share of a column's cells in which addresses stand among other
// words: the texts of posts, which name others' pages, not seeds.
func prose(rows [][]cell, i int) float64 {
	filled, long := 0, 0
	for _, row := range rows {
		if i >= len(row) || isBlank(row[i].text) {
			continue
		}
		filled++
		if rest := address.ReplaceAllString(row[i].text, ""); len(strings.Fields(rest)) > 5 && row[i].link == "" {
			long++
		}
	}
	return float64(long) / float64(max(filled, 1))
}

func label(c column) string {
	if c.name != "" {
		return c.name
	}
	return fmt.Sprintf("column %d", c.index+1)
}

// pair finds the column of platforms and the one of handles beside it; -1 if
// there are none.
func pair(columns []column) (platforms, handles int) {
	platforms, handles = -1, -1
	for _, c := range columns {
		if c.filled > 0 && 10*c.platforms >= 8*c.filled && platforms < 0 {
			platforms = c.index
		}
	}
	if platforms < 0 {
		return -1, -1
	}
	best := 0
	for _, c := range columns {
		if c.index == platforms || c.filled == 0 || 10*c.handles < 8*c.filled {
			continue
		}
		score := 0
		switch {
		case 2*c.at >= c.filled:
			score = 3
		case hasWord(c.name, "handle", "username", "user", "screen", "account"):
			score = 2
		}
		if score > best {
			best, handles = score, c.index
		}
	}
	if handles < 0 {
		return -1, -1
	}
	return platforms, handles
}

// handleColumns takes the seeds of rows that name a platform and a handle. Where
// addresses were taken, only of rows without one.
func (r *reader) handleColumns(rows [][]cell, columns []column, p, h int, addresses bool) {
	r.list.Columns = append(r.list.Columns, label(columns[p])+" with "+label(columns[h]))
	for _, row := range rows {
		if p >= len(row) || h >= len(row) || isBlank(row[h].text) {
			continue
		}
		if addresses && !noSeedIn(row) {
			continue
		}
		platform, ok := platformNamed(row[p].text)
		if !ok {
			r.list.Faults = append(r.list.Faults, Fault{Place: row[p].place, Text: row[p].text, Why: "no platform of that name is known, so the handle beside it is of no use"})
			continue
		}
		r.take(cell{text: platform + ":@" + strings.TrimPrefix(row[h].text, "@"), place: row[h].place})
	}
}

// platformNamed gives the registry name of a platform that people write in a
// cell.
func platformNamed(s string) (string, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimSuffix(strings.TrimPrefix(s, "www."), ".com")
	switch s {
	case "youtube", "tiktok", "medium", "x", "instagram", "facebook", "reddit", "tumblr", "livejournal", "pinterest", "vimeo":
		return s, true
	case "twitter", "x/twitter", "x (twitter)", "twitter/x", "twitter (x)":
		return "x", true
	case "fb", "meta":
		return "facebook", true
	case "ig", "insta":
		return "instagram", true
	case "yt":
		return "youtube", true
	case "lj":
		return "livejournal", true
	}
	return "", false
}

func isHandle(s string) bool {
	s = strings.TrimPrefix(s, "@")
	if s == "" || len(s) > 64 || strings.ContainsAny(s, " \t/:?#") {
		return false
	}
	if _, platform := platformNamed(s); platform {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return r < 0x80 && !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_.-+", r))
	}) < 0
}

// hasWord reports whether a column's name has one of the words in it.
func hasWord(name string, words ...string) bool {
	name = strings.ToLower(name)
	for _, w := range words {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}
