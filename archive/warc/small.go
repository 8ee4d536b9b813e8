package warc

import (
	"encoding/binary"
	"slices"
	"sync"
)

// Small records — requests, metadata, the head of a response — are deflated
// here with Huffman codes that are made once, for text like theirs. A general
// deflater spends most of its time on such a record on finding codes for it
// (some 30 µs; this takes 3 to 5), and writing them down costs as much as these
// codes lose.

// smallRecord is the most bytes that are packed this way. In longer text the
// codes that fit it save more than they cost.
const smallRecord = 2 << 10

// smallSample is what the codes are made for.
const smallSample = "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:ff430a7b-ac4c-486d-a409-5f9c947ddd35>\r\n" +
	"WARC-Date: 2026-11-23T16:09:58.953824Z\r\nWARC-Target-URI: https://www.example.com/posts/2026/story-17?page=2\r\n" +
	"WARC-Warcinfo-ID: <urn:uuid:526fa7de-2beb-431b-912d-6354e502a978>\r\nWARC-IP-Address: 203.0.113.80\r\nWARC-Protocol: http/1.1\r\n" +
	"WARC-Block-Digest: sha256:620cb86201d598f0285a024bc63149c8229f1bee4aa14f7048fad0b5bf54cdfd\r\n" +
	"WARC-Payload-Digest: sha256:7e5fdf57e2da70e7b7a730e3510dc07e0dfaade75f2662644cbe35fad8acb825\r\n" +
	"Content-Type: application/http; msgtype=response\r\nContent-Length: 19906\r\n\r\n" +
	"HTTP/1.1 200 OK\r\nDate: Mon, 23 Nov 2026 16:09:58 GMT\r\nServer: nginx\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n" +
	"Connection: keep-alive\r\nVary: Accept-Encoding\r\nCache-Control: max-age=0, must-revalidate, private\r\nEtag: W/\"a0401c8beb57f973\"\r\n" +
	"Last-Modified: Tue, 01 Jan 2019 07:07:00 GMT\r\nX-Frame-Options: SAMEORIGIN\r\nStrict-Transport-Security: max-age=31536000\r\nContent-Encoding: gzip\r\n\r\n" +
	"GET /api/v1/item/31415 HTTP/1.1\r\nHost: blog.example.org\r\nUser-Agent: refrain/1.0 (+https://example.net/about; contact: desk@news.example)\r\n" +
	"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.5\r\nAccept-Encoding: gzip\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n\r\n\r\n" +
	"robots: allowed (robots.txt, fetched 2026-11-23T16:09:58Z)\r\npace: 1 request per 2s (web)\r\nwaited: 1.874s\r\nfetchTimeMs: 263\r\n" +
	`{"type":"page","url":"http://www.example.com/p/7","status":200,"platform":"web","ref":{"kind":"page","id":"` +
	`"},"outcome":"ok","posts":1,"total":null,"coverage":{"served":1},"next":[],"identities":[],"assets":[],"fetched_at":"2026-11-23T16:09:58.974Z","capture":{"record_id":"urn:uuid:e9d14b81-a24b-4fab-92ce-a85e59050abe","offset":48151}}`

// smallCodes are the codes of deflate's two alphabets (RFC 1951, section 3.2.5),
// and the block header that states them.
type smallCodes struct {
	literal [286]smallCode // literals, end of block, lengths
	dist    [30]smallCode
	header  []byte // of the block up to its first code, as bits
	bits    int    // of header
}

type smallCode struct {
	bits uint16 // as they stand in the stream, first bit lowest
	n    uint8
}

var smallTable = sync.OnceValue(makeSmallCodes)

const (
	endOfBlock = 256
	minMatch   = 4
	maxMatch   = 258
)

