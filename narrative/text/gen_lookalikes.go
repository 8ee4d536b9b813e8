//go:build ignore

// Command gen_lookalikes writes lookalikes.txt and simplified.txt, the two
// tables of characters that normalisation folds.
//
//	go run gen_lookalikes.go -confusables confusables.json -opencc TSCharacters.txt
//
// confusables.json is Unicode's confusables data (UTS #39) as Debian's package
// python3-confusable-homoglyphs ships it: character → list of {"c": look-alike}.
// TSCharacters.txt is the traditional → simplified table of OpenCC, as the Go
// module github.com/longbridgeapp/opencc ships it (Apache-2.0).
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Only letters of these scripts are folded to Latin: in others (Arabic heh,
// Devanagari zero) a likeness to o or l would join words that nobody confuses.
var scripts = []*unicode.RangeTable{unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu, unicode.Deseret}

func main() {
	log.SetFlags(0)
	confusables := flag.String("confusables", "", "confusables.json")
	opencc := flag.String("opencc", "", "TSCharacters.txt")
	flag.Parse()

	data, err := os.ReadFile(*confusables)
	if err != nil {
		log.Fatal(err)
	}
	var table map[string][]struct{ C string }
	if err := json.Unmarshal(data, &table); err != nil {
		log.Fatal(err)
	}
	// ascii gives the one ASCII letter that c looks like, in lower case.
	ascii := func(r rune) rune {
		found := rune(0)
		for _, c := range table[string(r)] {
			t := []rune(c.C)
			if len(t) != 1 || t[0] > 'z' || !unicode.IsLetter(t[0]) {
				continue
			}
			// Where a character looks like both i and l, l is Unicode's prototype.
			if l := unicode.ToLower(t[0]); found == 0 || t[0] == unicode.ToLower(t[0]) {
				found = l
			}
		}
		return found
	}
	var lines []string
	for r := rune(0x80); r < 0x20000; r++ {
		if !unicode.IsLetter(r) || !unicode.In(r, scripts...) || unicode.ToLower(r) != r || norm.NFKD.String(string(r)) != string(r) {
			continue // folded before this table is asked
		}
		// The lower-case letter decides; a letter like в, whose capital alone has
		// a look-alike, follows its capital, so that both cases fold alike.
		t := ascii(r)
		if t == 0 {
			t = ascii(unicode.ToUpper(r))
		}
		if t != 0 {
			lines = append(lines, string(r)+string(t))
		}
	}
	write("lookalikes.txt", lines)

	f, err := os.Open(*opencc)
	if err != nil {
		log.Fatal(err)
	}
	lines = nil
	for sc := bufio.NewScanner(f); sc.Scan(); {
		from, to, ok := strings.Cut(sc.Text(), "\t")
		if to, _, _ = strings.Cut(to, " "); ok && len([]rune(from)) == 1 && len([]rune(to)) == 1 && from != to {
			lines = append(lines, from+to)
		}
	}
	write("simplified.txt", lines)
}

func write(name string, lines []string) {
	sort.Strings(lines)
	if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	fmt.Println(name, len(lines))
}
