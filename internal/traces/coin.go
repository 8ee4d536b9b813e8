package traces

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strings"
)

// coins takes addresses of crypto currencies. They are told by their checksums;
// an Ethereum address in one case has none, and is told by its strict form.
func (l *list) coins(text string) {
	for at := 0; at < len(text) && !l.full(); {
		if !letter(text[at]) && !digit(text[at]) {
			at++
			continue
		}
		end := at
		for end < len(text) && (letter(text[end]) || digit(text[end])) {
			end++
		}
		if n := end - at; n >= 26 && n <= 90 {
			l.coin(text[at:end])
		}
		at = end
	}
}

// coin takes one word of letters and digits.
func (l *list) coin(word string) {
	switch {
	case len(word) == 42 && (word[:2] == "0x" || word[:2] == "0X"):
		if address := ethereum(word[2:]); address != "" {
			l.add(Ethereum, address)
		}
	case len(word) >= 14 && strings.EqualFold(word[:3], "bc1"):
		if address := segwit(word); address != "" {
			l.add(Bitcoin, address)
		}
	case len(word) > 35:
	case word[0] == '1' || word[0] == '3':
		if version, ok := base58Check(word); ok && (version == 0 && word[0] == '1' || version == 5 && word[0] == '3') {
			l.add(Bitcoin, word)
		}
	case word[0] == 'T' && len(word) == 34:
		if version, ok := base58Check(word); ok && version == 0x41 {
			l.add(Tron, word)
		}
	}
}

const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Check reads a word as Base58Check of 21 bytes, and gives their first,
// the version.
func base58Check(word string) (version byte, ok bool) {
	var raw [25]byte
	for i := range len(word) {
		carry := strings.IndexByte(base58, word[i])
		if carry < 0 {
			return 0, false
		}
		for k := len(raw) - 1; k >= 0; k-- {
			carry += 58 * int(raw[k])
			raw[k] = byte(carry)
			carry >>= 8
		}
		if carry != 0 {
			return 0, false
		}
	}
	zeros := 0
	for zeros < len(raw) && raw[zeros] == 0 {
		zeros++
	}
	if ones := len(word) - len(strings.TrimLeft(word, "1")); ones != zeros {
		return 0, false // each leading zero byte is one "1"
	}
	first := sha256.Sum256(raw[:21])
	second := sha256.Sum256(first[:])
	return raw[0], bytes.Equal(second[:4], raw[21:])
}

const bech32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// segwit gives the lower-case form of a Bitcoin address by BIP 173 or BIP 350,
// "" if word is none.
func segwit(word string) string {
	small := strings.ToLower(word)
	if word != small && word != strings.ToUpper(word) {
		return ""
	}
	data := make([]byte, 0, 90)
	for i := 3; i < len(small); i++ {
		v := strings.IndexByte(bech32, small[i])
		if v < 0 {
			return ""
		}
		data = append(data, byte(v))
	}
	if len(data) < 8 {
		return ""
	}
	check := uint32(1)
	step := func(v byte) {
		top := check >> 25
		check = check&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [5]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	for _, v := range []byte{'b' >> 5, 'c' >> 5, 0, 'b' & 31, 'c' & 31} {
		step(v)
	}
	for _, v := range data {
		step(v)
	}
	version, bitsLeft := data[0], (len(data)-7)*5
	size, padding := bitsLeft/8, bitsLeft%8
	switch {
	case version > 16 || size < 2 || size > 40 || padding > 4:
		return ""
	case version == 0 && (check != 1 || size != 20 && size != 32):
		return ""
	case version > 0 && check != 0x2bc830a3:
		return ""
	case data[len(data)-7]&(1<<padding-1) != 0:
		return ""
	}
	return small
}

// ethereum gives the lower-case form of an address without its 0x, "" if it is
// none: mixed case must be the checksum of EIP-55.
func ethereum(digits string) string {
	small := strings.ToLower(digits)
	if _, err := hex.DecodeString(small); err != nil {
		return ""
	}
	if strings.Trim(small, "0") == "" || strings.Trim(small, "f") == "" {
		return "" // nobody's
	}
	if digits != small && digits != strings.ToUpper(digits) {
		sum := keccak256([]byte(small))
		for i := range len(small) {
			nibble := sum[i/2] >> (4 * (1 - i%2)) & 15
			if c := small[i]; c >= 'a' && (digits[i] != c) != (nibble >= 8) {
				return ""
			}
		}
	}
	return "0x" + small
}

// keccak256 is the hash of Ethereum: Keccak with the padding from before SHA-3.
// The message must be shorter than one block of 136 bytes.
func keccak256(message []byte) (sum [32]byte) {
	var block [136]byte
	if copy(block[:], message) >= len(block) {
		panic("traces: keccak256 of a message that is too long")
	}
	block[len(message)] ^= 0x01
	block[len(block)-1] ^= 0x80
	var a [25]uint64
	for i := range len(block) / 8 {
		a[i] = binary.LittleEndian.Uint64(block[8*i:])
	}
	lfsr := byte(1)
	for range 24 {
		var c [5]uint64
		for x := range 5 {
			c[x] = a[x] ^ a[x+5] ^ a[x+10] ^ a[x+15] ^ a[x+20]
		}
		for i := range a {
			a[i] ^= c[(i+4)%5] ^ bits.RotateLeft64(c[(i+1)%5], 1)
		}
		x, y, moved := 1, 0, a[1]
		for t := range 24 {
			x, y = y, (2*x+3*y)%5
			a[x+5*y], moved = bits.RotateLeft64(moved, (t+1)*(t+2)/2), a[x+5*y]
		}
		for y := 0; y < 25; y += 5 {
			row := [5]uint64(a[y : y+5])
			for x := range 5 {
				a[y+x] = row[x] ^ ^row[(x+1)%5]&row[(x+2)%5]
			}
		}
		for j := range 7 {
			if lfsr&1 == 1 {
				a[0] ^= 1 << (1<<j - 1)
			}
			high := lfsr >> 7
			lfsr = lfsr<<1 ^ high*0x71
		}
	}
	for i := range 4 {
		binary.LittleEndian.PutUint64(sum[8*i:], a[i])
	}
	return sum
}
