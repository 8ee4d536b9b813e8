// Package refrain_test holds the tests that are about the repository as a whole.
package refrain_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/refrain-archive/refrain/"

type goPackage struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// importTable reads the table of ARCHITECTURE.md: package → what it may import.
func importTable(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	names := func(cell string) []string {
		var list []string
		for _, m := range code.FindAllStringSubmatch(cell, -1) {
			list = append(list, m[1])
		}
		return list
	}
	table := map[string][]string{}
	for line := range strings.SplitSeq(string(data), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if !strings.HasPrefix(line, "| `") || len(cells) < 2 {
			continue
		}
		for len(cells) < 3 {
			cells = append(cells, "")
		}
		for _, name := range names(cells[0]) {
			if name == "crawlers/PLATFORM" {
				for _, platform := range names(cells[1]) {
					table["crawlers/"+platform] = names(cells[2])
				}
				continue
			}
			table[name] = names(cells[2])
		}
	}
	return table
}

func TestImportsGoDownOnly(t *testing.T) {
	table := importTable(t)
	if len(table) < 10 {
		t.Fatalf("the table of ARCHITECTURE.md has %d rows", len(table))
	}
	seen := map[string]bool{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name == strings.TrimSuffix(module, "/") {
			continue
		}
		seen[name] = true
		allowed, known := table[name]
		if !known && strings.HasPrefix(name, "internal/") {
			allowed, known = []string{"post", "internal/*"}, true
		}
		if !known {
			t.Errorf("package %s has no row in the table of ARCHITECTURE.md", name)
			continue
		}
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module); ok && !allows(allowed, ours, table) {
				t.Errorf("%s imports %s: its row in ARCHITECTURE.md allows %v", name, ours, allowed)
			}
		}
	}
	for name := range table {
		if !seen[name] {
			t.Errorf("ARCHITECTURE.md has a row for %s, which does not exist", name)
		}
	}
}

func allows(allowed []string, name string, table map[string][]string) bool {
	for _, a := range allowed {
		if a == "*" || a == name {
			return true
		}
		if ok, err := path.Match(a, name); err == nil && ok {
			return true
		}
		if a == "crawlers/PLATFORM" {
			if _, known := table[name]; known && strings.HasPrefix(name, "crawlers/") {
				return true
			}
		}
	}
	return false
}
