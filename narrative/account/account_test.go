package account

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/post"
)

func made(key string, at time.Time) Account {
	return Account{Key: key, Platform: "x", Created: post.Exact(at, "")}
}

func TestBatchAmongAccountsOfChance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	var list []Account
	for i := range 300 {
		list = append(list, made(fmt.Sprintf("x:chance-%d", i), start.Add(time.Duration(random.Int64N(int64(3*365*24*time.Hour))))))
	}
	if got := Batches(list); len(got) != 0 {
		t.Errorf("300 accounts made by chance over three years: batches %v", got)
	}
	var want []string
	for i := range 8 {
		key := fmt.Sprintf("x:batch-%d", i)
		want = append(want, key)
		list = append(list, made(key, start.AddDate(1, 2, 3).Add(time.Duration(i*4)*time.Minute)))
	}
	got := Batches(list)
	if len(got) != 1 || !subset(want, got[0].Accounts) || len(got[0].Accounts) > 9 || got[0].P > 1e-6 {
		t.Errorf("batches %+v, want one of the eight accounts made within half an hour", got)
	}
}

// subset reports whether all of a are in b.
func subset(a, b []string) bool {
	return !slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
}

func TestBatchesNeedTheTime(t *testing.T) {
	year := post.Between(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 12, 31, 0, 0, 0, 0, time.UTC), "2024", post.SourceField)
	var list []Account
	for i := range 20 {
		list = append(list, Account{Key: fmt.Sprint(i), Platform: "x", Created: year}, Account{Key: fmt.Sprint("none", i), Platform: "x"})
	}
	if got := Batches(list); got != nil {
		t.Errorf("accounts known to be of 2024 only: batches %v", got)
	}
}

func TestShape(t *testing.T) {
	for handle, want := range map[string]string{
		"JohnSmith84736251": "AaAa9{8}", "ana": "a", "Ana_Bela-7": "Aa_Aa-9{1}", "": "", "香港人12": "字9{2}", "ИванИванов": "AaAa",
	} {
		if got := Shape(handle); got != want {
			t.Errorf("Shape(%q) = %q, want %q", handle, got, want)
		}
	}
}

func TestShapesThatOthersLack(t *testing.T) {
	var group, others []Account
	for i := range 6 {
		group = append(group, Account{Key: fmt.Sprint("g", i), Platform: "x", Handle: fmt.Sprintf("MaryKim%08d", 10203040+i*977)})
	}
	for i := range 200 {
		handle := fmt.Sprintf("reader%d", i)
		if i < 10 {
			handle = fmt.Sprintf("BobLee%08d", 55500000+i)
		}
		others = append(others, Account{Key: fmt.Sprint("o", i), Platform: "x", Handle: handle})
	}
	got := Shapes(group, others)
	if len(got) != 1 || got[0].Value != "x AaAa9{8}" || len(got[0].Accounts) != 6 || got[0].Others != 10 || !got[0].Suggested {
		t.Fatalf("shapes %+v, want AaAa9{8} of six, which ten of 200 others have and X suggests", got)
	}
	var some, rest []Account
	for i, a := range others {
		if i%33 == 20 {
			some = append(some, a)
		} else {
			rest = append(rest, a)
		}
	}
	if got := Shapes(some, rest); got != nil {
		t.Errorf("a group drawn from the others has the shapes %+v", got)
	}
}

func TestFisher(t *testing.T) {
	// The tea taster: 3 or 4 of 4 right by chance, 17 of 70.
	if got := fisher(3, 4, 1, 4); math.Abs(got-17.0/70) > 1e-12 {
		t.Errorf("fisher = %v, want 17/70", got)
	}
	if got := poissonUpper(2, 3) + poissonLower(2, 2); math.Abs(got-1) > 1e-12 {
		t.Errorf("both tails sum to %v", got)
	}
}

func TestStemsAndShared(t *testing.T) {
	list := []Account{
		{Key: "x:1", Platform: "x", Handle: "Truth_Teller01", Bio: "Mother, patriot, lover of truth", Name: "Anna Kim", Avatar: "sha256:aa"},
		{Key: "tumblr:1", Platform: "tumblr", Handle: "truthteller77", Bio: "mother, patriot, lover of TRUTH", Name: "ANNA KIM", Avatar: "sha256:bb"},
		{Key: "reddit:1", Platform: "reddit", Handle: "bridge", Bio: "likes tea", Name: "Anna", Avatar: "sha256:aa"},
		{Key: "reddit:2", Platform: "reddit", Handle: "bridge9", Bio: "likes tea", Name: "Anna"},
	}
	stems := Stems(list)
	if len(stems) != 2 || !slices.Equal(stems[1].Accounts, []string{"tumblr:1", "x:1"}) || !slices.Equal(stems[0].Accounts, []string{"reddit:1", "reddit:2"}) {
		t.Errorf("stems %+v", stems)
	}
	var got []string
	for _, g := range Shared(list, nil) {
		got = append(got, fmt.Sprint(g.Kind, " ", g.Accounts))
	}
	want := []string{"avatar [reddit:1 x:1]", "bio [tumblr:1 x:1]", "name [tumblr:1 x:1]"}
	if !slices.Equal(got, want) {
		t.Errorf("shared %v, want %v", got, want)
	}
}
