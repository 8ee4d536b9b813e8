// Package account reads what accounts give away beside what they say: when they
// post and rest (Clock), whether they were made in one go (Batches), whether
// their names are of one pattern (Shapes, Stems), and what they share (Shared).
//
// All of it is weak on its own: it is shown to an analyst with its figures, and
// nothing is merged on it. Every P is a probability under a stated null model,
// corrected for the number of places that were looked at; it is never the
// probability that accounts are run by one hand.
package account

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/refrain-archive/refrain/post"
)

// An Account is what the functions of this package read of one account. Only
// Key and Platform are required; what is not known is left zero and is never
// taken for "none".
type Account struct {
	Key      string    // names the account across platforms
	Platform string    // registry name
	Handle   string    // as in its address, without "@"
	Name     string    // as displayed
	Bio      string    // its description of itself
	Avatar   string    // what names its picture: a digest, the id of a group of like pictures, or its URL
	Created  post.Time // as the platform says
}

// SignificantP is the P up to which a finding is reported. It is per list, not
// per finding: a Bonferroni correction stands in each P. Accounts that have
// nothing in common are reported in at most one list of a hundred.
const SignificantP = 0.01

// A Batch is a group of accounts of one platform that were made closer together
// than the accounts around them would have it.
type Batch struct {
	Platform string    `json:"platform"`
	From     time.Time `json:"from"` // creation of the first and the last of them
	To       time.Time `json:"to"`
	Accounts []string  `json:"accounts"` // keys, in order of creation
	Expected float64   `json:"expected"` // accounts in a stretch of that length, by those made within 90 days before and after
	P        float64   `json:"p"`
}

// batchWindows are the lengths in which batches are looked for.
var batchWindows = [...]time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}

const (
	batchAround = 90 * 24 * time.Hour // on either side, for the expected number
	batchLeast  = 3                   // accounts
)

