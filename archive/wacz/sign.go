package wacz

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// roots are the SHA-256, in hex, of the public keys (SubjectPublicKeyInfo) that
// the chain of a signature by a domain may end in: ISRG Root X1 and X2, those of
// Let's Encrypt. It is the key that is compared, because chains often end in the
// root's cross-signed form.
var roots = []string{
	"0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3",
	"762195c225586ee6c0237456e2107dc54f1efc21f61a792ebd515913cce68332",
}

type signedData struct {
	Hash          string `json:"hash"`
	Signature     string `json:"signature"`
	PublicKey     string `json:"publicKey,omitempty"`
	Domain        string `json:"domain,omitempty"`
	DomainCert    string `json:"domainCert,omitempty"`
	TimeSignature string `json:"timeSignature,omitempty"`
	TimestampCert string `json:"timestampCert,omitempty"`
	Created       string `json:"created"`
	Software      string `json:"software"`
}

func (v *verifier) signature(raw json.RawMessage, hash string) {
	var d signedData
	if err := json.Unmarshal(raw, &d); err != nil {
		v.addf("signature", digestName, "signedData cannot be understood: %v", err)
		return
	}
	s := &Signature{Form: "anonymous", Created: d.Created}
	v.report.Signature = s
	n := len(v.report.Findings)
	bad := func(code, format string, args ...any) { v.addf(code, digestName, format, args...) }
	if d.Hash != hash {
		bad("signature", "the signature is over %.100q, datapackage.json hashes to %s", d.Hash, hash)
	}
	sig, err := base64.StdEncoding.DecodeString(d.Signature)
	if err != nil {
		bad("signature", "the signature is not Base64: %v", err)
		return
	}
	sum := sha256.Sum256([]byte(hash))
	if d.Domain != "" || d.DomainCert != "" {
		s.Form, s.Signer = "domain", d.Domain
		v.domain(&d, sum[:], sig, bad)
	} else {
		v.anonymous(&d, s, sum[:], sig, bad)
	}
	if p, err := v.f.Package(); err == nil && p.Created != d.Created {
		bad("signature-odd", "created is %.60q, datapackage.json says %.60q", d.Created, p.Created)
	}
	s.Valid = true
	for _, f := range v.report.Findings[n:] {
		if f.Code == "signature" || f.Code == "signature-chain" || f.Code == "signature-time" {
			s.Valid = false
		}
	}
}

func (v *verifier) anonymous(d *signedData, s *Signature, sum, sig []byte, bad func(code, format string, args ...any)) {
	der, err := base64.StdEncoding.DecodeString(d.PublicKey)
	if err != nil {
		bad("signature", "the public key is not Base64: %v", err)
		return
	}
	id := sha256.Sum256(der)
	s.Signer = "sha256:" + hex.EncodeToString(id[:])
	pub, err := x509.ParsePKIXPublicKey(der)
	key, ok := pub.(*ecdsa.PublicKey)
	if err != nil || !ok {
		bad("signature", "the public key is no ECDSA key (%v)", err)
		return
	}
	if key.Curve != elliptic.P384() {
		bad("signature-odd", "the key is of the curve %s, not P-384", key.Params().Name)
	}
	if r, t, ok := rawPair(key, sig); ok && ecdsa.Verify(key, sum, r, t) {
		return
	}
	if ecdsa.VerifyASN1(key, sum, sig) {
		bad("signature-der", "the signature is %d bytes of DER", len(sig))
		return
	}
	bad("signature", "the signature does not fit the hash and the public key")
}

// rawPair splits r‖s, each as long as the order of the curve.
func rawPair(key *ecdsa.PublicKey, sig []byte) (r, s *big.Int, ok bool) {
	n := (key.Params().N.BitLen() + 7) / 8
	if len(sig) != 2*n {
		return nil, nil, false
	}
	return new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:]), true
}

