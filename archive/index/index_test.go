package index

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
)

func TestFind(t *testing.T) {
	a := folder(t, archive.Options{})
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	record(t, a, "http://example.com/", "home 1", day(0))
	record(t, a, "https://www.example.com/path/", "path", day(1))
	record(t, a, "http://example.com/path/a?b=2&a=1", "arguments", day(2))
	rotate(t, a)
	record(t, a, "http://example.com/", "home 2", day(3))
	record(t, a, "http://blog.example.com/x", "blog", day(4))
	record(t, a, "http://example.com:8080/", "port", day(5))
	record(t, a, "http://example.community/", "other", day(6))
	if _, err := a.WriteResource(t.Context(), archive.Resource{URI: "urn:refrain:asset:sha256:ABC", ContentType: "application/json", Block: bytes.NewReader([]byte("{}")), Date: day(7)}); err != nil {
		t.Fatal(err)
	}
	rotate(t, a)
	record(t, a, "http://example.com/", "home 3", day(8)) // its segment stays open
	x := openIndex(t, a, t.TempDir())

	home := []string{"20261123120000 http://example.com/", "20261126120000 http://example.com/", "20261201120000 http://example.com/"}
	for _, test := range []struct {
		name string
		q    Query
		want []string
	}{
		{"exact, over finished and open segments", Query{URL: "example.com"}, home},
		{"exact, by another spelling", Query{URL: "HTTP://WWW.EXAMPLE.COM:80/#top"}, home},
		{"nothing", Query{URL: "http://example.org/"}, nil},
		{"arguments in any order", Query{URL: "http://example.com/path/a?a=1&b=2"}, []string{"20261125120000 http://example.com/path/a?b=2&a=1"}},
		{"prefix", Query{URL: "http://example.com/path/", Match: Prefix}, []string{"20261124120000 https://www.example.com/path/", "20261125120000 http://example.com/path/a?b=2&a=1"}},
		{"prefix that is no folder", Query{URL: "http://example.com/path/a/", Match: Prefix}, nil},
		{"prefix without a slash", Query{URL: "http://example.com/path", Match: Prefix}, []string{"20261124120000 https://www.example.com/path/", "20261125120000 http://example.com/path/a?b=2&a=1"}},
		{"host, any port", Query{URL: "http://example.com/ignored", Match: Host}, append(slices.Clone(home), "20261124120000 https://www.example.com/path/", "20261125120000 http://example.com/path/a?b=2&a=1", "20261128120000 http://example.com:8080/")},
		{"domain", Query{URL: "example.com", Match: Domain}, append(slices.Clone(home), "20261124120000 https://www.example.com/path/", "20261125120000 http://example.com/path/a?b=2&a=1", "20261127120000 http://blog.example.com/x", "20261128120000 http://example.com:8080/")},
		{"urn", Query{URL: "urn:refrain:asset:sha256:ABC"}, []string{"20261130120000 urn:refrain:asset:sha256:ABC"}},
		{"urn prefix", Query{URL: "urn:refrain:asset:", Match: Prefix}, []string{"20261130120000 urn:refrain:asset:sha256:ABC"}},
		{"from", Query{URL: "example.com", From: day(3)}, home[1:]},
		{"to", Query{URL: "example.com", To: day(3)}, home[:2]},
		{"from and to of a domain", Query{URL: "example.com", Match: Domain, From: day(4), To: day(5)}, []string{"20261127120000 http://blog.example.com/x", "20261128120000 http://example.com:8080/"}},
		{"limit", Query{URL: "example.com", Limit: 2}, home[:2]},
		{"reverse", Query{URL: "example.com", Sort: Reverse}, []string{home[2], home[1], home[0]}},
		{"reverse, to", Query{URL: "example.com", Sort: Reverse, To: day(3)}, []string{home[1], home[0]}},
		{"reverse of a domain", Query{URL: "example.com", Match: Domain, Sort: Reverse, Limit: 3}, []string{"20261128120000 http://example.com:8080/", "20261127120000 http://blog.example.com/x", "20261125120000 http://example.com/path/a?b=2&a=1"}},
		{"closest", Query{URL: "example.com", Sort: Closest, Closest: day(4)}, []string{home[1], home[0], home[2]}},
		{"closest, behind all", Query{URL: "example.com", Sort: Closest, Closest: day(400), Limit: 2}, []string{home[2], home[1]}},
		{"closest, before all", Query{URL: "example.com", Sort: Closest, Closest: day(-400)}, home},
		{"closest, with bounds", Query{URL: "example.com", Sort: Closest, Closest: day(4), To: day(1)}, home[:1]},
		{"filter", Query{URL: "example.com", Match: Domain, Filters: filters(t, "=status:200", "~url:.*blog")}, []string{"20261127120000 http://blog.example.com/x"}},
		{"filter, not", Query{URL: "example.com", Match: Domain, Filters: filters(t, "!url:example.com/")}, []string{"20261128120000 http://example.com:8080/"}},
		{"the same for ReplayWeb.page", Query{URL: "http://example.com/path", SameKey: cdx.WebrecorderKey}, nil},
		{"digest", Query{Digest: one(t, x, Query{URL: "http://blog.example.com/x"}).Digest}, []string{"20261127120000 http://blog.example.com/x"}},
		{"digest that is not there", Query{Digest: "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}, nil},
		{"digest and URL", Query{URL: "example.com", Digest: one(t, x, Query{URL: "example.com", From: day(3)}).Digest}, home[1:2]},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := found(t, x, test.q); !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
	for _, e := range []Entry{one(t, x, Query{URL: "example.com", To: day(3), Sort: Reverse}), one(t, x, Query{URL: "example.com", From: day(5)})} {
		r, err := x.Record(t.Context(), e)
		want := "home 2"
		if e.Source.Open {
			want = "home 3"
		}
		if got := body(t, r, err); got != want {
			t.Errorf("the record of %s: %q, want %q", e.String(), got, want)
		}
	}
	for _, q := range []Query{{}, {URL: "x", Sort: "best"}, {URL: "x", Match: "near"}, {URL: "urn:x", Match: Host}, {URL: "x", Match: Host, Sort: Closest, Closest: noon}, {URL: "x", Sort: Closest}} {
		for _, err := range x.Find(t.Context(), q) {
			if err == nil {
				t.Errorf("%+v is no error", q)
			}
		}
	}

	// What was written to the open segment meanwhile; then it is finished.
	record(t, a, "http://example.com/", "home 4", day(9))
	if c := refresh(t, x); len(found(t, x, Query{URL: "example.com"})) != 4 {
		t.Errorf("the open segment was not read on: %+v", c)
	}
	rotate(t, a)
	if c := refresh(t, x); c.Sources != 1 || len(found(t, x, Query{URL: "example.com"})) != 4 {
		t.Errorf("after the segment was finished: %+v, %v", c, found(t, x, Query{URL: "example.com"}))
	}
	if c := refresh(t, x); c.Sources+c.Removed != 0 || c.Lines != 0 {
		t.Errorf("an update without anything new: %+v", c)
	}
}

func filters(t *testing.T, list ...string) (out []Filter) {
	for _, s := range list {
		f, err := ParseFilter(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

// TestManySegments compares what is found in many runs, merged on the way, with
// what a plain search finds.
func TestManySegments(t *testing.T) {
	a := folder(t, archive.Options{})
	random := rand.New(rand.NewPCG(7, 8))
	type line struct{ url, stamp string }
	var all []line
	dir := t.TempDir()
	x, err := Open(t.Context(), Options{Dir: dir, Archive: a, memory: 2000})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for range 12 {
		for range 1 + random.IntN(60) {
			url := fmt.Sprintf("http://h%d.example/%d", random.IntN(4), random.IntN(30))
			at := noon.Add(time.Duration(random.IntN(1000)) * time.Second)
			record(t, a, url, fmt.Sprint(random.Uint64()), at)
			all = append(all, line{url, cdx.Timestamp(at)})
		}
		rotate(t, a)
		refresh(t, x)
	}
	slices.SortStableFunc(all, func(a, b line) int {
		return strings.Compare(cdx.SURT(a.url)+" "+a.stamp, cdx.SURT(b.url)+" "+b.stamp)
	})
	expect := func(wanted func(line) bool) (want []string) {
		for _, l := range all {
			if wanted(l) {
				want = append(want, l.stamp+" "+l.url)
			}
		}
		return want
	}
	check := func(q Query, wanted func(line) bool) {
		t.Helper()
		want := expect(wanted)
		if got := found(t, x, q); !slices.Equal(got, want) {
			t.Errorf("%+v: got %d, want %d\n%v\n%v", q, len(got), len(want), got, want)
		}
		q.Sort = Reverse
		slices.Reverse(want)
		if got := found(t, x, q); !slices.Equal(got, want) {
			t.Errorf("%+v: got %d, want %d", q, len(got), len(want))
		}
	}
	checkAll := func() {
		t.Helper()
		for h := range 4 {
			check(Query{URL: fmt.Sprintf("http://h%d.example/", h), Match: Host}, func(l line) bool { return strings.HasPrefix(l.url, fmt.Sprintf("http://h%d.", h)) })
			for p := range 31 {
				url := fmt.Sprintf("http://h%d.example/%d", h, p)
				check(Query{URL: url}, func(l line) bool { return l.url == url })
			}
		}
		check(Query{URL: "example", Match: Domain}, func(line) bool { return true })
		check(Query{Match: All}, func(line) bool { return true })
	}
	checkAll()
	if s := x.Stats(); s.Lines != int64(len(all)) || s.Runs > 8 {
		t.Errorf("%+v of %d captures", s, len(all))
	}
	for _, l := range all {
		e := one(t, x, Query{URL: l.url, From: mustTime(l.stamp), To: mustTime(l.stamp)})
		if same := found(t, x, Query{Digest: e.Digest}); len(same) < 1 {
			t.Errorf("%s is not found by its digest", l.url)
		}
	}

	// Another process sees the same; and so does an index that is made anew.
	x.Close()
	x = openIndex(t, a, dir)
	checkAll()
	x.Close()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	x = openIndex(t, a, dir)
	checkAll()
}

func mustTime(stamp string) time.Time {
	l := cdx.Line{Timestamp: stamp}
	return l.Time()
}

// TestDamage changes each byte region of the index's files: whatever is damaged
// is noticed, and the next Update makes the index anew.
func TestDamage(t *testing.T) {
	a := folder(t, archive.Options{})
	for i := range 200 {
		record(t, a, fmt.Sprintf("http://example.com/%d", i), fmt.Sprint("page ", i), noon)
	}
	rotate(t, a)
	dir := t.TempDir()
	openIndex(t, a, dir).Close()
	check := func(what string) {
		t.Helper()
		x, err := Open(t.Context(), Options{Dir: dir, Archive: a})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		n := 0
		for _, err := range x.Find(t.Context(), Query{URL: "example.com", Match: Domain}) {
			if errors.Is(err, errCorrupt) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		refresh(t, x)
		if got := found(t, x, Query{URL: "example.com", Match: Domain}); len(got) != 200 {
			t.Errorf("%s: %d lines after the update, %d before", what, len(got), n)
		}
		e := one(t, x, Query{URL: "http://example.com/150"})
		digest := Query{Digest: e.Digest}
		for _, err := range x.Find(t.Context(), digest) {
			if err != nil {
				refresh(t, x)
			}
		}
		if got := found(t, x, digest); len(got) != 1 {
			t.Errorf("%s: by digest: %v", what, got)
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		names, err = filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		name := names[random.IntN(len(names))]
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 {
			continue // the lock
		}
		at := random.IntN(len(data))
		what := fmt.Sprintf("%s: byte %d of %d", filepath.Base(name), at, len(data))
		switch random.IntN(3) {
		case 0:
			data[at] ^= 1 << random.IntN(8)
		case 1:
			data, what = data[:at], what+", cut"
		case 2:
			for i := at; i < min(at+100, len(data)); i++ {
				data[i] = byte(random.Uint32())
			}
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
		check(what)
	}
	if err := os.Remove(names[len(names)-1]); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	check("a file is missing")
}

func TestCancel(t *testing.T) {
	a := folder(t, archive.Options{})
	for i := range 50 {
		record(t, a, fmt.Sprintf("http://example.com/%d", i), "page", noon)
	}
	rotate(t, a)
	x, err := Open(t.Context(), Options{Dir: t.TempDir(), Archive: a})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Update(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled update: %v", err)
	}
	refresh(t, x)
	if got := found(t, x, Query{Match: All}); len(got) != 50 {
		t.Errorf("%d lines after it was done again", len(got))
	}
}
