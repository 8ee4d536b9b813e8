// Package blob keeps objects that are written once and never changed: the files
// of an archive. A Store is a folder (package dir) or an S3 bucket (package s3);
// package blobtest is the contract that both pass, as a test.
//
// There is no way to delete or replace an object. What has to go (a court order,
// a shortage of space) is done with the storage's own tools and shows in the
// custody log.
//
// # Keys
//
// A key is a slash path with one spelling, which is the same name in a folder of
// any operating system and in a bucket: 1 to 512 bytes, elements of lower-case
// ASCII letters, digits and the characters - _ . ~ + = @, joined by single
// slashes. An element does not begin or end with a dot, is at most 200 bytes
// long, and is not a device name of Windows (con, nul, com1 …, with or without
// an extension). Endings .open, .lock and .tmp are kept for files that are not
// objects yet, so no key has them. See CheckKey.
package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"
)

// A Store keeps objects under keys. Its methods are safe for concurrent use, by
// many processes too. Their errors are *Error; what can be told apart answers
// to errors.Is with one of the Err variables.
type Store interface {
	// Put stores all of body under key. When it returns nil the object survives
	// a power cut; until then readers see nothing, and after an error either
	// nothing or the whole object. Storing the same bytes again is not an error
	// and changes nothing; storing other bytes under an existing key is
	// ErrExists, whoever came first stays. Of any number of callers with
	// different bytes exactly one succeeds.
	//
	// Body is read once or several times from 0 to size, in memory that does
	// not grow with size. A body that ends early is an error, as are bytes that
	// are not those of opts.SHA256 (ErrDigest): nothing is stored then.
	Put(ctx context.Context, key string, body io.ReaderAt, size int64, opts PutOptions) (Info, error)

	// Get opens a part of an object. A positive or zero offset counts from the
	// beginning; a negative one from the end, and one that reaches beyond the
	// beginning means all of it. Length is cut at the end of the object;
	// negative is all to the end. An offset behind the end is ErrRange, one at
	// the end gives no bytes. The caller closes the reader.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)

	// Stat describes an object without reading it.
	Stat(ctx context.Context, key string) (Info, error)

	// List gives the objects whose key begins with prefix and comes after after
	// (empty: from the first), in the order of the bytes of their keys. The
	// prefix need not end at a slash. An error is given once and is the last.
	// To go on later, give the last key seen as after. An object stored while
	// the list is read may or may not be in it.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// String names the store as the user wrote it, without credentials.
	String() string
}

// PutOptions say more about an object. The zero value works.
type PutOptions struct {
	// SHA256 is what the bytes must be, in lower-case hex. They are compared on
	// the way. Empty: not known before.
	SHA256 string
	// ContentType is kept by stores that serve HTTP. Empty: application/octet-stream.
	ContentType string
}

// Info describes an object.
type Info struct {
	Key  string
	Size int64 // bytes
	// SHA256 of the whole object in lower-case hex, as Put found it. Empty where
	// the store would have to read the object to tell: always in List, and in
	// Stat of a folder.
	SHA256 string
	// Modified is when the object was stored, by the clock of the store.
	Modified time.Time
	// RetainUntil is the end of its object lock; zero if it has none, or where
	// the store does not say (List).
	RetainUntil time.Time
}

// What can go wrong, told apart with errors.Is.
var (
	ErrNotFound = fmt.Errorf("no such object: %w", fs.ErrNotExist)
	ErrExists   = fmt.Errorf("other bytes are stored under this key: %w", fs.ErrExist)
	ErrKey      = errors.New("not a key")
	ErrDigest   = errors.New("the bytes are not those of the SHA-256 given")
	ErrRange    = errors.New("the range begins behind the end of the object")
)

// An Error says what was being done, to which object of which store, and why it
// could not be.
type Error struct {
	Op    string // "put", "get", "stat", "list"
	Store string
	Key   string // or the prefix of a list
	Err   error
}

