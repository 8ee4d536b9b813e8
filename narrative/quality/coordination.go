package main

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/narrative/coord"
)

// An expectedNetwork is a case of coordination/expected.json.
type expectedNetwork struct {
	Data             string
	Window           int  `json:"window_s"`
	MinParticipation int  `json:"min_participation"`
	RemoveLoops      bool `json:"remove_loops"`
	Pairs, Accounts  int
	Objects, Nodes   int
	Edges            int
	SumW             int `json:"sum_w"`
	MaxW             int `json:"max_w"`
	Thr              float64
	Above, Comp      int
	Largest          int
	R                bool // made by R's CooRTweet itself
}

// coordination compares package coord with the networks that CooRTweet and the
// QUT toolkit make of the same rows, and asks its null model for rows whose times
// were shuffled and for an operation planted into real rows.
func coordination(dir string, o options) ([]Table, error) {
	dir = filepath.Join(dir, "coordination")
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		return nil, err
	}
	var expected struct {
		Cases []expectedNetwork
		QUT   struct {
			File  string
			Cases [][4]any
		}
	}
	if err := json.Unmarshal(data, &expected); err != nil {
		return nil, fmt.Errorf("expected.json: %w", err)
	}
	nets := Table{Part: "coordination", Title: "networks against those of CooRTweet (R) and of an independent program",
		Columns: []string{"data", "window s", "min participation", "loops", "made by", "pairs", "accounts", "edges", "components", "all figures"}}
	cache := map[string][]map[string]string{}
	exact := 0
	for _, c := range expected.Cases {
		rows, err := coordRows(dir, cache, c.Data)
		if err != nil {
			return nil, err
		}
		n, err := coord.Detect(slices.Values(rows), coord.Options{Window: time.Duration(c.Window) * time.Second,
			MinParticipation: c.MinParticipation, KeepLoops: !c.RemoveLoops,
			// Of german_elections rows are there twice; the expected figures count
			// each once. The Russian ones, of which three are R's, take rows as they are.
			DropRepeats: strings.HasPrefix(c.Data, "german")})
		if err != nil {
			return nil, err
		}
		verdict := "equal"
		if d := c.differences(n); len(d) > 0 {
			verdict = strings.Join(d, ", ")
		} else {
			exact++
		}
		by, loops := "program", "dropped"
		if c.R {
			by = "R"
		}
		if !c.RemoveLoops {
			loops = "kept"
		}
		nets.Rows = append(nets.Rows, []string{c.Data, fmt.Sprint(c.Window), fmt.Sprint(c.MinParticipation), loops, by,
			fmt.Sprint(n.Pairs), fmt.Sprint(len(n.Accounts)), fmt.Sprint(len(n.Edges)), fmt.Sprint(len(n.Components())), verdict})
	}
	nets.Notes = append(nets.Notes, fmt.Sprintf("%d of %d cases equal in every figure", exact, len(expected.Cases)))

	lines, err := csvMaps(filepath.Join(dir, expected.QUT.File))
	if err != nil {
		return nil, err
	}
	var messages []coord.Message
	for _, m := range lines {
		sec, err := strconv.ParseFloat(m["timestamp"], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", expected.QUT.File, err)
		}
		messages = append(messages, coord.Message{ID: m["message_id"], User: m["user_id"], Repost: m["repost_id"], Text: m["message"], Time: sec})
	}
	qut := Table{Part: "coordination", Title: "co-retweets against the QUT toolkit's own assertions", Columns: []string{"window s", "min weight", "loops", "nodes", "expected"}}
	for _, c := range expected.QUT.Cases {
		window, ok1 := c[0].(float64)
		weight, ok2 := c[1].(float64)
		loops, ok3 := c[2].(bool)
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("expected.json: a QUT case is %v", c)
		}
		edges, err := coord.Toolkit(slices.Values(messages), coord.CoRetweet, coord.ToolkitOptions{
			Window: time.Duration(window) * time.Second, MinWeight: int(weight), Loops: loops})
		if err != nil {
			return nil, err
		}
		nodes := map[string]bool{}
		for _, e := range edges {
			nodes[e.From], nodes[e.To] = true, true
		}
		qut.Rows = append(qut.Rows, []string{fmt.Sprint(window), fmt.Sprint(weight), fmt.Sprint(loops), fmt.Sprint(len(nodes)), fmt.Sprint(c[3])})
	}
	null, err := nullModel(dir, cache, expected.Cases)
	if err != nil {
		return nil, err
	}
	return []Table{nets, qut, null}, nil
}

// differences names the figures of a network that are not as expected.
func (c expectedNetwork) differences(n coord.Network) (list []string) {
	sum, most, above := 0, 0, 0
	for _, e := range n.Edges {
		sum += e.Weight
		most = max(most, e.Weight)
		if e.Above {
			above++
		}
	}
	comp, largest := n.Components(), 0
	if len(comp) > 0 {
		largest = len(comp[0])
	}
	for _, x := range []struct {
		name      string
		got, want float64
	}{
		{"pairs", float64(n.Pairs), float64(c.Pairs)}, {"accounts", float64(len(n.Accounts)), float64(c.Accounts)}, {"nodes", float64(len(n.Accounts)), float64(c.Nodes)},
		{"objects", float64(n.Objects), float64(c.Objects)}, {"edges", float64(len(n.Edges)), float64(c.Edges)}, {"sum of weights", float64(sum), float64(c.SumW)},
		{"largest weight", float64(most), float64(c.MaxW)}, {"threshold", n.Threshold, c.Thr}, {"above it", float64(above), float64(c.Above)},
		{"components", float64(len(comp)), float64(c.Comp)}, {"largest component", float64(largest), float64(c.Largest)},
	} {
		if x.got != x.want {
			list = append(list, fmt.Sprintf("%s %v, not %v", x.name, x.got, x.want))
		}
	}
	return list
}

