package reclog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/fsys/fsystest"
)

const magic = "RFTRY01\n"

func record(i int) []byte {
	return append([]byte{byte(1 + i%7)}, strings.Repeat(fmt.Sprint(i, " "), i%90)...)
}

func open(t testing.TB, f fsys.FS) (*Log, [][]byte) {
	t.Helper()
	l, list, err := tryOpen(f)
	if err != nil {
		t.Fatal(err)
	}
	return l, list
}

func tryOpen(f fsys.FS) (*Log, [][]byte, error) {
	if err := f.MkdirAll("/d"); err != nil {
		return nil, nil, err
	}
	l, err := Open(f, "/d", "/d/log", magic)
	if err != nil {
		return nil, nil, err
	}
	var list [][]byte
	err = l.Replay(func(at int64, p []byte) error {
		list = append(list, bytes.Clone(p))
		q, err := l.Read(at)
		if err == nil && !bytes.Equal(p, q) {
			err = fmt.Errorf("at %d Read gives %q, Replay %q", at, q, p)
		}
		return err
	})
	if err != nil {
		l.Close()
	}
	return l, list, err
}

func TestRecordsComeBack(t *testing.T) {
	disk := fsystest.New(1)
	l, _ := open(t, disk)
	var want [][]byte
	for i := range 500 {
		r := record(i)
		if i == 250 { // longer than what is read at once
			r = append(r, bytes.Repeat([]byte("x"), 3<<20)...)
		}
		at, err := l.Append(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.Read(at); err != nil || !bytes.Equal(got, r) {
			t.Fatalf("record %d reads as %d bytes, %v", i, len(got), err)
		}
		want = append(want, r)
		if i%50 == 0 {
			if err := l.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, got := open(t, disk)
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("%d records came back of %d", len(got), len(want))
	}
	for _, bad := range [][]byte{nil, {0, 1}, make([]byte, MaxRecord+1)} {
		if _, err := l.Append(bad); err == nil {
			t.Errorf("a record of %d bytes was taken", len(bad))
		}
	}
}

func TestPowerCut(t *testing.T) {
	for cut := 3; cut < 200; cut += 3 {
		disk := fsystest.New(uint64(cut))
		disk.CutAfter(cut)
		n, synced := 0, 0
		for !disk.IsCut() {
			l, have, err := tryOpen(disk)
			if err != nil {
				break
			}
			if len(have) != n {
				t.Fatalf("cut after %d: %d records of %d", cut, len(have), n)
			}
			for range 30 {
				if _, err := l.Append(record(n)); err != nil {
					break
				}
				n++
				if n%4 == 0 {
					if l.Sync() != nil {
						break
					}
					synced = n
				}
			}
			if l.Sync() == nil {
				synced = n
			}
			l.Close()
		}
		_, have := open(t, disk.Restart())
		if len(have) < synced || len(have) > n {
			t.Fatalf("cut after %d: %d records, %d were synced, %d appended", cut, len(have), synced, n)
		}
		for i, r := range have {
			if !bytes.Equal(r, record(i)) {
				t.Fatalf("cut after %d: record %d is %q", cut, i, r)
			}
		}
	}
}

// Damage before a sync mark is an error, after the last one it is cut off.
func TestDamage(t *testing.T) {
	disk := fsystest.New(1)
	l, _ := open(t, disk)
	first, _ := l.Append(record(60))
	l.Sync()
	l.Append(record(61)) // its mark says that the first is durable
	l.Sync()
	l.Close()
	for _, c := range []struct {
		name string
		at   int64
		torn bool
	}{{"in the synced part", first + 9, false}, {"at the end", l.Size() - 20, true}} {
		data := contents(t, disk)
		data[c.at] ^= 1
		other := fsystest.New(2)
		other.MkdirAll("/d")
		f, _ := other.Create("/d/log")
		f.Write(data)
		f.Close()
		_, list, err := tryOpen(other)
		if c.torn && (err != nil || len(list) != 1) || !c.torn && (err == nil || !strings.Contains(err.Error(), "damaged at byte 8")) {
			t.Errorf("%s: %d records, %v", c.name, len(list), err)
		}
	}
	if _, err := Open(disk, "/d", "/d/log", "RFOTHER\n"); err == nil || !strings.Contains(err.Error(), "another version") {
		t.Errorf("a log of another kind opens: %v", err)
	}
}

func contents(t testing.TB, f fsys.FS) []byte {
	t.Helper()
	file, err := f.Open("/d/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, _ := file.Stat()
	data := make([]byte, info.Size())
	if _, err := file.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return data
}

func FuzzReplay(f *testing.F) {
	disk := fsystest.New(1)
	l, _ := open(f, disk)
	for i := range 5 {
		l.Append(record(i * 9))
		l.Sync()
	}
	l.Close()
	whole := contents(f, disk)
	f.Add(whole)
	f.Add(whole[:len(whole)-5])
	f.Add([]byte(magic + "\x00\x00\x00\x00"))
	f.Add([]byte(magic[:4]))
	f.Fuzz(func(t *testing.T, data []byte) {
		disk := fsystest.New(1)
		disk.MkdirAll("/d")
		file, _ := disk.Create("/d/log")
		file.Write(data)
		file.Close()
		l, list, err := tryOpen(disk)
		if err != nil {
			return
		}
		l.Append([]byte("\x01end"))
		l.Sync()
		l.Close()
		_, again := open(t, disk)
		if len(again) != len(list)+1 || string(again[len(list)]) != "\x01end" {
			t.Fatalf("%d records, then %d", len(list), len(again))
		}
	})
}