func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s %s: %v", e.Op, e.Store, e.Err)
	}
	return fmt.Sprintf("%s %s in %s: %v", e.Op, e.Key, e.Store, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

const (
	maxKey     = 512
	maxElement = 200 // leaves room for a temporary ending in file systems that allow 255
)

// CheckKey gives nil for a key and an ErrKey that says what is wrong for
// anything else.
func CheckKey(key string) error {
	bad := func(why string) error { return fmt.Errorf("%w: %.80q %s", ErrKey, key, why) }
	if key == "" {
		return bad("is empty")
	}
	if len(key) > maxKey {
		return bad(fmt.Sprintf("has %d bytes, more than %d", len(key), maxKey))
	}
	if i := strings.IndexFunc(key, func(r rune) bool { return r != '/' && !keyByte(r) }); i >= 0 {
		return bad(fmt.Sprintf("has %q, which is not among a-z 0-9 - _ . ~ + = @ /", firstRune(key[i:])))
	}
	for element := range strings.SplitSeq(key, "/") {
		switch {
		case element == "":
			return bad("has an empty element")
		case len(element) > maxElement:
			return bad(fmt.Sprintf("has an element of more than %d bytes", maxElement))
		case element[0] == '.' || element[len(element)-1] == '.':
			return bad("has an element that begins or ends with a dot")
		case deviceName(element):
			return bad("has an element that is a device name on Windows")
		}
	}
	for _, ending := range []string{".open", ".lock", ".tmp"} {
		if strings.HasSuffix(key, ending) {
			return bad("has an ending that is kept for files which are not objects yet")
		}
	}
	return nil
}

// CheckPrefix gives nil for what keys can begin with, the empty prefix included.
func CheckPrefix(prefix string) error {
	if i := strings.IndexFunc(prefix, func(r rune) bool { return r != '/' && !keyByte(r) }); i >= 0 {
		return fmt.Errorf("%w: prefix %.80q has %q", ErrKey, prefix, firstRune(prefix[i:]))
	}
	if len(prefix) > maxKey || strings.HasPrefix(prefix, "/") || strings.Contains(prefix, "//") ||
		strings.HasPrefix(prefix, ".") || strings.Contains(prefix, "/.") {
		return fmt.Errorf("%w: no key begins with %.80q", ErrKey, prefix)
	}
	return nil
}

func keyByte(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.~+=@", r)
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func deviceName(element string) bool {
	name, _, _ := strings.Cut(element, ".")
	switch name {
	case "con", "prn", "aux", "nul":
		return true
	}
	return len(name) == 4 && (name[:3] == "com" || name[:3] == "lpt") && name[3] >= '0' && name[3] <= '9'
}

// PutBytes stores data under key.
func PutBytes(ctx context.Context, s Store, key string, data []byte, opts PutOptions) (Info, error) {
	return s.Put(ctx, key, bytes.NewReader(data), int64(len(data)), opts)
}

// ReadAll gives a whole object that is no larger than limit bytes.
func ReadAll(ctx context.Context, s Store, key string, limit int64) ([]byte, error) {
	r, err := s.Get(ctx, key, 0, limit+1)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, &Error{Op: "get", Store: s.String(), Key: key, Err: err}
	}
	if int64(len(data)) > limit {
		return nil, &Error{Op: "get", Store: s.String(), Key: key, Err: fmt.Errorf("larger than the %d bytes that are read at once", limit)}
	}
	return data, nil
}

// ReaderAt reads an object by ranges: each ReadAt is one Get. Wrap it in an
// io.SectionReader and a bufio.Reader to read on from a place.
func ReaderAt(ctx context.Context, s Store, key string) io.ReaderAt {
	return &readerAt{ctx, s, key}
}

type readerAt struct {
	ctx context.Context // of the one task that the reader was made for
	s   Store
	key string
}

func (r *readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &Error{Op: "get", Store: r.s.String(), Key: r.key, Err: ErrRange}
	}
	if len(p) == 0 {
		return 0, nil
	}
	body, err := r.s.Get(r.ctx, r.key, off, int64(len(p)))
	if errors.Is(err, ErrRange) {
		return 0, io.EOF
	}
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if cerr := body.Close(); err == nil {
		err = cerr
	}
	return n, err
}
