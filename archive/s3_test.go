package archive_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/blob/s3"
	"github.com/refrain-archive/refrain/internal/s3test"
	"github.com/refrain-archive/refrain/post"
)

// An archive in a bucket under object lock: the server is killed while segments
// are written and uploaded, and started again. Nothing is lost.
func TestBucket(t *testing.T) {
	server := s3test.Start(t)
	store, err := s3.New(t.Context(), s3.Options{
		Bucket: server.Bucket, Prefix: "case/one", Endpoint: server.Endpoint, Region: server.Region, PathStyle: true,
		AccessKey: server.AccessKey, SecretKey: server.SecretKey, Retain: time.Hour, Attempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Open(t.Context(), store, archive.Options{}); err == nil {
		t.Error("a bucket without a work folder was opened for writing")
	}
	opts := archive.Options{WorkDir: filepath.Join(t.TempDir(), "work"), MaxSize: 200 << 10}
	var reports []error
	opts.Report = func(err error) { reports = append(reports, err) }
	a := mustOpen(t, store, opts)
	rng := rand.New(rand.NewPCG(1, 2))
	var acks []ack
	write := func(n int, tag string) {
		t.Helper()
		stop := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		left := n
		err := writeRandom(ctx, a, rng, tag, func(k ack) {
			acks = append(acks, k)
			if left--; left <= 0 {
				cancel(stop)
			}
		})
		if err != nil && !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
	write(40, "before")
	if err := a.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	write(40, "during") // capturing goes on
	if err := a.Rotate(t.Context()); err == nil {
		t.Error("segments were uploaded to a server that is not there")
	}
	if len(reports) == 0 {
		t.Error("the failed upload was not reported")
	}
	server.Restart()
	write(20, "after")
	if err := a.Rotate(t.Context()); err != nil {
		t.Errorf("with the server back: %v", err)
	}
	if err := errors.Join(checkArchive(t.Context(), a), checkAcks(t.Context(), a, acks)); err != nil {
		t.Error(err)
	}

	// Closed without the server: the next start uploads what is left.
	write(20, "last")
	server.Kill()
	if err := a.Close(t.Context()); err == nil {
		t.Error("Close without the server: no error")
	}
	if _, err := archive.Open(t.Context(), store, opts); err == nil {
		t.Error("Open without the server: no error")
	}
	server.Restart()
	a = mustOpen(t, store, opts)
	if len(a.Recovered()) == 0 {
		t.Error("nothing was recovered")
	}
	if err := errors.Join(checkAcks(t.Context(), a, acks), a.Rotate(t.Context())); err != nil {
		t.Error(err)
	}
	// From another machine, with the bucket alone.
	b := mustOpen(t, store, archive.Options{ReadOnly: true})
	if err := errors.Join(checkArchive(t.Context(), b), checkAcks(t.Context(), b, acks)); err != nil {
		t.Error(err)
	}
	err = filepath.WalkDir(opts.WorkDir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left in the work folder", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// The same run into a folder and into a bucket gives the same records.
func TestFolderAndBucketAreEqual(t *testing.T) {
	server := s3test.Start(t)
	bucket, err := s3.New(t.Context(), s3.Options{Bucket: server.Plain, Endpoint: server.Endpoint, Region: server.Region, PathStyle: true, AccessKey: server.AccessKey, SecretKey: server.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	content := func(a *archive.Archive) map[string]string {
		found := map[string]string{}
		for i := range 30 {
			c := record(t, a, exchange(fmt.Sprintf("https://plaza.example/%d", i), "text/html", fmt.Sprintf("page %d", i)))
			if err := a.WritePosts(t.Context(), []post.Post{{Platform: "plaza", ID: fmt.Sprint(i), Capture: c}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Rotate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for ex, err := range a.Captures(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			found[ex.URL] = ex.Capture.PayloadDigest
		}
		for s, err := range a.Segments(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			for line, err := range a.Posts(t.Context(), s.Name) {
				if err != nil {
					t.Fatal(err)
				}
				found[line.Post.Key()] = line.Post.Capture.PayloadDigest
			}
		}
		return found
	}
	one := content(mustOpen(t, folder(t), archive.Options{}))
	two := content(mustOpen(t, bucket, archive.Options{WorkDir: t.TempDir()}))
	if len(one) != 60 || !maps.Equal(one, two) {
		t.Errorf("the folder has\n%v\nthe bucket\n%v", one, two)
	}
}
