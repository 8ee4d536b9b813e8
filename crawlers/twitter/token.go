package twitter

import (
	"math"
	"strconv"
	"strings"
)

// Token is the parameter that cdn.syndication.twimg.com expects beside an id:
// the number id / 10^15 × π in base 36, without its point and zeros. X's own
// embed script computes it in double precision, so the digits are those that
// JavaScript writes: Token("20") is "6dq1a2xwd93". It is "" for what is no id.
func Token(id string) string {
	n, err := strconv.ParseFloat(id, 64)
	if err != nil || !isID(id) {
		return ""
	}
	s := base36(float64(n/1e15) * math.Pi)
	return strings.NewReplacer("0", "", ".", "").Replace(s)
}

// base36 writes a positive number below 2^53 as Number.prototype.toString(36)
// does: as many digits of the fraction as tell the number from its neighbours.
func base36(value float64) string {
	const radix = 36
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	integer := math.Floor(value)
	fraction := float64(value - integer)
	delta := math.Max(0.5*(math.Nextafter(value, math.Inf(1))-value), math.SmallestNonzeroFloat64)
	var out []byte
	for fraction >= delta {
		// The conversions keep each product rounded on every machine.
		fraction = float64(fraction * radix)
		delta = float64(delta * radix)
		digit := int(fraction)
		out = append(out, byte(digit))
		fraction = float64(fraction - float64(digit))
		if (fraction > 0.5 || fraction == 0.5 && digit&1 == 1) && fraction+delta > 1 {
			// Round up, and carry.
			for len(out) > 0 && out[len(out)-1] == radix-1 {
				out = out[:len(out)-1]
			}
			if len(out) == 0 {
				integer++
			} else {
				out[len(out)-1]++
			}
			break
		}
	}
	for i, d := range out {
		out[i] = digits[d]
	}
	return strconv.FormatInt(int64(integer), radix) + "." + string(out)
}
