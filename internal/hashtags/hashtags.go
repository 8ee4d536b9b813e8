// Package hashtags finds hashtags in text of any script.
package hashtags

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Max bounds the hashtags that are taken of one text.
const Max = 100

// In lists the #words of text, each spelling once and without its sign, at most
// Max of them. A word holds letters, digits and underscores, and at least one
// letter: #1 is a number. A sign within a word or address does not count.
func In(text string) []string {
	var tags []string
	seen := map[string]bool{}
	for i := 0; i < len(text); {
		at := strings.IndexByte(text[i:], '#')
		if at < 0 {
			break
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		i++
		if before != utf8.RuneError && (unicode.IsLetter(before) || unicode.IsDigit(before) || strings.ContainsRune("&/_#=?", before)) {
			continue
		}
		end, letter := i, false
		for end < len(text) {
			r, size := utf8.DecodeRuneInString(text[end:])
			if !(r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r)) || r == utf8.RuneError {
				break
			}
			letter = letter || unicode.IsLetter(r)
			end += size
		}
		if tag := text[i:end]; letter && len(tag) <= 200 && !seen[tag] && len(tags) < Max {
			seen[tag] = true
			tags = append(tags, tag)
		}
		i = end
	}
	return tags
}
