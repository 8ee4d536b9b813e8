package archive_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/capture"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fetchctx"
	"github.com/refrain-archive/refrain/post"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// message is the block of a message with its digests. The body is not chunked.
func message(interim, raw string) capture.Block {
	whole := interim + raw
	head := strings.Index(raw, "\r\n\r\n") + 4
	return capture.Block{
		ReaderAt: strings.NewReader(whole), Size: int64(len(whole)), Interim: int64(len(interim)), Head: int64(len(interim) + head),
		SHA256: sha256.Sum256([]byte(whole)), FinalSHA256: sha256.Sum256([]byte(raw)),
		PayloadSHA256: sha256.Sum256([]byte(raw[head:])), PayloadSize: int64(len(raw) - head),
	}
}

// exchange is a GET of url that was answered 200 with body.
func exchange(url, contentType, body string) *capture.Exchange {
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "https://"), "/")
	return &capture.Exchange{
		URL: url, Method: "GET", Status: 200, ContentType: contentType,
		Request:  message("", "GET /"+path+" HTTP/1.1\r\nHost: "+host+"\r\nAccept-Encoding: gzip\r\n\r\n"),
		Response: message("", "HTTP/1.1 200 OK\r\nContent-Type: "+contentType+"\r\nContent-Length: "+fmt.Sprint(len(body))+"\r\n\r\n"+body),
		Started:  noon, Ended: noon.Add(80 * time.Millisecond), RemoteIP: "192.0.2.1", Protocols: []string{"http/1.1", "tls/1.3"}, CipherSuite: "TLS_AES_128_GCM_SHA256",
		Fields: []fetchctx.Field{{Name: "robots", Value: "allowed"}, {Name: "fetchTimeMs", Value: "80"}},
	}
}

func block(t testing.TB, b *capture.Block) []byte {
	t.Helper()
	data, err := io.ReadAll(b.Reader())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustOpen(t testing.TB, store blob.Store, opts archive.Options) *archive.Archive {
	t.Helper()
	a, err := archive.Open(t.Context(), store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.Background()) })
	return a
}

// samplePost is a post read from c.
func samplePost(id string, c post.Capture) post.Post {
	return post.Post{Platform: "plaza", ID: id, Kind: post.KindPost, Text: "Hello <b> & ünïcode", FetchedAt: noon, Outcome: post.OK, Capture: c, Reader: "plaza/1"}
}

