package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/refrain-archive/refrain/demoweb"
	"github.com/refrain-archive/refrain/internal/s3test"
)

// s3Config is the part of a configuration that leads to a bucket of the server.
func s3Config(server *s3test.Server, archive, secret string, lockDays int) string {
	return fmt.Sprintf("archive: %s\ns3: {endpoint: %q, region: %s, path_style: true, access_key: %s, secret_key: %s, lock_days: %d}\n",
		archive, server.Endpoint, server.Region, server.AccessKey, secret, lockDays)
}

// The same run into a folder and into a bucket gives the same addresses,
// payloads, outcomes and posts.
func TestFolderAndBucket(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	folder := newDesk(t, s, "")
	folder.must(t, exitDone, collectArgs(world)...)
	bucket := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/desk/one", server.SecretKey, 30))
	bucket.must(t, exitDone, collectArgs(world)...)
	bucket.sound(t)
	compare(t, "the bucket", bucket.posts(t), folder.posts(t))
	if one, two := folder.captures(t), bucket.captures(t); !maps.Equal(one, two) {
		t.Errorf("captures of the folder\n%v\nof the bucket\n%v", one, two)
	}
	if one, two := folder.outcomes(t), bucket.outcomes(t); !maps.Equal(one, two) {
		t.Errorf("outcomes in the folder\n%v\nin the bucket\n%v", one, two)
	}

	// Another machine: the bucket alone.
	other := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/desk/one", server.SecretKey, 0))
	other.must(t, exitDone, "rebuild")
	compare(t, "another machine", other.posts(t), folder.posts(t))

	// What lies under a lock cannot be replaced or removed.
	client := server.Client()
	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &server.Bucket, Prefix: aws.String("desk/one/segments/")})
	if err != nil || len(list.Contents) < 3 {
		t.Fatalf("%d objects, %v", len(list.Contents), err)
	}
	for _, object := range list.Contents {
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &server.Bucket, Key: object.Key})
		if err != nil {
			t.Fatal(err)
		}
		if until := aws.ToTime(head.ObjectLockRetainUntilDate); head.ObjectLockMode != "COMPLIANCE" || time.Until(until) < 29*24*time.Hour {
			t.Errorf("%s is locked as %q until %s", *object.Key, head.ObjectLockMode, until)
		}
		before := get(t, client, server.Bucket, *object.Key, head.VersionId)
		if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &server.Bucket, Key: object.Key, VersionId: head.VersionId}); err == nil {
			t.Errorf("%s could be deleted", *object.Key)
		}
		_, _ = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &server.Bucket, Key: object.Key, Body: strings.NewReader("another")}) // makes a version beside it, if it is taken at all
		if !bytes.Equal(get(t, client, server.Bucket, *object.Key, head.VersionId), before) {
			t.Errorf("%s was replaced", *object.Key)
		}
	}
}

func get(t *testing.T, client *s3.Client, bucket, key string, version *string) []byte {
	t.Helper()
	object, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: version})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The S3 server is killed in the middle of a run and started again: the run goes
// on, and nothing is lost.
func TestS3ServerKilled(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	calm := newDesk(t, s, "")
	calm.must(t, exitDone, collectArgs(world)...)
	want, planned := calm.posts(t), calm.captures(t)

	// kill -9 of the test's gateway can leave it with a key that is taken and
	// shows no object; that is its own loss, told in words of ours. Then once more.
	for try := 1; !killedInTheMiddle(t, server, s, world, fmt.Sprintf("killed-%d", try), want, planned); try++ {
		if try == 5 {
			t.Fatal("the gateway lost an object of its own each time it was killed")
		}
	}
}

