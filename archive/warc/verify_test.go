package warc

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// writeFile writes records and gives the file.
func writeFile(t testing.TB, o WriterOptions, records ...*Record) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, o)
	for _, r := range records {
		if _, err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func verifyBytes(t testing.TB, file []byte, o VerifyOptions) *Report {
	t.Helper()
	report, err := Verify(context.Background(), bytes.NewReader(file), int64(len(file)), "x.warc.gz", o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestVerifyOwn writes one of each record that the builders make: nothing is to
// be remarked.
func TestVerifyOwn(t *testing.T) {
	for _, compression := range []Compression{Auto, Stored, Plain} {
		c := Capture{URL: "https://plaza.example/a", Date: testDate, Protocols: []string{"http/1.1", "tls/1.3"}, CipherSuite: "TLS_AES_128_GCM_SHA256"}
		response := c.Response(Bytes([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")))
		original := Original{ID: response.ID(), URL: c.URL, Date: c.Date, PayloadDigest: SHA256([]byte("hi"))}
		file := writeFile(t, WriterOptions{Compression: compression},
			NewWarcinfo("x.warc.gz", testDate, Header{{"software", "test/1"}, {"line", "a\r\nb"}}),
			response,
			c.Request(Bytes([]byte("POST /a HTTP/1.1\r\nHost: plaza.example\r\nContent-Length: 2\r\n\r\nhi")), response),
			c.Metadata(Header{{"fetchTimeMs", "12"}}, response),
			c.Resource("urn:refrain:post:plaza:1", "application/json", Bytes([]byte(`{}`)), response),
			c.Conversion("text/plain", Bytes([]byte("hi")), response),
			c.Identical(Bytes([]byte("HTTP/1.1 200 OK\r\n\r\n")), original),
			c.NotModified(Bytes([]byte("HTTP/1.1 304 Not Modified\r\n\r\n")), original),
			c.Response(Bytes([]byte("HTTP/1.1 204 No Content\r\n\r\n"))),
		)
		report := verifyBytes(t, file, VerifyOptions{})
		if report.Verdict != Sound || report.Records != 9 || report.Types[TypeRevisit] != 2 || report.Digests != 9+5 {
			t.Errorf("compression %d: %+v", compression, report)
		}
		length, records, err := Whole(context.Background(), bytes.NewReader(file), int64(len(file)))
		if err != nil || length != int64(len(file)) || records != 9 {
			t.Errorf("Whole: %d of %d bytes, %d records, %v", length, len(file), records, err)
		}
	}
}

// TestVerifyFinds changes one thing in a sound file and asks for the finding.
func TestVerifyFinds(t *testing.T) {
	const body = "<p>hello hello</p>"
	chunked := "9\r\n<p>hello \r\n9\r\nhello</p>\r\n0\r\n\r\n"
	var z bytes.Buffer
	g := gzip.NewWriter(&z)
	io.WriteString(g, body)
	g.Close()
	sum, _ := ParseDigest(SHA256([]byte(body)))
	response := func(fields, httpFields, body string) string {
		block := "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + httpFields + "\r\n" + body
		return "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-01-31T10:11:12Z\r\nWARC-Target-URI: http://plaza.example/\r\n" +
			"Content-Type: application/http; msgtype=response\r\n" + fields + fmt.Sprintf("Content-Length: %d\r\n\r\n%s\r\n\r\n", len(block), block)
	}
	info := "WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:0>\r\nWARC-Date: 2026-01-31T10:11:12Z\r\nContent-Type: application/warc-fields\r\nWARC-Block-Digest: " +
		SHA256([]byte("software: x\r\n")) + "\r\nContent-Length: 13\r\n\r\nsoftware: x\r\n\r\n\r\n"
	payload := func(s string) string { return "WARC-Payload-Digest: " + s + "\r\n" }
	ok := payload(SHA256([]byte(body)))
	swap := func(old, new string) string { return strings.Replace(response(ok, "", body), old, new, 1) }
	for _, c := range []struct {
		name, records string
		verdict       Verdict
		codes         []Code
	}{
		{"sound", response(ok, "", body), Sound, nil},
		{"chunked", response(ok, "Transfer-Encoding: chunked\r\n", chunked), Sound, nil},
		{"digest of the chunked body", response(payload(SHA256([]byte(chunked))), "Transfer-Encoding: chunked\r\n", chunked), SoundWithRemarks, []Code{CodePayloadFramed}},
		{"framing removed", response(ok, "Transfer-Encoding: chunked\r\n", body), SoundWithRemarks, []Code{CodeFramingRemoved}},
		{"chunks cut", response(payload(SHA256([]byte("<p>hello he"))), "Transfer-Encoding: chunked\r\n", chunked[:19]), SoundWithRemarks, []Code{CodeFramingBroken}},
		{"chunks cut, as told", response("WARC-Truncated: disconnect\r\n"+payload(SHA256([]byte("<p>hello he"))), "Transfer-Encoding: chunked\r\n", chunked[:19]), SoundWithRemarks, []Code{CodeBodyTruncated}},
		{"gzip", response(payload(SHA256(z.Bytes())), "Content-Encoding: gzip\r\n", z.String()), Sound, nil},
		{"digest of the unpacked body", response(ok, "Content-Encoding: gzip\r\n", z.String()), SoundWithRemarks, []Code{CodePayloadDecoded}},
		{"digest of the block", response(payload(SHA256([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"+body))), "", body), SoundWithRemarks, []Code{CodePayloadBlock}},
		{"digest of nothing", response(payload(SHA256([]byte("x"))), "", body), Damaged, []Code{CodePayloadDigest}},
		{"digest of nothing, truncated", response("WARC-Truncated: length\r\n"+payload(SHA256([]byte("x"))), "", body), SoundWithRemarks, []Code{CodePayloadTrunc}},
		{"block digest", response("WARC-Block-Digest: "+SHA256([]byte("x"))+"\r\n", "", body), Damaged, []Code{CodeBlockDigest}},
		{"digest in Base64", response(payload("sha-256:"+base64.StdEncoding.EncodeToString(sum.Sum)), "", body), SoundWithRemarks, []Code{CodeDigestSpelling}},
		{"digest in upper case", response(payload("SHA256:"+strings.ToUpper(hex.EncodeToString(sum.Sum))), "", body), SoundWithRemarks, []Code{CodeDigestSpelling}},
		{"unknown digest", response(payload("blake3:00"), "", body), SoundWithRemarks, []Code{CodeDigestUnknown}},
		{"no digest", response("", "", body), SoundWithRemarks, []Code{CodeNoDigest}},
		{"body shorter than announced", response(ok, "Content-Length: 99\r\n", body), SoundWithRemarks, []Code{CodeBodyShort}},
		{"the same, as told", response("WARC-Truncated: length\r\n"+ok, "Content-Length: 99\r\n", body), SoundWithRemarks, []Code{CodeBodyTruncated}},
		{"id twice", response(ok, "", body) + response(ok, "", body), Damaged, []Code{CodeDuplicateID}},
		{"no date", swap("WARC-Date: 2026-01-31T10:11:12Z\r\n", ""), Damaged, []Code{CodeFieldMissing}},
		{"bad date", swap("2026-01-31T10:11:12Z", "31 January"), Damaged, []Code{CodeDate}},
		{"date of ARC", swap("2026-01-31T10:11:12Z", "20260131101112"), SoundWithRemarks, []Code{CodeDateForm}},
		{"no target", swap("WARC-Target-URI: http://plaza.example/\r\n", ""), Damaged, []Code{CodeFieldMissing}},
		{"target in brackets", swap("http://plaza.example/", "<http://plaza.example/>"), SoundWithRemarks, []Code{CodeURIBrackets}},
		{"no id", swap("WARC-Record-ID: <urn:uuid:1>\r\n", ""), Damaged, []Code{CodeFieldMissing}},
		{"no type", swap("WARC-Type: response\r\n", ""), Damaged, []Code{CodeFieldMissing}},
		{"unknown type", swap("WARC-Type: response", "WARC-Type: screenshot"), SoundWithRemarks, nil},
		{"refers to", response("WARC-Refers-To: <urn:uuid:0>\r\n"+ok, "", body), SoundWithRemarks, []Code{CodeFieldForbidden}},
		{"field twice", response("WARC-IP-Address: 192.0.2.1\r\nwarc-ip-address: 192.0.2.1\r\n"+ok, "", body), SoundWithRemarks, []Code{CodeFieldRepeated}},
		{"concurrent to nothing", response("WARC-Concurrent-To: <urn:uuid:9>\r\n"+ok, "", body), SoundWithRemarks, []Code{CodeDangling}},
		{"concurrent to the one before", response("WARC-Concurrent-To: <urn:uuid:0>\r\n"+ok, "", body), Sound, nil},
		{"HTTP/2", strings.Replace(response(ok, "", body), "HTTP/1.1 200 OK", "HTTP/2   200 OK", 1), SoundWithRemarks, []Code{CodeHTTPStatusLine}},
		{"revisit without a profile", swap("WARC-Type: response", "WARC-Type: revisit"), Damaged, []Code{CodeFieldMissing}},
		{"length too large", swap("Content-Length: 6", "Content-Length: 7"), Damaged, nil},
	} {
		report := verifyBytes(t, []byte(info+c.records), VerifyOptions{})
		var codes []Code
		for _, f := range report.Findings {
			codes = append(codes, f.Code)
			if f.Meaning == "" || f.Detail == "" || f.File != "x.warc.gz" {
				t.Errorf("%s: finding %+v", c.name, f)
			}
		}
		if report.Verdict != c.verdict || c.codes != nil && !slices.Equal(codes, c.codes) || c.verdict == Sound && len(codes) > 0 {
			t.Errorf("%s: %s, %+v; want %s, %v", c.name, report.Verdict, report.Findings, c.verdict, c.codes)
		}
	}
	if report := verifyBytes(t, nil, VerifyOptions{}); report.Verdict != SoundWithRemarks || report.Counts[CodeEmpty] != 1 {
		t.Errorf("an empty file: %+v", report)
	}
}

func TestVerifyLimits(t *testing.T) {
	one := "WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Record-ID: <urn:x:%d>\r\nWARC-Date: 2026\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
	var file strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&file, one, i)
	}
	for i := range 2000 {
		fmt.Fprintf(&file, one, i)
	}
	report := verifyBytes(t, []byte(file.String()), VerifyOptions{MaxFindings: 10})
	if report.Counts[CodeDuplicateID] != 2000 || len(report.Findings) != 10 || report.Verdict != Damaged {
		t.Errorf("%v, %d listed", report.Counts, len(report.Findings))
	}
	report = verifyBytes(t, []byte(file.String()), VerifyOptions{MaxIDs: 1000})
	if report.Counts[CodeDuplicateID] != 1000 || report.Counts[CodeIDsNotChecked] != 1 {
		t.Errorf("1,000 ids compared: %v", report.Counts)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Verify(ctx, strings.NewReader(file.String()), int64(file.Len()), "x", VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Verify(context.Background(), brokenDisk{}, 1000, "x", VerifyOptions{}); !errors.Is(err, errDisk) {
		t.Errorf("a disk that cannot be read: %v", err)
	}
}

var errDisk = errors.New("input/output error")

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

// TestRepairOwn tears a file at every place and cuts it to what is whole.
func TestRepairOwn(t *testing.T) {
	for _, compression := range []Compression{Auto, Plain} {
		file, positions, _ := sample(t, WriterOptions{Compression: compression}, 3)
		for cut := 0; cut <= len(file); cut += 1 + cut/40 {
			torn := file[:cut]
			want := int64(0)
			kept := 0
			for i, p := range positions {
				if p.End() <= int64(cut) {
					want, kept = p.End(), i+1
				}
			}
			length, records, err := Whole(context.Background(), bytes.NewReader(torn), int64(cut))
			if err != nil || length != want || records != int64(kept) {
				t.Errorf("cut to %d: %d bytes and %d records are whole, want %d and %d, %v", cut, length, records, want, kept, err)
			}
			var out bytes.Buffer
			report, err := Repair(context.Background(), bytes.NewReader(torn), int64(cut), "x", &out)
			if err != nil {
				t.Fatal(err)
			}
			// A record whose closing line ends alone are missing is whole.
			if !bytes.HasPrefix(out.Bytes(), file[:want]) || report.Kept < int64(kept) || report.Kept > int64(kept)+1 {
				t.Errorf("cut to %d: %d bytes and %d records are kept, want %d and %d", cut, out.Len(), report.Kept, want, kept)
			}
		}
	}
}

func TestRepairWholeFileMember(t *testing.T) {
	plain, _, blocks := sample(t, WriterOptions{Compression: Plain}, 5)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(plain)
	z.Close()
	var out bytes.Buffer
	report, err := Repair(context.Background(), bytes.NewReader(packed.Bytes()), int64(packed.Len()), "x", &out)
	if err != nil || report.Before.Verdict != Damaged || report.Kept != 11 || report.Repacked != 11 || len(report.Lost) != 0 {
		t.Fatalf("%+v, %v", report, err)
	}
	checkSample(t, "the copy", out.Bytes(), nil, blocks)
	if after := verifyBytes(t, out.Bytes(), VerifyOptions{}); after.Verdict != Sound {
		t.Errorf("the copy is %+v", after)
	}
}
