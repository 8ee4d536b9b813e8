package facebook

import (
	"encoding/base64"
	"strings"
)

// isNumber reports whether s is an id: digits, not too many.
func isNumber(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return strings.Trim(s, "0") != ""
}

// urlSafe turns base 64 as it stands in addresses into the plain form.
var urlSafe = strings.NewReplacer("-", "+", "_", "/", "%3D", "=")

// decodeID gives the numbers in one of the site's opaque ids: the owner and the
// post of S:_IOWNER:POST… and S:OWNER:VK:POST, the post and comment of
// feedback:POST_COMMENT and comment:POST_COMMENT. What an id does not hold is "".
func decodeID(id string) (owner, postID, comment string) {
	id = strings.TrimRight(urlSafe.Replace(id), "=")
	if len(id) < 8 || len(id) > 400 {
		return "", "", ""
	}
	raw, err := base64.RawStdEncoding.DecodeString(id)
	if err != nil {
		return "", "", ""
	}
	kind, rest, ok := strings.Cut(string(raw), ":")
	if !ok {
		return "", "", ""
	}
	switch kind {
	case "S":
		parts := strings.Split(rest, ":")
		owner = strings.TrimPrefix(parts[0], "_I")
		if !isNumber(owner) {
			return "", "", ""
		}
		for _, p := range parts[1:] {
			if isNumber(p) {
				return owner, p, ""
			}
		}
		return owner, "", ""
	case "feedback", "comment":
		postID, comment, _ = strings.Cut(rest, "_")
		if !isNumber(postID) {
			return "", "", ""
		}
		if !isNumber(comment) {
			comment = ""
		}
		return "", postID, comment
	}
	return "", "", ""
}
