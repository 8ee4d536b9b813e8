// Package sharedtest finds the folder of recordings, conformance files and
// labelled data that lies beside a checkout. None of it is part of the project;
// tests that read it skip where it is absent.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Path gives the path of name in the shared folder: "recordings/reddit". It
// skips the test where the folder or name is absent.
func Path(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		path := filepath.Join(dir, "..", "shared", filepath.FromSlash(name))
		if _, err := os.Stat(path); err == nil {
			return path
		}
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || filepath.Dir(dir) == dir {
			t.Skipf("skipped: %s is not in a folder named shared beside the checkout", name)
		}
		dir = filepath.Dir(dir)
	}
}

// Read gives the bytes of a shared file, or skips the test.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
