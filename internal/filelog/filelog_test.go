package filelog

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
)

const magic = "RFTRY02\n"

// The same is said by a log in memory, by one on disk, and by that one opened again.
func TestFilesAndUses(t *testing.T) {
	disk := fsystest.New(1)
	payloads := map[uint32]string{}
	open := func() (*Log, error) {
		clear(payloads)
		return Open(disk, "/d", "files.log", magic, func(n uint32, p []byte) error {
			payloads[n] = string(p)
			return nil
		})
	}
	kept, err := open()
	if err != nil {
		t.Fatal(err)
	}
	sum := func(i int) Digest { return sha256.Sum256([]byte(fmt.Sprint(i))) }
	for name, l := range map[string]*Log{"in memory": {}, "on disk": kept} {
		for i := range 3 {
			if _, ok := l.Find(sum(i)); ok {
				t.Errorf("%s: file %d is there before it was added", name, i)
			}
			n, err := l.Append(sum(i), []byte(fmt.Sprint("payload ", i)))
			if err != nil || n != uint32(i) {
				t.Fatalf("%s: file %d has number %d, %v", name, i, n, err)
			}
		}
		for _, u := range []struct {
			n   uint32
			use Use
			new bool
		}{{1, Use{"x:1", 0}, true}, {1, Use{"x:1", 0}, false}, {1, Use{"x:1", 2}, true}, {0, Use{"x:1", 0}, true}, {1, Use{"y:1", 0}, true}} {
			if added, err := l.Use(u.n, u.use); err != nil || added != u.new {
				t.Errorf("%s: %+v: added %v, %v", name, u, added, err)
			}
		}
	}
	check := func(name string, l *Log) {
		if n, ok := l.Find(sum(2)); !ok || n != 2 || l.Len() != 3 || l.UseCount() != 4 {
			t.Errorf("%s: file 2 is %d %v of %d files, %d uses", name, n, ok, l.Len(), l.UseCount())
		}
		if s, p, err := l.File(1); err != nil || s != sum(1) || string(p) != "payload 1" {
			t.Errorf("%s: file 1 is %s %q, %v", name, s, p, err)
		}
		if _, _, err := l.File(3); err == nil {
			t.Errorf("%s: there is a file 3", name)
		}
		if u, err := l.Uses(1); err != nil || !slices.Equal(u, []Use{{"x:1", 0}, {"x:1", 2}, {"y:1", 0}}) {
			t.Errorf("%s: uses %v, %v", name, u, err)
		}
		if u, err := l.Uses(2); err != nil || u != nil {
			t.Errorf("%s: a file without uses has %v, %v", name, u, err)
		}
		if u, err := l.First(1); err != nil || u.Key != "x:1" {
			t.Errorf("%s: first use %v, %v", name, u, err)
		}
	}
	check("on disk", kept)
	if _, err := open(); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Append(sum(9), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed log takes a file: %v", err)
	}
	again, err := open()
	if err != nil {
		t.Fatal(err)
	}
	check("opened again", again)
	if len(payloads) != 3 || payloads[2] != "payload 2" {
		t.Errorf("payloads %v", payloads)
	}
	disk.SetRoom(0)
	if _, err := again.Append(sum(7), make([]byte, 300<<10)); !errors.Is(err, fsystest.ErrFull) {
		t.Errorf("a full disk: %v", err)
	}
	if err := again.Close(); !errors.Is(err, fsystest.ErrFull) {
		t.Errorf("closing after a failure: %v", err)
	}
}

func TestDigest(t *testing.T) {
	d := Digest(sha256.Sum256(nil))
	for _, s := range []string{d.String(), "sha256:" + d.String()} {
		if got, err := ParseDigest(s); err != nil || got != d {
			t.Errorf("%s: %s, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "sha256:", d.String()[1:], "g" + d.String()[1:]} {
		if _, err := ParseDigest(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
	if CheckKey("") == nil || CheckKey(string(make([]byte, MaxKey+1))) == nil || CheckKey("x") != nil {
		t.Error("keys are not checked")
	}
}