// Batches finds groups of three or more accounts that were made in one go. Null
// model: accounts of a platform are made at a rate that is steady over the half
// year around, as the other accounts in the list show it (one more than were
// seen, so that few accounts prove nothing). An account whose creation is known
// as an interval counts where the interval is no longer than the stretch. What
// overlaps is reported once, with the smallest P.
func Batches(accounts []Account) []Batch {
	byPlatform := map[string][]Account{}
	for _, a := range accounts {
		if !a.Created.Earliest().IsZero() && !a.Created.Latest().IsZero() {
			byPlatform[a.Platform] = append(byPlatform[a.Platform], a)
		}
	}
	var found []Batch
	for platform, list := range byPlatform {
		slices.SortFunc(list, func(a, b Account) int {
			return cmp.Or(a.Created.Earliest().Compare(b.Created.Earliest()), cmp.Compare(a.Key, b.Key))
		})
		for _, window := range batchWindows {
			found = append(found, batches(platform, list, window)...)
		}
	}
	slices.SortFunc(found, func(a, b Batch) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(len(b.Accounts), len(a.Accounts)), cmp.Compare(a.Platform, b.Platform), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	taken := map[string]bool{}
	return slices.DeleteFunc(found, func(b Batch) bool {
		for _, k := range b.Accounts {
			if taken[k] {
				return true
			}
		}
		for _, k := range b.Accounts {
			taken[k] = true
		}
		return false
	})
}

func batches(platform string, list []Account, window time.Duration) (found []Batch) {
	list = slices.DeleteFunc(slices.Clone(list), func(a Account) bool { return a.Created.Latest().Sub(a.Created.Earliest()) > window })
	tests := float64(len(list) * len(batchWindows))
	lo, hi := 0, 0
	for first, end := 0, 0; first < len(list); first++ {
		start := list[first].Created.Earliest()
		for end < len(list) && !list[end].Created.Latest().After(start.Add(window)) {
			end++
		}
		k := end - first
		if k < batchLeast {
			continue
		}
		for lo < len(list) && list[lo].Created.Earliest().Before(start.Add(-batchAround)) {
			lo++
		}
		for hi < len(list) && !list[hi].Created.Earliest().After(start.Add(window+batchAround)) {
			hi++
		}
		others := float64(hi - lo - k)
		expected := (others + 1) * window.Hours() / (2 * batchAround).Hours()
		// One of the k fixes where the stretch begins; the rest fell into it.
		p := math.Min(1, tests*poissonUpper(expected, k-1))
		if p > SignificantP {
			continue
		}
		b := Batch{Platform: platform, From: start, To: list[end-1].Created.Latest(), Expected: expected, P: p}
		for _, a := range list[first:end] {
			b.Accounts = append(b.Accounts, a.Key)
		}
		found = append(found, b)
	}
	return found
}

// A Group is accounts that have something in common.
type Group struct {
	Kind     string   `json:"kind"`     // shape, stem, name, avatar, bio
	Value    string   `json:"value"`    // what they have in common
	Accounts []string `json:"accounts"` // keys, sorted
	// Others is how many of the other accounts have it, and OthersOf how many
	// others there are. Of kinds that are not compared with others both are 0.
	Others   int     `json:"others,omitempty"`
	OthersOf int     `json:"others_of,omitempty"`
	P        float64 `json:"p"` // 1 for kinds that are not compared with others
	// Suggested says that the platform itself suggests handles of this shape to
	// whoever signs up, so that strangers share it too.
	Suggested bool `json:"suggested,omitempty"`
}

// Shape gives the pattern of a handle: A for an upper-case letter, a for a run
// of lower-case letters, 9{n} for a run of n digits, 字 for a run of letters
// without case, everything else as it stands. "JohnSmith84736251" is AaAa9{8}.
func Shape(handle string) string {
	var b strings.Builder
	runes := []rune(handle)
	for i := 0; i < len(runes); {
		kind := shapeOf(runes[i])
		j := i + 1
		for j < len(runes) && kind != 0 && kind != 'A' && shapeOf(runes[j]) == kind {
			j++
		}
		switch kind {
		case 0:
			b.WriteRune(runes[i])
		case '9':
			b.WriteString("9{" + itoa(j-i) + "}")
		default:
			b.WriteRune(kind)
		}
		i = j
	}
	return b.String()
}

func shapeOf(r rune) rune {
	switch {
	case unicode.IsDigit(r):
		return '9'
	case unicode.IsUpper(r):
		return 'A'
	case unicode.IsLower(r):
		return 'a'
	case unicode.IsLetter(r):
		return '字'
	}
	return 0
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// suggested are the shapes of handles that platforms make up for new accounts:
// X appends eight digits to a name, Reddit joins two words and a number,
// TikTok's is user and digits, YouTube's a name, a dash and characters.
func suggested(platform, handle, shape string) bool {
	digits := strings.LastIndex(shape, "9{")
	switch platform {
	case "x":
		return strings.HasSuffix(shape, "9{8}") && strings.Trim(shape[:digits], "Aa_") == ""
	case "reddit":
		words := strings.FieldsFunc(handle, func(r rune) bool { return r == '-' || r == '_' })
		return len(words) >= 2 && digits >= 0 && strings.HasSuffix(shape, "}")
	case "tiktok":
		return strings.HasPrefix(handle, "user") && digits > 0
	}
	return false
}

// Shapes compares the handles of a group with those of the other accounts of
// the same platforms: the shapes that are more frequent in the group than
// drawing its accounts from all would make them (Fisher's exact test, one-sided,
// corrected for the number of shapes). Shapes of letters alone are left out:
// everyone has them.
func Shapes(group, others []Account) []Group {
	type cell struct{ platform, shape string }
	in, out := map[cell][]Account{}, map[cell]int{}
	size, rest := map[string]int{}, map[string]int{}
	for _, a := range group {
		if a.Handle != "" {
			size[a.Platform]++
			in[cell{a.Platform, Shape(a.Handle)}] = append(in[cell{a.Platform, Shape(a.Handle)}], a)
		}
	}
	for _, a := range others {
		if a.Handle != "" {
			rest[a.Platform]++
			out[cell{a.Platform, Shape(a.Handle)}]++
		}
	}
	var found []Group
	for c, list := range in {
		if len(list) < 2 || !telling(c.shape) {
			continue
		}
		n, m := size[c.platform], rest[c.platform]
		p := math.Min(1, float64(len(in))*fisher(len(list), n, out[c], m))
		if p > SignificantP {
			continue
		}
		g := Group{Kind: "shape", Value: c.platform + " " + c.shape, Others: out[c], OthersOf: m, P: p, Suggested: suggested(c.platform, list[0].Handle, c.shape)}
		for _, a := range list {
			g.Accounts = append(g.Accounts, a.Key)
		}
		slices.Sort(g.Accounts)
		found = append(found, g)
	}
	sortGroups(found)
	return found
}

// telling reports whether a shape has something beside letters.
func telling(shape string) bool { return strings.Trim(shape, "Aa字") != "" }

// stemLeast is how many letters a stem has at least: shorter ones are shared by
// strangers.
const stemLeast = 6

// Stems finds accounts, of any platform, whose handles are the same but for
// digits, separators and case: "Truth_Teller01" and "truthteller77". The same
// handle on two platforms is one too: it is how people are found again, and says
// nothing of a hidden hand.
func Stems(accounts []Account) []Group {
	return groups("stem", accounts, func(a Account) string {
		stem := strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, a.Handle)
		if len([]rune(stem)) < stemLeast {
			return ""
		}
		return stem
	})
}

// Shared finds accounts that show the same picture, describe themselves in the
// same words or bear the same name. Bios of fewer than four words and names of
// one word are left out. Words are compared by words, which gives the words of
// a text as the caller compares texts; nil folds case only.
func Shared(accounts []Account, words func(string) []string) []Group {
	if words == nil {
		words = func(s string) []string { return strings.Fields(strings.ToLower(s)) }
	}
	found := groups("avatar", accounts, func(a Account) string { return a.Avatar })
	found = append(found, groups("bio", accounts, func(a Account) string {
		if w := words(a.Bio); len(w) >= 4 {
			return strings.Join(w, " ")
		}
		return ""
	})...)
	return append(found, groups("name", accounts, func(a Account) string {
		if w := words(a.Name); len(w) >= 2 {
			return strings.Join(w, " ")
		}
		return ""
	})...)
}

func groups(kind string, accounts []Account, value func(Account) string) []Group {
	by := map[string][]string{}
	for _, a := range accounts {
		if v := value(a); v != "" {
			by[v] = append(by[v], a.Key)
		}
	}
	var found []Group
	for v, keys := range by {
		slices.Sort(keys)
		if keys = slices.Compact(keys); len(keys) >= 2 {
			found = append(found, Group{Kind: kind, Value: v, Accounts: keys, P: 1})
		}
	}
	sortGroups(found)
	return found
}

func sortGroups(list []Group) {
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.P, b.P), cmp.Compare(len(b.Accounts), len(a.Accounts)), cmp.Compare(a.Value, b.Value))
	})
}
