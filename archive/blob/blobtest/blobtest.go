// Package blobtest is the contract of a blob.Store, as a test.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/refrain-archive/refrain/archive/blob"
)

// Big is the size of the largest object that Run stores: several parts of a
// multipart upload and a piece.
const Big = 17<<20 + 12345

// Run tests that the stores that open gives, each of them empty, keep what
// blob.Store promises.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, blob.Store)
	}{
		{"what was put is got", putGet},
		{"the same bytes again", again},
		{"sixteen racers one winner", race},
		{"ranges", ranges},
		{"listing", listing},
		{"a big object", big},
		{"hostile keys", hostileKeys},
		{"missing objects", missing},
		{"bodies that lie", bodies},
		{"a cancelled context", cancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mustPut(t *testing.T, s blob.Store, key string, data []byte) blob.Info {
	t.Helper()
	info, err := blob.PutBytes(t.Context(), s, key, data, blob.PutOptions{SHA256: sumOf(data)})
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func get(ctx context.Context, s blob.Store, key string, offset, length int64) ([]byte, error) {
	r, err := s.Get(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func putGet(t *testing.T, s blob.Store) {
	for key, data := range map[string][]byte{
		"refrain.json":    []byte(`{"version":1}`),
		"a/b/c/d.warc.gz": bytes.Repeat([]byte("hello\n"), 1000),
		"empty":           {},
		"odd/~+=@-_.z":    []byte("\x00\xff"),
	} {
		info := mustPut(t, s, key, data)
		if info.Key != key || info.Size != int64(len(data)) || info.SHA256 != sumOf(data) || info.Modified.IsZero() {
			t.Errorf("put %s: %+v", key, info)
		}
		stat, err := s.Stat(t.Context(), key)
		if err != nil || stat.Key != key || stat.Size != int64(len(data)) || stat.SHA256 != "" && stat.SHA256 != sumOf(data) {
			t.Errorf("stat %s: %+v, %v", key, stat, err)
		}
		if got, err := get(t.Context(), s, key, 0, -1); err != nil || !bytes.Equal(got, data) {
			t.Errorf("get %s: %d bytes, %v; want %d", key, len(got), err, len(data))
		}
		if got, err := blob.ReadAll(t.Context(), s, key, int64(len(data))); err != nil || !bytes.Equal(got, data) {
			t.Errorf("ReadAll %s: %d bytes, %v; want %d", key, len(got), err, len(data))
		}
		if len(data) > 0 {
			if _, err := blob.ReadAll(t.Context(), s, key, int64(len(data))-1); err == nil {
				t.Errorf("ReadAll %s with a limit below its size: no error", key)
			}
		}
	}
}

func again(t *testing.T, s blob.Store) {
	first := []byte("first")
	mustPut(t, s, "k", first)
	mustPut(t, s, "k", first)
	for _, other := range [][]byte{[]byte("other"), []byte("longer than the first"), {}} {
		_, err := blob.PutBytes(t.Context(), s, "k", other, blob.PutOptions{})
		if !errors.Is(err, blob.ErrExists) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("put %q over %q: %v, want ErrExists", other, first, err)
		}
		var e *blob.Error
		if !errors.As(err, &e) || e.Op != "put" || e.Key != "k" {
			t.Errorf("put over another: error %#v, want a *blob.Error with op and key", err)
		}
	}
	if got, err := get(t.Context(), s, "k", 0, -1); err != nil || !bytes.Equal(got, first) {
		t.Errorf("after all that: %q, %v", got, err)
	}
}

func race(t *testing.T, s blob.Store) {
	const racers = 16
	var wg sync.WaitGroup
	errs := make([]error, racers)
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			_, errs[i] = blob.PutBytes(t.Context(), s, "race/k", fmt.Appendf(nil, "racer %02d", i), blob.PutOptions{})
		})
	}
	close(start)
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("racers %d and %d both stored", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("racer %d: %v, want ErrExists", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	if got, err := get(t.Context(), s, "race/k", 0, -1); err != nil || string(got) != fmt.Sprintf("racer %02d", winner) {
		t.Errorf("racer %d won, but the object is %q, %v", winner, got, err)
	}
	// The same bytes by all at once: nobody loses.
	for i := range racers {
		wg.Go(func() {
			_, errs[i] = blob.PutBytes(t.Context(), s, "race/same", []byte("the same"), blob.PutOptions{})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("the same bytes by %d at once: %v", racers, err)
	}
}

func ranges(t *testing.T, s blob.Store) {
	data := []byte("0123456789")
	mustPut(t, s, "r", data)
	mustPut(t, s, "none", nil)
	for _, test := range []struct {
		key            string
		offset, length int64
		want           string
		err            error
	}{
		{"r", 0, -1, "0123456789", nil},
		{"r", 0, 3, "012", nil},
		{"r", 3, 4, "3456", nil},
		{"r", 7, -1, "789", nil},
		{"r", 7, 100, "789", nil},
		{"r", 9, 1, "9", nil},
		{"r", 5, 0, "", nil},
		{"r", 10, -1, "", nil},
		{"r", 10, 5, "", nil},
		{"r", 11, -1, "", blob.ErrRange},
		{"r", 11, 0, "", blob.ErrRange},
		{"r", -3, -1, "789", nil},
		{"r", -3, 2, "78", nil},
		{"r", -100, -1, "0123456789", nil},
		{"r", -100, 2, "01", nil},
		{"none", 0, -1, "", nil},
		{"none", -5, -1, "", nil},
		{"none", 0, 5, "", nil},
		{"none", 1, -1, "", blob.ErrRange},
	} {
		got, err := get(t.Context(), s, test.key, test.offset, test.length)
		if string(got) != test.want || !errors.Is(err, test.err) {
			t.Errorf("get %s at %d for %d: %q, %v; want %q, %v", test.key, test.offset, test.length, got, err, test.want, test.err)
		}
	}
	if err := iotest.TestReader(io.NewSectionReader(blob.ReaderAt(t.Context(), s, "r"), 0, 10), data); err != nil {
		t.Errorf("ReaderAt: %v", err)
	}
}

func listing(t *testing.T, s blob.Store) {
	// In the order of bytes: "-" and "." come before "/", which comes before digits and letters.
	keys := []string{
		"a-b/1", "a.b", "a/1", "a/2/x", "a/2/y", "a/20", "a/3", "a0", "ab", "b",
		"segments/2026/11/23/s-1.cdxj", "segments/2026/11/23/s-1.warc.gz", "segments/2026/11/24/s-2.warc.gz", "segments/2027/01/01/s-3.warc.gz",
	}
	for _, i := range rand.Perm(len(keys)) {
		mustPut(t, s, keys[i], []byte(keys[i]))
	}
	list := func(prefix, after string) []string {
		t.Helper()
		found := []string{}
		for info, err := range s.List(t.Context(), prefix, after) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Size != int64(len(info.Key)) || info.Modified.IsZero() {
				t.Errorf("listed %+v, want its size %d and a time", info, len(info.Key))
			}
			found = append(found, info.Key)
		}
		return found
	}
	for _, test := range []struct{ prefix, after string }{
		{"", ""}, {"a", ""}, {"a/", ""}, {"a/2", ""}, {"a/2/", ""}, {"a/2/x", ""}, {"nothing", ""}, {"nothing/at/all", ""}, {"segments/2026/1", ""}, {"segments/", ""},
		{"", "a/2/x"}, {"", "a/2"}, {"", "a/2z"}, {"", "zzz"}, {"a/", "a/2/y"}, {"segments/", "segments/2026/11/23/s-1.warc.gz"}, {"a/", "b"}, {"b", "a"},
	} {
		want := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, test.prefix) || k <= test.after })
		if got := list(test.prefix, test.after); !slices.Equal(got, want) {
			t.Errorf("list %q after %q:\n got %v\nwant %v", test.prefix, test.after, got, want)
		}
	}
	// Page by page, two at a time.
	after, paged := "", []string{}
	for {
		n := 0
		for info, err := range s.List(t.Context(), "", after) {
			if err != nil {
				t.Fatal(err)
			}
			paged, after = append(paged, info.Key), info.Key
			if n++; n == 2 {
				break
			}
		}
		if n < 2 {
			break
		}
	}
	if !slices.Equal(paged, keys) {
		t.Errorf("by pages of two:\n got %v\nwant %v", paged, keys)
	}
	for _, prefix := range []string{"../", "/", "A", "a//", ".", `a\`} {
		n := 0
		for _, err := range s.List(t.Context(), prefix, "") {
			if n++; !errors.Is(err, blob.ErrKey) {
				t.Errorf("list %q: %v, want ErrKey", prefix, err)
			}
		}
		if n != 1 {
			t.Errorf("list %q gave %d results, want one error", prefix, n)
		}
	}
}

// pattern is an endless body whose bytes tell their offset.
type pattern struct{}

func (pattern) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := uint64(off) + uint64(i)
		p[i] = byte(at>>(8*(at%4))) ^ byte(at*31)
	}
	return len(p), nil
}

func big(t *testing.T, s blob.Store) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(pattern{}, 0, Big)); err != nil {
		t.Fatal(err)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	for range 2 { // the second time it is there already
		info, err := s.Put(t.Context(), "big/object", pattern{}, Big, blob.PutOptions{SHA256: sum, ContentType: "application/warc"})
		if err != nil || info.Size != Big || info.SHA256 != sum {
			t.Fatalf("put: %+v, %v", info, err)
		}
	}
	r, err := s.Get(t.Context(), "big/object", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	hash.Reset()
	n, err := io.Copy(hash, r)
	if err = errors.Join(err, r.Close()); err != nil || n != Big || hex.EncodeToString(hash.Sum(nil)) != sum {
		t.Fatalf("got %d bytes with SHA-256 %x, %v; want %d with %s", n, hash.Sum(nil), err, Big, sum)
	}
	for _, off := range []int64{0, 5<<20 - 3, 8<<20 - 3, 16<<20 - 7, Big - 100} {
		want := make([]byte, 100)
		_, _ = pattern{}.ReadAt(want, off)
		if got, err := get(t.Context(), s, "big/object", off, 100); err != nil || !bytes.Equal(got, want) {
			t.Errorf("100 bytes at %d: %x, %v; want %x", off, got, err, want)
		}
	}
	if _, err := s.Put(t.Context(), "big/object", pattern{}, Big-1, blob.PutOptions{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("a big object over another: %v, want ErrExists", err)
	}
	if _, err := s.Put(t.Context(), "big/object", other{}, Big, blob.PutOptions{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("a big object over another of its size: %v, want ErrExists", err)
	}
}

type other struct{}

func (other) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

func hostileKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{"", "/", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "./a", "a//b", "a/", `..\x`, `c:\x`, "c:x", "a\x00b", "a\nb", "A", "ü", "\xff", "nul", "a/con.txt", "x.open", ".hidden", "a/.hidden", "a.", strings.Repeat("a", 600)} {
		_, err := blob.PutBytes(t.Context(), s, key, []byte("x"), blob.PutOptions{})
		if !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q: %v, want ErrKey", key, err)
		}
		if _, err = s.Get(t.Context(), key, 0, -1); !errors.Is(err, blob.ErrKey) {
			t.Errorf("get %q: %v, want ErrKey", key, err)
		}
		if _, err = s.Stat(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("stat %q: %v, want ErrKey", key, err)
		}
	}
	for info, err := range s.List(t.Context(), "", "") {
		t.Errorf("after keys that were refused there is %+v, %v", info, err)
	}
}

func missing(t *testing.T, s blob.Store) {
	mustPut(t, s, "a/b", []byte("x"))
	for _, key := range []string{"b", "a", "a/c", "a/b/c", "b/c/d"} {
		if _, err := s.Get(t.Context(), key, 0, -1); !errors.Is(err, blob.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("get %s: %v, want ErrNotFound", key, err)
		}
		if _, err := s.Get(t.Context(), key, 5, 0); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("get nothing of %s: %v, want ErrNotFound", key, err)
		}
		if _, err := s.Stat(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("stat %s: %v, want ErrNotFound", key, err)
		}
	}
}

func bodies(t *testing.T, s blob.Store) {
	ctx := t.Context()
	if _, err := s.Put(ctx, "short", strings.NewReader("four"), 5, blob.PutOptions{}); err == nil {
		t.Error("a body of 4 bytes was taken for 5")
	}
	if _, err := s.Put(ctx, "short", strings.NewReader("four"), -1, blob.PutOptions{}); err == nil {
		t.Error("a size of -1 was taken")
	}
	broken := errors.New("the disk is gone")
	if _, err := s.Put(ctx, "short", failing{broken}, 5, blob.PutOptions{}); !errors.Is(err, broken) {
		t.Errorf("a body that fails: %v, want its own error", err)
	}
	if _, err := s.Put(ctx, "wrong", strings.NewReader("four"), 4, blob.PutOptions{SHA256: sumOf([]byte("five"))}); !errors.Is(err, blob.ErrDigest) {
		t.Errorf("other bytes than promised: %v, want ErrDigest", err)
	}
	for _, key := range []string{"short", "wrong"} {
		if _, err := s.Stat(ctx, key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("after a put that failed, %s: %v, want ErrNotFound", key, err)
		}
	}
	mustPut(t, s, "there", []byte("four"))
	if _, err := s.Put(ctx, "there", strings.NewReader("four"), 4, blob.PutOptions{SHA256: sumOf([]byte("five"))}); !errors.Is(err, blob.ErrDigest) {
		t.Errorf("the stored bytes again, promised as others: %v, want ErrDigest", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := blob.PutBytes(ctx, s, "k", []byte("x"), blob.PutOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want context.Canceled", err)
	}
	if _, err := s.Get(ctx, "k", 0, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v, want context.Canceled", err)
	}
	if _, err := s.Stat(ctx, "k"); !errors.Is(err, context.Canceled) {
		t.Errorf("stat: %v, want context.Canceled", err)
	}
	for _, err := range s.List(ctx, "", "") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("list: %v, want context.Canceled", err)
		}
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("after a cancelled put: %v, want ErrNotFound", err)
	}
}
