package replay

import "bytes"

// maxCandidates bounds the images of one srcset.
const maxCandidates = 200

// appendSrcset appends a srcset, character references already decoded, with its
// URLs rewritten. Candidates that lead nowhere are left out. What is appended
// needs escaping in an attribute but for quotation marks, as appendURL's does.
func (l *linker) appendSrcset(dst, set []byte) []byte {
	start := len(dst)
	for range maxCandidates {
		for len(set) > 0 && (isSpace(set[0]) || set[0] == ',') {
			set = set[1:]
		}
		if len(set) == 0 {
			return dst
		}
		end := 0
		for end < len(set) && !isSpace(set[end]) {
			end++
		}
		ref, descriptor := set[:end], []byte(nil)
		set = set[end:]
		if trimmed := bytes.TrimRight(ref, ","); len(trimmed) < len(ref) {
			ref = trimmed
		} else {
			descriptor, set = cutDescriptor(set)
		}
		before := len(dst)
		if before > start {
			dst = append(dst, ", "...)
		}
		out, kind := l.appendURL(dst, ref, Image, true)
		if kind != refReplay && kind != refData {
			dst = out[:before]
			continue
		}
		dst = out
		// A URL that ends in a comma would end the candidate.
		if dst[len(dst)-1] == ',' {
			dst = append(dst[:len(dst)-1], "%2C"...)
		}
		if len(descriptor) > 0 {
			dst = append(append(dst, ' '), descriptor...)
		}
	}
	return dst
}

// cutDescriptor gives the descriptor that set begins with ("2x", "640w"), and
// what follows the comma behind it. What is not of letters, digits, dots and
// signs is no descriptor and comes out empty.
func cutDescriptor(set []byte) (descriptor, rest []byte) {
	end, depth := 0, 0
	for ; end < len(set) && (set[end] != ',' || depth > 0); end++ {
		switch set[end] {
		case '(':
			depth++
		case ')':
			depth = max(0, depth-1)
		}
	}
	descriptor = bytes.TrimSpace(set[:end])
	for _, c := range descriptor {
		if !isAlnum(c) && c != '.' && c != '-' && c != '+' && c != ' ' {
			descriptor = nil
			break
		}
	}
	return descriptor, set[min(len(set), end+1):]
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
