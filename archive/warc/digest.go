package warc

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// A Digest is a labelled digest as WARC-Block-Digest and WARC-Payload-Digest
// carry it: ALGORITHM:VALUE.
type Digest struct {
	Algorithm string // "sha256": lower case, without the dash that some writers put in
	Sum       []byte
}

// SHA256 gives the digest of b as this package writes it: sha256: and
// lower-case hex.
func SHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return formatSHA256(sum[:])
}

func formatSHA256(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// String writes d as this package writes digests: SHA-1 in upper-case Base32,
// as the field has always had it, everything else in lower-case hex. These two
// are the only spellings that the usual validators agree on.
func (d Digest) String() string {
	if d.Algorithm == "sha1" {
		return "sha1:" + base32.StdEncoding.EncodeToString(d.Sum)
	}
	return d.Algorithm + ":" + hex.EncodeToString(d.Sum)
}

// Equal reports whether a and b are the same digest, however they are spelled.
func (d Digest) Equal(o Digest) bool {
	return d.Algorithm == o.Algorithm && bytes.Equal(d.Sum, o.Sum)
}

// New gives a hash of d's algorithm, or nil if it is unknown.
func (d Digest) New() hash.Hash { return newHash(d.Algorithm) }

func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "md5":
		return md5.New()
	case "sha1":
		return sha1.New()
	case "sha224":
		return sha256.New224()
	case "sha256":
		return sha256.New()
	case "sha384":
		return sha512.New384()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// sizes are the digest lengths in bytes of the known algorithms.
var sizes = map[string]int{"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}

// ParseDigest reads a labelled digest. The value may be hex or Base32 in either
// case, padded or not, or Base64; its length tells which. A bare value without
// a label is read as SHA-1, as some indexes write it. An algorithm that this
// package cannot compute is an error.
func ParseDigest(s string) (Digest, error) {
	s = strings.TrimSpace(s)
	label, value, found := strings.Cut(s, ":")
	if !found {
		label, value = "sha1", s
	}
	d := Digest{Algorithm: strings.ReplaceAll(strings.ToLower(label), "-", "")}
	size, known := sizes[d.Algorithm]
	if !known {
		return Digest{}, fmt.Errorf("warc: digest %q is of an unknown algorithm", clip(s))
	}
	bare := strings.TrimRight(value, "=")
	var err error
	switch len(bare) {
	case hex.EncodedLen(size):
		d.Sum, err = hex.DecodeString(strings.ToLower(bare))
	case base32.StdEncoding.WithPadding(base32.NoPadding).EncodedLen(size):
		d.Sum, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(bare))
	case base64.RawStdEncoding.EncodedLen(size):
		bare = strings.NewReplacer("-", "+", "_", "/").Replace(bare)
		d.Sum, err = base64.RawStdEncoding.DecodeString(bare)
	default:
		return Digest{}, fmt.Errorf("warc: digest %q has a length that %s does not have", clip(s), d.Algorithm)
	}
	if err != nil || len(d.Sum) != size {
		return Digest{}, fmt.Errorf("warc: digest %q is neither hex, Base32 nor Base64", clip(s))
	}
	return d, nil
}
