// Command quality measures the linking of narratives on labelled data and
// prints tables: recall, precision and false links for each kind of change.
//
//	go run ./narrative/quality [-json] [-part NAME] DIR
//
// DIR is laid out as the project's datasets are: repost-bench/index.jsonl.gz and
// queries.jsonl.gz, paraphrase/*.tsv.gz, images/, video/*.mp4 and so on. Parts
// that DIR has not are named and left out. Thresholds are those of the packages
// that link; nothing is fitted, and where a best threshold is shown beside them,
// that is said.
//
// A part is a function in a file of its own, named in parts.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/pprof"
	"strings"
)

// A Table is one measurement.
type Table struct {
	Part    string     `json:"part"`
	Title   string     `json:"title"`
	Columns []string   `json:"columns"`
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes,omitempty"`
}

// A part measures one folder of the data. It gives an error that is
// fs.ErrNotExist when the data, or a program that it needs, is absent.
type part struct {
	name string
	run  func(dir string, o options) ([]Table, error)
}

// parts are measured in this order, which is that of the printed tables.
var parts = []part{
	{"repost-bench", repostBench},
	{"repost-more", repostMore},
	{"repost-unseen", unseen},
	{"paraphrase", paraphrase},
	{"ira-2017-08", iraMonth},
	{"ira-pairs", iraLabels},
	{"coordination", coordination},
	{"images", images},
	{"video", videos},
	{"crosslingual", crosslingual},
	{"speed", speed},
}

func partNames() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}

type options struct {
	show int // how many wrong answers to show
	each int // of the queries, take every each-th: 1 is all
}

func main() {
	asJSON := flag.Bool("json", false, "print JSON instead of tables")
	only := flag.String("part", "", "measure these parts only, separated by commas: "+partNames())
	show := flag.Int("show", 0, "also print up to this many wrong answers of each kind")
	each := flag.Int("every", 1, "take every n-th query only")
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: quality [-json] [-part NAME,…] [-show N] [-every N] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 || *each < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err == nil {
			err = pprof.StartCPUProfile(f)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "quality:", err)
			os.Exit(1)
		}
	}
	tables, absent, err := measure(flag.Arg(0), *only, options{show: *show, each: *each})
	pprof.StopCPUProfile()
	if err == nil {
		err = write(os.Stdout, tables, absent, *asJSON)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func measure(dir, only string, o options) (tables []Table, absent []string, err error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, nil, err
	}
	wanted := map[string]bool{}
	for _, name := range strings.FieldsFunc(only, func(r rune) bool { return r == ',' }) {
		wanted[name] = true
	}
	for _, p := range parts {
		if len(wanted) > 0 && !wanted[p.name] {
			continue
		}
		delete(wanted, p.name)
		t, err := p.run(dir, o)
		if errors.Is(err, fs.ErrNotExist) {
			absent = append(absent, fmt.Sprintf("%s: %v", p.name, err))
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.name, err)
		}
		tables = append(tables, t...)
		if only != "" && len(wanted) == 0 {
			break
		}
	}
	for name := range wanted {
		return nil, nil, fmt.Errorf("there is no part %q", name)
	}
	return tables, absent, nil
}

func write(w io.Writer, tables []Table, absent []string, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Tables []Table  `json:"tables"`
			Absent []string `json:"absent"`
		}{tables, absent})
	}
	for _, t := range tables {
		fmt.Fprintf(w, "%s: %s\n", t.Part, t.Title)
		width := make([]int, len(t.Columns))
		for _, row := range append([][]string{t.Columns}, t.Rows...) {
			for i, c := range row {
				width[i] = max(width[i], len([]rune(c)))
			}
		}
		for _, row := range append([][]string{t.Columns}, t.Rows...) {
			for i, c := range row {
				pad := strings.Repeat(" ", width[i]-len([]rune(c)))
				if i == 0 {
					fmt.Fprintf(w, "  %s%s", c, pad)
				} else {
					fmt.Fprintf(w, "  %s%s", pad, c)
				}
			}
			fmt.Fprintln(w)
		}
		for _, n := range t.Notes {
			fmt.Fprintf(w, "  %s\n", n)
		}
		fmt.Fprintln(w)
	}
	for _, a := range absent {
		fmt.Fprintf(w, "left out: %s\n", a)
	}
	return nil
}