func (v *verifier) domain(d *signedData, sum, sig []byte, bad func(code, format string, args ...any)) {
	chain, err := parseChain(d.DomainCert)
	if err != nil {
		bad("signature-chain", "domainCert cannot be understood: %v", err)
		return
	}
	leaf := chain[0]
	key, ok := leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		bad("signature", "the certificate of %q has no ECDSA key", d.Domain)
		return
	}
	if !ecdsa.VerifyASN1(key, sum, sig) {
		bad("signature", "the signature does not fit the hash and the certificate")
	}
	if err := leaf.VerifyHostname(d.Domain); err != nil && leaf.Subject.CommonName != d.Domain {
		bad("signature-chain", "the certificate is not of %q: %v", d.Domain, err)
	}
	for i := 0; i+1 < len(chain); i++ {
		if err := chain[i].CheckSignatureFrom(chain[i+1]); err != nil {
			bad("signature-chain", "certificate %d (%s) is not signed by the next one (%s): %v", i+1, chain[i].Subject, chain[i+1].Subject, err)
		}
	}
	created, err := time.Parse(time.RFC3339, d.Created)
	switch last := leaf.NotBefore.AddDate(0, 0, 7); {
	case err != nil:
		bad("signature-time", "created is %.60q, which is not RFC 3339", d.Created)
	case created.Before(leaf.NotBefore) || created.After(last):
		bad("signature-time", "created %s is not within 7 days from the start of the certificate, %s", d.Created, leaf.NotBefore.Format(time.RFC3339))
	}
	root := chain[len(chain)-1]
	print := sha256.Sum256(root.RawSubjectPublicKeyInfo)
	if !slices.Contains(roots, hex.EncodeToString(print[:])) {
		bad("signature-chain", "the chain ends in %q (sha256 of its key %x), which is not on the list of roots", root.Subject, print)
	}
	v.timestamp(d, created, bad)
}

func parseChain(s string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := []byte(s); len(chain) < 16; {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("there is no certificate in it")
	}
	return chain, nil
}

// timestamp compares the imprint and the time of a TimeStampResp (RFC 3161)
// with what it must be of: the SHA-256 of the Base64 of the signature.
func (v *verifier) timestamp(d *signedData, created time.Time, bad func(code, format string, args ...any)) {
	der, err := base64.StdEncoding.DecodeString(d.TimeSignature)
	if err != nil || d.TimeSignature == "" {
		bad("signature-time", "there is no timeSignature in Base64")
		return
	}
	imprint, at, err := tstInfo(der)
	if err != nil {
		bad("signature-time", "timeSignature is no TimeStampResp: %v", err)
		return
	}
	if want := sha256.Sum256([]byte(d.Signature)); !slices.Equal(imprint, want[:]) {
		bad("signature-time", "the time stamp is of %x, the signature hashes to %x", imprint, want)
	}
	if diff := at.Sub(created).Abs(); diff > 10*time.Minute {
		bad("signature-time", "the time stamp is of %s, created is %s", at.UTC().Format(time.RFC3339), strings.ToValidUTF8(d.Created, "?"))
	}
	bad("signature-tsa", "the time stamp says %s", at.UTC().Format(time.RFC3339))
}

func tstInfo(der []byte) (imprint []byte, at time.Time, err error) {
	var resp struct {
		Status struct {
			Status int
			Rest   []asn1.RawValue `asn1:"optional"`
		}
		Token struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue `asn1:"explicit,tag:0"`
		} `asn1:"optional"`
	}
	if _, err = asn1.Unmarshal(der, &resp); err != nil {
		return nil, at, err
	}
	if resp.Status.Status > 1 {
		return nil, at, fmt.Errorf("the authority refused: status %d", resp.Status.Status)
	}
	var signed struct {
		Version int
		Digests asn1.RawValue
		Content struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
	}
	if _, err = asn1.Unmarshal(resp.Token.Content.Bytes, &signed); err != nil {
		return nil, at, err
	}
	var info struct {
		Version int
		Policy  asn1.ObjectIdentifier
		Imprint struct {
			Algorithm asn1.RawValue
			Digest    []byte
		}
		Serial *big.Int
		Time   time.Time `asn1:"generalized"`
	}
	if _, err = asn1.Unmarshal(signed.Content.Content, &info); err != nil {
		return nil, at, err
	}
	return info.Imprint.Digest, info.Time, nil
}
