package instagram

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

const (
	alphabet     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	privateTail  = 28            // letters that the code of a private account's post has more
	epoch        = 1314220021721 // Unix milliseconds of pk 0
	early        = 24 * time.Hour
	scheduled    = 75 * 24 * time.Hour
	longestCode  = 11
	longestID    = 20
	shortestPost = 15 // digits of the pk of a post: 2010's are 15 or 16 digits long by this reckoning, account ids shorter
)

// PK gives the number that a short code stands for ("" of what is no code).
func PK(code string) string {
	if len(code) > privateTail {
		code = code[:len(code)-privateTail]
	}
	if code == "" || len(code) > longestCode+1 {
		return ""
	}
	n := new(big.Int)
	for i := range len(code) {
		d := strings.IndexByte(alphabet, code[i])
		if d < 0 {
			return ""
		}
		n.Lsh(n, 6).Or(n, big.NewInt(int64(d)))
	}
	if n.Sign() == 0 || n.BitLen() > 64 {
		return ""
	}
	return n.String()
}

// Code gives the short code of a number ("" of what is no number).
func Code(pk string) string {
	n, err := strconv.ParseUint(pk, 10, 64)
	if err != nil || n == 0 {
		return ""
	}
	var b [longestCode]byte
	i := len(b)
	for ; n > 0; n >>= 6 {
		i--
		b[i] = alphabet[n&63]
	}
	return string(b[i:])
}

// began is the moment in a pk: when the upload began.
func began(pk string) (time.Time, bool) {
	n, err := strconv.ParseUint(pk, 10, 64)
	if err != nil || len(pk) < shortestPost {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(n>>23) + epoch).UTC(), true
}

// bound is what a pk tells of the time of its post. A post seen at fetched was
// made by then; a zero fetched is unknown.
func bound(pk string, fetched time.Time) post.Time {
	t, ok := began(pk)
	if !ok {
		return post.Time{}
	}
	from, to := t.Add(-early), t.Add(scheduled)
	if !fetched.IsZero() && fetched.After(from) && fetched.Before(to) {
		to = fetched
	}
	return post.Between(from, to, "upload began "+t.Format(time.RFC3339), post.SourceID)
}

// isNumber reports whether s is an id: digits, not too many.
func isNumber(s string) bool {
	if s == "" || len(s) > longestID {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != strings.Repeat("0", len(s))
}