// matches goes over b and gives its literals and the repetitions found in it.
func matches(b []byte, literal func(byte), match func(length, distance int)) {
	var table [1 << 9]uint16 // position+1 of what last had that hash
	i := 0
	for i+minMatch <= len(b) {
		word := binary.LittleEndian.Uint32(b[i:])
		at := &table[word*2654435761>>(32-9)]
		from := int(*at) - 1
		*at = uint16(i + 1)
		if from < 0 || binary.LittleEndian.Uint32(b[from:]) != word {
			literal(b[i])
			i++
			continue
		}
		n := minMatch
		for i+n < len(b) && n < maxMatch && b[from+n] == b[i+n] {
			n++
		}
		match(n, i-from)
		for end := i + n; i < end; i++ {
			if i+minMatch <= len(b) {
				table[binary.LittleEndian.Uint32(b[i:])*2654435761>>(32-9)] = uint16(i + 1)
			}
		}
	}
	for ; i < len(b); i++ {
		literal(b[i])
	}
}

// lengthSymbol and distSymbol give the symbol of a length or distance, and its
// extra bits.
func lengthSymbol(n int) (symbol, extra, bits int) {
	if n == maxMatch {
		return 285, 0, 0
	}
	if n < 11 {
		return 254 + n, 0, 0
	}
	n -= 3
	for bits = 1; n >= 8<<bits; bits++ {
	}
	return 257 + 4*bits + n>>bits, n & (1<<bits - 1), bits
}

func distSymbol(d int) (symbol, extra, bits int) {
	d--
	if d < 4 {
		return d, 0, 0
	}
	for bits = 1; d >= 4<<bits; bits++ {
	}
	return 2*bits + d>>bits, d & (1<<bits - 1), bits
}

func makeSmallCodes() *smallCodes {
	var literals [286]int
	var dists [30]int
	for i := range literals {
		if i >= endOfBlock || smallLetter(byte(i)) {
			literals[i] = 2
		}
	}
	for d := 1; d <= smallRecord; d++ {
		s, _, _ := distSymbol(d)
		dists[s] = 2
	}
	literals[endOfBlock] = 8
	matches([]byte(smallSample), func(c byte) { literals[c] += 8 }, func(length, distance int) {
		l, _, _ := lengthSymbol(length)
		d, _, _ := distSymbol(distance)
		literals[l] += 8
		dists[d] += 8
	})
	c := &smallCodes{}
	ll, dl := codeLengths(literals[:], 15), codeLengths(dists[:], 15)
	canonical(ll, c.literal[:])
	canonical(dl, c.dist[:])
	c.state(append(ll, dl...))
	return c
}

// codeLengths gives Huffman code lengths of at most limit bits for weights; 0
// for those without weight.
func codeLengths(weights []int, limit int) []int {
	type node struct{ weight, symbol, left, right int }
	for {
		var nodes []node
		var open []int // by falling weight; the last two are joined
		for s, w := range weights {
			nodes = append(nodes, node{w, s, -1, -1})
			if w > 0 {
				open = append(open, s)
			}
		}
		for len(open) > 1 {
			slices.SortStableFunc(open, func(a, b int) int { return nodes[b].weight - nodes[a].weight })
			a, b := open[len(open)-1], open[len(open)-2]
			nodes = append(nodes, node{nodes[a].weight + nodes[b].weight, -1, a, b})
			open = append(open[:len(open)-2], len(nodes)-1)
		}
		lengths := make([]int, len(weights))
		deepest := 0
		var walk func(n, depth int)
		walk = func(n, depth int) {
			if nodes[n].symbol >= 0 {
				lengths[nodes[n].symbol] = depth
				deepest = max(deepest, depth)
				return
			}
			walk(nodes[n].left, depth+1)
			walk(nodes[n].right, depth+1)
		}
		walk(open[0], 0)
		if deepest <= limit {
			return lengths
		}
		flat := make([]int, len(weights))
		for i, w := range weights {
			flat[i] = (w + 1) / 2
		}
		weights = flat
	}
}

// canonical assigns the codes of RFC 1951, section 3.2.2.
func canonical(lengths []int, codes []smallCode) {
	code := 0
	for n := 1; n <= 15; n++ {
		for s, l := range lengths {
			if l == n {
				reversed := 0
				for i := range n {
					reversed |= code >> i & 1 << (n - 1 - i)
				}
				codes[s] = smallCode{uint16(reversed), uint8(n)}
				code++
			}
		}
		code <<= 1
	}
}