// killedInTheMiddle collects into a bucket whose server is killed and started
// again meanwhile. It reports false if the server itself lost track of an object.
func killedInTheMiddle(t *testing.T, server *s3test.Server, s *site, world *demoweb.World, prefix string, want map[string]string, planned map[string]int) bool {
	begin := s.requests()
	// Small segments, so that some are stored before, while the server is away,
	// and after.
	d := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/"+prefix, server.SecretKey, 0)+"segment: {max_size: 30KB}\n")
	var away sync.Once
	back := make(chan struct{})
	s.before(func(n int, _ string) {
		if n > begin+25 {
			away.Do(server.Kill)
		}
		if n > begin+50 {
			<-back
		}
	})
	defer s.before(nil)
	l := start(t, d, s, collectArgs(world)...)
	l.says(t, "no answer from "+server.Endpoint)
	server.Restart()
	close(back)
	if code := l.end(t); code != exitDone {
		if strings.Contains(l.errors(), "shows nothing under it") {
			t.Log("the gateway lost track of an object that it was storing when it was killed")
			return false
		}
		t.Fatalf("exit code %d\n%s\n%s", code, l.errors(), l.out.String())
	}
	d.sound(t)
	compare(t, "after the server was killed", d.posts(t), want)
	if got := d.captures(t); !maps.Equal(got, planned) {
		t.Errorf("captures\n%v\nwant\n%v", got, planned)
	}
	return true
}

// The server is away when the run ends: the command says so and fails, and the
// next one stores what is left.
func TestS3ServerAwayAtTheEnd(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	calm := newDesk(t, s, "")
	calm.must(t, exitDone, collectArgs(world)...)
	begin := s.requests()
	d := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/away", server.SecretKey, 0))
	var away sync.Once
	s.before(func(n int, _ string) {
		if n > begin+30 {
			away.Do(server.Kill)
		}
	})
	_, errs := d.must(t, exitFailed, collectArgs(world)...)
	s.before(nil)
	if !strings.Contains(errs, "no answer from "+server.Endpoint) || !strings.Contains(errs, "stored by the next `refrain collect`") {
		t.Errorf("the error does not say what failed and how to go on:\n%s", errs)
	}
	server.Restart()
	// Before anything is stored, all of it is found from this machine.
	compare(t, "while it waits for its upload", d.posts(t), calm.posts(t))
	d.must(t, exitDone, "collect", world.Accounts[0].URL())
	d.sound(t)
	other := newDesk(t, s, s3Config(server, "s3://"+server.Bucket+"/away", server.SecretKey, 0))
	compare(t, "from another machine", other.posts(t), calm.posts(t))
}

func TestS3ClearErrors(t *testing.T) {
	t.Parallel()
	server := s3test.Start(t)
	world := tinyWorld()
	s := serve(t, world)
	away := strings.ReplaceAll(s3Config(server, "s3://"+server.Bucket+"/x", server.SecretKey, 0), server.Endpoint, "http://127.0.0.1:1")
	for _, test := range []struct {
		name, config string
		words        []string
	}{
		{"wrong key", s3Config(server, "s3://"+server.Bucket+"/x", "a-wrong-secret", 0), []string{server.Bucket, "the secret key does not belong to the access key"}},
		{"no such bucket", s3Config(server, "s3://nobodys-bucket/x", server.SecretKey, 0), []string{"nobodys-bucket"}},
		{"no bucket named", s3Config(server, "s3:///x", server.SecretKey, 0), []string{"s3://BUCKET"}},
		{"no server", away, []string{"127.0.0.1:1"}},
		{"lock on a bucket without locks", s3Config(server, "s3://"+server.Plain+"/x", server.SecretKey, 7), []string{server.Plain, "lock"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(t, s, test.config)
			before := s.requests()
			for _, args := range [][]string{{"collect", world.Accounts[0].URL()}, {"search", "x"}, {"doctor"}} {
				if test.name == "lock on a bucket without locks" && args[0] == "search" {
					continue // reading asks for no lock
				}
				code, out, errs := d.run(t, args...)
				if code != exitFailed && code != exitUsage {
					t.Errorf("%s: exit code %d\n%s%s", args[0], code, out, errs)
				}
				for _, words := range test.words {
					if !strings.Contains(out+errs, words) {
						t.Errorf("%s does not say %q:\n%s%s", args[0], words, out, errs)
					}
				}
				if strings.Contains(out+errs, "a-wrong-secret") || strings.Contains(out+errs, server.SecretKey) {
					t.Errorf("%s tells the secret:\n%s%s", args[0], out, errs)
				}
			}
			if s.requests() != before {
				t.Error("a site was asked before the archive was known to take the answer")
			}
		})
	}
}