// checkArchive reads every byte of the archive's finished segments and gives an
// error for anything that is not as the package comment says.
func checkArchive(ctx context.Context, a *archive.Archive) error {
	var errs []error
	ids := map[string]bool{}
	for s, err := range a.Segments(ctx) {
		if err != nil {
			return err
		}
		if s.Open {
			continue
		}
		if !s.Whole {
			errs = append(errs, fmt.Errorf("segment %s is not whole: %+v", s.Name, s))
			continue
		}
		if err := checkSegment(ctx, a, s, ids); err != nil {
			errs = append(errs, fmt.Errorf("segment %s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

func checkSegment(ctx context.Context, a *archive.Archive, s archive.Segment, ids map[string]bool) error {
	var lines []string
	var posts []string
	n, end := 0, int64(0)
	for r, err := range a.Records(ctx, s.Name) {
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		pos, err := r.Finish()
		if err != nil {
			return err
		}
		if r.Offset != end || len(r.Oddities()) > 0 {
			return fmt.Errorf("record %s at %d, want %d; %v", r.ID(), r.Offset, end, r.Oddities())
		}
		end = pos.End()
		if ids[r.ID()] {
			return fmt.Errorf("record %s is there twice", r.ID())
		}
		ids[r.ID()] = true
		if got, want := fmt.Sprintf("sha256:%x", sha256.Sum256(data)), r.Header.Get("WARC-Block-Digest"); got != want {
			return fmt.Errorf("record %s: block digest %s, header says %s", r.ID(), got, want)
		}
		if n == 0 && (r.Header.Type() != "warcinfo" || r.Header.Get("WARC-Filename") != string(s.Name)+".warc.gz") {
			return fmt.Errorf("the first record is %v", r.Header)
		}
		n++
		line, ok, err := cdx.FromRecord(&warc.Record{Header: r.Header, Block: warc.Bytes(data)}, pos, string(s.Name)+".warc.gz", cdx.Options{})
		if err != nil {
			return err
		}
		if ok {
			lines = append(lines, line.String()+"\n")
		}
		for _, kind := range []string{"post", "page"} {
			if strings.HasPrefix(r.Header.TargetURI(), "urn:refrain:"+kind+":") {
				posts = append(posts, fmt.Sprintf(`{"record_id":%q,"offset":%d,%q:%s}`, r.ID(), r.Offset, kind, data)+"\n")
			}
		}
	}
	if n < 2 {
		return fmt.Errorf("an empty segment of %d records", n)
	}
	if end != s.Size {
		return fmt.Errorf("the records end at %d of %d bytes", end, s.Size)
	}
	slices.Sort(lines)
	index, err := blob.ReadAll(ctx, a.Store(), s.Name.Key(archive.IndexEnding), 1<<30)
	if err != nil {
		return err
	}
	if string(index) != strings.Join(slices.Compact(lines), "") {
		return fmt.Errorf("the index is not that of the records:\n%s\nwant\n%s", index, strings.Join(lines, ""))
	}
	packed, err := blob.ReadAll(ctx, a.Store(), s.Name.Key(archive.PostsEnding), 1<<30)
	if len(posts) == 0 && errors.Is(err, blob.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	gz, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	unpacked, err := io.ReadAll(gz)
	if err != nil {
		return err
	}
	if string(unpacked) != strings.Join(posts, "") {
		return fmt.Errorf("the posts are not those of the records:\n%s\nwant\n%s", unpacked, strings.Join(posts, ""))
	}
	return nil
}

// An ack is a capture or post that Sync said is saved.
type ack struct {
	Capture post.Capture
	Post    string // key of a post read from it
	SHA256  [32]byte
}

// checkAcks gives an error for every ack that is not in the archive.
func checkAcks(ctx context.Context, a *archive.Archive, acks []ack) error {
	var errs []error
	posts := map[string]bool{}
	for s, err := range a.Segments(ctx) {
		if err != nil {
			return err
		}
		for line, err := range a.Posts(ctx, s.Name) {
			if err != nil {
				return err
			}
			posts[line.Post.Key()] = true
		}
	}
	for _, k := range acks {
		r, err := a.ReadRecord(ctx, k.Capture)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		data, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil || sha256.Sum256(data) != k.SHA256 {
			errs = append(errs, fmt.Errorf("record %+v: %w", k.Capture, errors.Join(err, errors.New("other bytes than were saved"))))
		}
		if k.Post != "" && !posts[k.Post] {
			errs = append(errs, fmt.Errorf("post %s was saved and is gone", k.Post))
		}
	}
	return errors.Join(errs...)
}

// writeRandom records exchanges and posts until f says stop or an error comes,
// and tells of what is saved. It gives the number of acks.
func writeRandom(ctx context.Context, a *archive.Archive, rng *rand.Rand, tag string, saved func(ack)) error {
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		body := make([]byte, rng.IntN(3000))
		for i := range body {
			body[i] = "abcdefgh \n"[rng.IntN(10)]
		}
		if rng.IntN(40) == 0 {
			body = bytes.Repeat(body, 200) // larger than the buffer
		}
		key := fmt.Sprintf("%s-%d", tag, n)
		ex := exchange("https://plaza.example/"+key, "text/plain", string(body)+key)
		c, err := a.Record(ctx, ex)
		if err != nil {
			return err
		}
		k := ack{Capture: c, SHA256: ex.Response.SHA256}
		if rng.IntN(2) == 0 {
			p := samplePost(key, c)
			p.Text += strings.Repeat(string(body), rng.IntN(4)) // some are packed once for both files
			if err := a.WritePosts(ctx, []post.Post{p}); err != nil {
				return err
			}
			k.Post = p.Key()
		}
		if rng.IntN(3) > 0 {
			if err := a.Sync(ctx); err != nil {
				return err
			}
			saved(k)
		}
	}
}
