package s3_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/blobtest"
	"github.com/refrain-archive/refrain/archive/blob/s3"
	"github.com/refrain-archive/refrain/internal/s3test"
)

func options(server *s3test.Server) s3.Options {
	return s3.Options{
		Bucket: server.Plain, Endpoint: server.Endpoint, Region: server.Region, PathStyle: true,
		AccessKey: server.AccessKey, SecretKey: server.SecretKey,
	}
}

func open(t *testing.T, opts s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	server := s3test.Start(t)
	var n atomic.Int64
	blobtest.Run(t, func(t *testing.T) blob.Store {
		opts := options(server)
		opts.Prefix = fmt.Sprintf("archives/number-%d", n.Add(1))
		return open(t, opts)
	})
}

// The contract holds in a bucket with versions, where an overwrite would hide
// the older version, and at the root of the bucket.
func TestObjectLock(t *testing.T) {
	server := s3test.Start(t)
	opts := options(server)
	opts.Bucket, opts.Retain = server.Bucket, time.Hour
	s := open(t, opts)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	info, err := blob.PutBytes(t.Context(), s, "locked", []byte("evidence"), blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := info.RetainUntil.Sub(before); d < 59*time.Minute || d > 61*time.Minute {
		t.Errorf("locked until %s, want an hour from now", info.RetainUntil)
	}
	big, err := s.Put(t.Context(), "locked-big", zeros{}, 6<<20, blob.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d := big.RetainUntil.Sub(before); d < 59*time.Minute || d > 61*time.Minute {
		t.Errorf("a multipart object is locked until %s, want an hour from now", big.RetainUntil)
	}
	if _, err := blob.PutBytes(t.Context(), s, "locked", []byte("forgery!"), blob.PutOptions{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("put over a locked object: %v, want ErrExists", err)
	}
	if _, err := s.Put(t.Context(), "locked-big", strings.NewReader(strings.Repeat("x", 6<<20)), 6<<20, blob.PutOptions{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("put over a locked multipart object: %v, want ErrExists", err)
	}
	// And by a client that does not play by our rules.
	client := server.Client()
	versions, err := client.ListObjectVersions(t.Context(), &awss3.ListObjectVersionsInput{Bucket: &server.Bucket, Prefix: aws.String("locked")})
	if err != nil || len(versions.Versions) != 2 {
		t.Fatalf("versions: %+v, %v; want one of each object", versions, err)
	}
	for _, v := range versions.Versions {
		for _, bypass := range []bool{false, true} {
			_, err := client.DeleteObject(t.Context(), &awss3.DeleteObjectInput{Bucket: &server.Bucket, Key: v.Key, VersionId: v.VersionId, BypassGovernanceRetention: &bypass})
			if err == nil {
				t.Errorf("%s was deleted under its lock (bypass %v)", *v.Key, bypass)
			}
		}
	}
	r, err := s.Get(t.Context(), "locked", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); string(data) != "evidence" || err != nil {
		t.Errorf("after all that: %q, %v", data, err)
	}
}

type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func TestClearErrors(t *testing.T) {
	server := s3test.Start(t)
	for _, test := range []struct {
		name   string
		change func(*s3.Options)
		says   string
	}{
		{"access key", func(o *s3.Options) { o.AccessKey = "nobody" }, "does not know the access key"},
		{"secret key", func(o *s3.Options) { o.SecretKey = "guess" }, "the secret key does not belong to the access key"},
		{"bucket", func(o *s3.Options) { o.Bucket = "nowhere" }, "the bucket nowhere does not exist at http://127.0.0.1"},
		{"address", func(o *s3.Options) { o.Endpoint, o.Attempts = "http://127.0.0.1:1", 1 }, "no answer from http://127.0.0.1:1"},
		{"no lock", func(o *s3.Options) { o.Retain = time.Hour }, "object lock"},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts := options(server)
			test.change(&opts)
			s := open(t, opts)
			_, put := blob.PutBytes(t.Context(), s, "k", []byte("x"), blob.PutOptions{})
			errs := map[string]error{"check": s.Check(t.Context()), "put": put}
			if opts.Retain == 0 {
				_, errs["stat"] = s.Stat(t.Context(), "k")
				_, errs["get"] = s.Get(t.Context(), "k", 0, -1)
				for _, err := range s.List(t.Context(), "", "") {
					errs["list"] = err
				}
			}
			for op, err := range errs {
				says := test.says
				if op == "stat" && test.name == "secret key" {
					says = "the service refuses this key" // HEAD carries no reason
				}
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v, want it to say %q", op, err, says)
				}
				if err != nil && strings.Contains(err.Error(), opts.SecretKey) {
					t.Errorf("%s: the secret key stands in the error: %v", op, err)
				}
			}
		})
	}
	for _, test := range []struct {
		opts s3.Options
		says string
	}{
		{s3.Options{}, "no bucket is named"},
		{s3.Options{Bucket: "b", Prefix: "/x/"}, "prefix"},
		{s3.Options{Bucket: "b", AccessKey: "k"}, "both, or neither"},
		{s3.Options{Bucket: "b", Retain: -1}, "retention"},
	} {
		if _, err := s3.New(t.Context(), test.opts); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("New(%+v) = %v, want it to say %q", test.opts, err, test.says)
		}
	}
}

