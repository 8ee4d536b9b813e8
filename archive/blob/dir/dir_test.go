package dir_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refrain-archive/refrain/archive/blob"
	"github.com/refrain-archive/refrain/archive/blob/blobtest"
	"github.com/refrain-archive/refrain/archive/blob/dir"
)

func open(t *testing.T) blob.Store {
	s, err := dir.New(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) { blobtest.Run(t, open) }

// The files are there under their own names, and nothing of how they came.
func TestFiles(t *testing.T) {
	root := t.TempDir()
	s, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(root, ".tmp", "left.tmp")
	fresh := filepath.Join(root, ".tmp", "fresh.tmp")
	foreign := filepath.Join(root, "a", "Read Me.TXT")
	for _, name := range []string{left, fresh, foreign, filepath.Join(root, "a", "s.warc.gz.open")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(left, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "a/b/c.txt", []byte("hello"), blob.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(root, "a", "b", "c.txt")); string(data) != "hello" || err != nil {
		t.Errorf("the file is %q, %v", data, err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a temporary file of two days ago is still there: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(root, ".tmp"))
	if err != nil || len(entries) != 1 || entries[0].Name() != "fresh.tmp" {
		t.Errorf(".tmp holds %v, %v; want only the file of another writer", entries, err)
	}
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil || info.Key != "a/b/c.txt" {
			t.Errorf("listed %+v, %v: not an object", info, err)
		}
	}
}

func TestClearErrors(t *testing.T) {
	root := t.TempDir()
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.New(file); err == nil || !strings.Contains(err.Error(), "is a file, not a folder") {
		t.Errorf("a file as the folder: %v", err)
	}
	s, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "file/below", []byte("x"), blob.PutOptions{}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a key below a file: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "folder", "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "folder/x", []byte("x"), blob.PutOptions{}); !errors.Is(err, blob.ErrKey) {
		t.Errorf("a key that is a folder: %v, want ErrKey", err)
	}
}

// Writing where nothing can be written says so and leaves nothing.
func TestReadOnly(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("skipped: root may write to read-only folders")
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o555); err != nil {
		t.Fatal(err)
	}
	s, err := dir.New(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blob.PutBytes(t.Context(), s, "k", []byte("x"), blob.PutOptions{}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("put in a read-only folder: %v", err)
	}
}
