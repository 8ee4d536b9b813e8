package coord

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
)

// row is a Row with numbers for names.
type row struct {
	object, content uint32 // in one space of numbers, for they are compared
	account         uint32
	time            int64
}

// table holds the rows of accounts with enough of them, ordered by object,
// time, account and input.
type table struct {
	rows     []row
	accounts []string          // by number, in the order of first appearance
	number   map[string]uint32 // account → number
}

// maxTime keeps differences of times within int64.
const maxTime = math.MaxInt64 / 4

func checkRow(r Row) error {
	switch {
	case r.Object == "":
		return errors.New("no object id")
	case r.Account == "":
		return errors.New("no account id")
	case r.Content == "":
		return errors.New("no content id")
	case r.Time > maxTime || r.Time < -maxTime:
		return fmt.Errorf("time %d is not in seconds since 1970", r.Time)
	}
	return nil
}

func readRows(rows iter.Seq[Row], o Options) (*table, error) {
	t := &table{number: map[string]uint32{}}
	names := map[string]uint32{}
	intern := func(m map[string]uint32, s string) uint32 {
		n, ok := m[s]
		if !ok {
			n = uint32(len(m))
			m[s] = n
		}
		return n
	}
	var perAccount []int
	seen := map[row]struct{}{}
	count := 0
	for r := range rows {
		if err := checkRow(r); err != nil {
			return nil, fmt.Errorf("coord: row %d of account %q: %w", count, r.Account, err)
		}
		count++
		if len(names) > math.MaxUint32-2 || len(t.rows) >= math.MaxInt32 {
			return nil, fmt.Errorf("coord: more than %d rows: use Stream", len(t.rows))
		}
		a := intern(t.number, r.Account)
		if int(a) == len(t.accounts) {
			t.accounts = append(t.accounts, r.Account)
			perAccount = append(perAccount, 0)
		}
		numbered := row{intern(names, r.Object), intern(names, r.Content), a, r.Time}
		if o.DropRepeats {
			if _, again := seen[numbered]; again {
				continue
			}
			seen[numbered] = struct{}{}
		}
		perAccount[a]++
		t.rows = append(t.rows, numbered)
	}
	t.rows = slices.DeleteFunc(t.rows, func(r row) bool { return perAccount[r.account] < o.MinParticipation })
	slices.SortStableFunc(t.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.object, b.object), cmp.Compare(a.time, b.time), cmp.Compare(a.account, b.account))
	})
	return t, nil
}

// pair is two rows by their places in the table, the older first.
type pair struct{ older, newer uint32 }

// pairs gives the pairs that are left after step 4 of the package comment.
func (t *table) pairs(window int64, o Options) ([]pair, error) {
	var list []pair
	paired := map[uint32]struct{}{} // content numbers
	first := 0
	for j, newer := range t.rows {
		for t.rows[first].object != newer.object || newer.time-t.rows[first].time > window {
			first++
		}
		for i := first; i < j; i++ {
			older := t.rows[i]
			if !o.KeepLoops && (older.account == newer.account || older.content == newer.content ||
				older.object == older.content || older.object == newer.content) {
				continue
			}
			if len(list) == o.MaxPairs {
				return nil, fmt.Errorf("coord: more than %d pairs within %d s: make the window smaller, raise Options.MaxPairs, or use Stream",
					o.MaxPairs, window)
			}
			list = append(list, pair{uint32(i), uint32(j)})
			paired[older.content] = struct{}{}
			paired[newer.content] = struct{}{}
		}
	}

	counts := make([]int, len(t.accounts))
	for _, r := range t.rows {
		if _, ok := paired[r.content]; ok {
			counts[r.account]++
		}
	}
	kept := map[uint32]struct{}{}
	for _, r := range t.rows {
		if _, ok := paired[r.content]; ok && counts[r.account] >= o.MinParticipation {
			kept[r.content] = struct{}{}
		}
	}
	return slices.DeleteFunc(list, func(p pair) bool {
		_, a := kept[t.rows[p.older].content]
		_, b := kept[t.rows[p.newer].content]
		return !a && !b
	}), nil
}