// nullModel counts the edges that the null model finds surprising.
func nullModel(dir string, cache map[string][]map[string]string, cases []expectedNetwork) (Table, error) {
	t := Table{Part: "coordination", Title: "null model, window of 60 s: edges with P below 0.01",
		Columns: []string{"rows", "edges", "below 0.01", "share"},
		Notes: []string{"shuffled: the times of each account are permuted among its rows, so nothing is coordinated: at most 1 % should be below",
			"planted: 20 accounts share 25 of the data's objects, each of them 8 times in 10, within 40 s, and 30 more at times of their own: at least 90 % of their 190 edges should be below"}}
	done := map[string]bool{}
	for _, c := range cases {
		if done[c.Data] {
			continue
		}
		done[c.Data] = true
		rows, err := coordRows(dir, cache, c.Data)
		if err != nil {
			return t, err
		}
		random := rand.New(rand.NewPCG(7, 2))
		count := func(name string, rows []coord.Row, keep func(coord.Edge) bool) error {
			n, err := coord.Detect(slices.Values(rows), coord.Options{Window: time.Minute, NullModel: true})
			if err != nil {
				return err
			}
			below, all := 0, 0
			for _, e := range n.Edges {
				if keep(e) {
					all++
					if e.P < 0.01 {
						below++
					}
				}
			}
			t.Rows = append(t.Rows, []string{c.Data + ", " + name, fmt.Sprint(all), fmt.Sprint(below), f3(float64(below) / float64(max(all, 1)))})
			return nil
		}
		every := func(coord.Edge) bool { return true }
		if err := count("as they are", rows, every); err != nil {
			return t, err
		}
		if err := count("shuffled", shuffledTimes(random, rows), every); err != nil {
			return t, err
		}
		if err := count("planted", append(slices.Clone(rows), plantedRows(random, rows)...), func(e coord.Edge) bool {
			return coord.Platform(e.A) == "planted" && coord.Platform(e.B) == "planted"
		}); err != nil {
			return t, err
		}
	}
	return t, nil
}

func shuffledTimes(r *rand.Rand, rows []coord.Row) []coord.Row {
	rows = slices.Clone(rows)
	byAccount := map[string][]int{}
	var names []string
	for i, x := range rows {
		if byAccount[x.Account] == nil {
			names = append(names, x.Account)
		}
		byAccount[x.Account] = append(byAccount[x.Account], i)
	}
	for _, name := range names {
		at := byAccount[name]
		r.Shuffle(len(at), func(i, j int) { rows[at[i]].Time, rows[at[j]].Time = rows[at[j]].Time, rows[at[i]].Time })
	}
	return rows
}

// plantedRows is an operation that shares objects and hours of real rows.
func plantedRows(r *rand.Rand, rows []coord.Row) (list []coord.Row) {
	const members, acts, noise = 20, 25, 30
	key := func(m int) string { return coord.AccountKey("planted", fmt.Sprint(m)) }
	for act := range acts {
		x := rows[r.IntN(len(rows))]
		for m := range members {
			if r.IntN(10) < 8 {
				list = append(list, coord.Row{Object: x.Object, Account: key(m), Content: fmt.Sprintf("planted %d %d", m, act), Time: x.Time + int64(r.IntN(40))})
			}
		}
	}
	for m := range members {
		for k := range noise {
			object, at := rows[r.IntN(len(rows))].Object, rows[r.IntN(len(rows))].Time
			list = append(list, coord.Row{Object: object, Account: key(m), Content: fmt.Sprintf("noise %d %d", m, k), Time: at})
		}
	}
	return list
}

// coordRows gives the rows of a case: "russian", or of the German file a column
// of objects and perhaps the platform, "german url_id fb".
func coordRows(dir string, cache map[string][]map[string]string, data string) ([]coord.Row, error) {
	words := strings.Fields(data)
	file := map[string]string{"russian": "russian_coord_tweets.csv.gz", "german": "german_elections.csv.gz"}[words[0]]
	if file == "" {
		return nil, fmt.Errorf("expected.json: there are no rows for %q", data)
	}
	if cache[file] == nil {
		lines, err := csvMaps(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		cache[file] = lines
	}
	var rows []coord.Row
	for n, m := range cache[file] {
		r := coord.Row{Object: m["object_id"], Account: m["account_id"], Content: m["content_id"]}
		stamp := m["timestamp_share"]
		if words[0] == "german" {
			r.Object, r.Content, stamp = m[words[1]], m["post_id"], m["timestamp"]
			if r.Object == "" || len(words) == 3 && !strings.HasPrefix(r.Account, words[2]+"_") {
				continue
			}
			r.Object = words[1] + " " + r.Object // numbers of different columns are not ids of one another
		}
		sec, err := strconv.ParseFloat(stamp, 64)
		if err != nil {
			return nil, fmt.Errorf("%s, row %d: %w", file, n+1, err)
		}
		r.Time = int64(sec)
		rows = append(rows, r)
	}
	return rows, nil
}

// csvMaps reads a CSV file, gzipped or not, as one map for each line.
func csvMaps(name string) ([]map[string]string, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		in = z
	}
	lines, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	var list []map[string]string
	for _, line := range lines[1:] {
		m := map[string]string{}
		for i, cell := range line {
			m[strings.TrimPrefix(lines[0][i], "\ufeff")] = cell
		}
		list = append(list, m)
	}
	return list, nil
}