// state writes the header of a last block with dynamic codes (section 3.2.7).
func (c *smallCodes) state(lengths []int) {
	type symbol struct{ s, extra, bits int }
	var symbols []symbol
	for i := 0; i < len(lengths); {
		n := 1
		for i+n < len(lengths) && lengths[i+n] == lengths[i] {
			n++
		}
		switch {
		case lengths[i] == 0 && n >= 11: // so many zeros
			n = min(n, 138)
			symbols = append(symbols, symbol{18, n - 11, 7})
		case lengths[i] == 0 && n >= 3:
			symbols = append(symbols, symbol{17, n - 3, 3})
		case i > 0 && lengths[i] == lengths[i-1] && n >= 3: // the one before again
			n = min(n, 6)
			symbols = append(symbols, symbol{16, n - 3, 2})
		default:
			n = 1
			symbols = append(symbols, symbol{lengths[i], 0, 0})
		}
		i += n
	}
	var weights [19]int
	for i := range weights {
		weights[i] = 1
	}
	for _, s := range symbols {
		weights[s.s] += 16
	}
	meta := codeLengths(weights[:], 7)
	codes := make([]smallCode, len(meta))
	canonical(meta, codes)
	w := &bitWriter{}
	w.put(1, 1) // the last block
	w.put(2, 2) // dynamic codes
	w.put(286-257, 5)
	w.put(30-1, 5)
	w.put(19-4, 4)
	for _, s := range [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15} {
		w.put(uint64(meta[s]), 3)
	}
	for _, s := range symbols {
		w.put(uint64(codes[s.s].bits)|uint64(s.extra)<<codes[s.s].n, uint(codes[s.s].n)+uint(s.bits))
	}
	c.bits = 8*len(w.out) + int(w.n)
	c.header = append(w.out, byte(w.bits), byte(w.bits>>8), byte(w.bits>>16), byte(w.bits>>24))[:(c.bits+7)/8]
}

// A bitWriter writes bits, the first lowest in its byte.
type bitWriter struct {
	out  []byte
	bits uint64
	n    uint
}

func (w *bitWriter) put(bits uint64, n uint) {
	w.bits |= bits << w.n
	for w.n += n; w.n >= 32; w.n -= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.bits))
		w.bits >>= 32
	}
}

// smallLetter reports whether the codes have one for c.
func smallLetter(c byte) bool {
	return c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t'
}

// isSmall reports whether appendSmall may pack b.
func isSmall(b []byte) bool {
	if len(b) > smallRecord {
		return false
	}
	for _, c := range b {
		if !smallLetter(c) {
			return false
		}
	}
	return true
}

// appendSmall appends b, for which isSmall holds, deflated. If last is false,
// an empty stored block follows, so that the next block begins at a byte boundary.
func appendSmall(out, b []byte, last bool) []byte {
	c := smallTable()
	w := &bitWriter{out: append(out, c.header[:c.bits/8]...)}
	if rest := uint(c.bits % 8); rest > 0 {
		w.put(uint64(c.header[c.bits/8]), rest)
	}
	if !last {
		w.out[len(out)] &^= 1
	}
	matches(b, func(l byte) { w.put(uint64(c.literal[l].bits), uint(c.literal[l].n)) }, func(length, distance int) {
		s, extra, bits := lengthSymbol(length)
		w.put(uint64(c.literal[s].bits)|uint64(extra)<<c.literal[s].n, uint(c.literal[s].n)+uint(bits))
		s, extra, bits = distSymbol(distance)
		w.put(uint64(c.dist[s].bits)|uint64(extra)<<c.dist[s].n, uint(c.dist[s].n)+uint(bits))
	})
	w.put(uint64(c.literal[endOfBlock].bits), uint(c.literal[endOfBlock].n))
	if !last {
		w.put(0, 3) // a stored block
	}
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
	if !last {
		w.out = append(w.out, 0, 0, 0xff, 0xff) // of no bytes
	}
	return w.out
}