// A service whose clock is an hour ahead refuses requests; the error says what
// both clocks read.
func TestClockSkew(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Mon, 23 Nov 2026 12:00:00 GMT")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>`)
	}))
	defer server.Close()
	s := open(t, s3.Options{
		Bucket: "b", Endpoint: server.URL, PathStyle: true, AccessKey: "k", SecretKey: "s", Attempts: 1,
		Now: func() time.Time { return time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC) },
	})
	_, err := blob.PutBytes(t.Context(), s, "k", []byte("x"), blob.PutOptions{})
	if err == nil || !strings.Contains(err.Error(), "this machine's clock says 2026-11-23T11:00:00Z, the service's 2026-11-23T12:00:00Z") {
		t.Errorf("error %v, want both clocks", err)
	}
}

// An object that was changed behind our back is noticed when it is read whole.
func TestForeignBytes(t *testing.T) {
	server := s3test.Start(t)
	s := open(t, options(server))
	client := server.Client()
	if _, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &server.Plain, Key: aws.String("k"), Body: strings.NewReader("other"), Metadata: map[string]string{"refrain-sha256": strings.Repeat("0", 64)}}); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, blob.ErrDigest) {
		t.Errorf("read: %v, want ErrDigest", err)
	}
	// One stored by another tool carries no digest: its bytes tell whether it is the same.
	if _, err := client.PutObject(t.Context(), &awss3.PutObjectInput{Bucket: &server.Plain, Key: aws.String("plain"), Body: strings.NewReader("other")}); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "plain", []byte("other"), blob.PutOptions{}); err != nil {
		t.Errorf("the same bytes over another tool's object: %v", err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "plain", []byte("OTHER"), blob.PutOptions{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("other bytes over another tool's object: %v, want ErrExists", err)
	}
}

// Killed and started again in the middle of an upload, the server loses nothing
// that was acknowledged, and the upload can be done again.
func TestServerKilled(t *testing.T) {
	server := s3test.Start(t)
	opts := options(server)
	opts.Attempts = 1
	s := open(t, opts)
	if _, err := blob.PutBytes(t.Context(), s, "before", []byte("x"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	killer := &killAt{at: 12 << 20, kill: server.Kill}
	if _, err := s.Put(t.Context(), "big", killer, 20<<20, blob.PutOptions{}); err == nil {
		t.Fatal("put with the server killed in the middle: no error")
	}
	server.Restart()
	if _, err := s.Stat(t.Context(), "big"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("half an object: %v, want ErrNotFound", err)
	}
	if info, err := s.Put(t.Context(), "big", zeros{}, 20<<20, blob.PutOptions{}); err != nil || info.Size != 20<<20 {
		t.Errorf("put again: %+v, %v", info, err)
	}
	if data, err := blob.ReadAll(t.Context(), s, "before", 10); string(data) != "x" || err != nil {
		t.Errorf("stored before: %q, %v", data, err)
	}
}

// killAt is a body of zeros that kills the server when it is read for the second
// time (to be sent) at a place.
type killAt struct {
	at    int64
	kill  func()
	times atomic.Int64
}

func (k *killAt) ReadAt(p []byte, off int64) (int, error) {
	if off <= k.at && k.at < off+int64(len(p)) && k.times.Add(1) == 2 {
		k.kill()
	}
	clear(p)
	return len(p), nil
}

// Memory does not grow with the size or the number of uploads at once.
func TestMemory(t *testing.T) {
	server := s3test.Start(t)
	s := open(t, options(server))
	peak := watchHeap(t)
	errs := make(chan error, 4)
	for i := range 4 {
		go func() {
			_, err := s.Put(context.Background(), fmt.Sprintf("m/%d", i), zeros{}, 40<<20, blob.PutOptions{})
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := peak(); got > 64<<20 {
		t.Errorf("four uploads of 40 MiB at once took %d MiB of heap, want at most 64", got>>20)
	}
}

// watchHeap gives the largest heap in use between its call and that of the
// function it returns.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapInuse))
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
		}
	}()
	return func() uint64 { close(stop); <-done; return peak.Load() }
}
