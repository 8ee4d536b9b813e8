package importers

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The compressions around a text file. WARC files are compressed by record and
// say so themselves.
const (
	compressionGzip = "gzip"
	compressionZstd = "zstd"
)

// headSize is how many decoded bytes of a file are looked at to tell its form.
const headSize = 256 << 10

// maxWindow is the largest window of a Zstandard frame that is read: Reddit
// dumps are packed with 2 GiB (zstd --long=31). Memory is used as the window
// fills, so a small file with such a window needs little.
const maxWindow = 2 << 30

// A File is a file of another tool, opened for import.
type File struct {
	Name        string // as the user gave it
	Size        int64  // bytes
	Form        Form
	Compression string // "", "gzip" or "zstd": around Form

	file *os.File
}

// Open opens a file and tells its form from its content. The error is ErrBody,
// wrapped, if the form is none that can be imported; it says what was seen.
func Open(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	f := &File{Name: name, file: file}
	if err := f.detect(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// ReadAt reads the bytes of the file as they are.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.file.ReadAt(p, off) }

func (f *File) detect() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	f.Size = info.Size()
	raw := make([]byte, headSize)
	n, err := f.file.ReadAt(raw, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	raw = raw[:n]
	switch {
	case bytes.HasPrefix(raw, []byte{0x1f, 0x8b}):
		f.Compression = compressionGzip
	case bytes.HasPrefix(raw, zstdMagic), bytes.HasPrefix(raw, []byte{0x5d, 0x2a, 0x4d, 0x18}):
		f.Compression = compressionZstd
	}
	switch format := Sniff(raw); format {
	case FormatWARC, FormatWACZ, FormatHAR:
		f.Form = Form{Format: format}
		return nil
	}
	head := raw
	if f.Compression != "" {
		r, err := f.open()
		if err != nil {
			return err
		}
		head = make([]byte, headSize)
		n, err := io.ReadFull(r, head)
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		if n == 0 && err != nil {
			return fmt.Errorf("unpack %s: %w", f.Compression, err)
		}
		head = head[:n]
	}
	f.Form, err = tell(head)
	return err
}

// Digest gives the SHA-256 of the file in lower-case hex. progress, if not nil,
// is called with the bytes read so far.
func (f *File) Digest(ctx context.Context, progress func(done int64)) (string, error) {
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.file.ReadAt(buf, at)
		h.Write(buf[:n])
		at += int64(n)
		if progress != nil {
			progress(at)
		}
		if errors.Is(err, io.EOF) {
			if at != f.Size {
				return "", fmt.Errorf("%s: it had %d bytes and now has %d: it is being written", f.Name, f.Size, at)
			}
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", fmt.Errorf("read %s: %w", f.Name, err)
		}
	}
}

// Extension is the ending of the file's name in an archive, told from its form:
// ".ndjson.zst". The same bytes always have the same one.
func (f *File) Extension() string {
	ext := f.Form.extension()
	switch f.Compression {
	case compressionGzip:
		ext += ".gz"
	case compressionZstd:
		ext += ".zst"
	}
	return ext
}

// MediaType is the media type of the file's bytes.
func (f *File) MediaType() string {
	switch {
	case f.Form.Format == FormatWARC:
	case f.Compression == compressionGzip:
		return "application/gzip"
	case f.Compression == compressionZstd:
		return "application/zstd"
	}
	return f.Form.mediaType()
}

// Base is the file's name without its folder.
func (f *File) Base() string { return filepath.Base(f.Name) }

// A counter counts the bytes that were read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// An unpacked is the decoded text of a file.
type unpacked struct {
	io.Reader
	raw   *counter // bytes of the file that were read so far
	close func() error
}

func (u *unpacked) Close() error { return u.close() }

// open gives the file's text from its start, unpacked.
func (f *File) open() (*unpacked, error) {
	raw := &counter{r: io.NewSectionReader(f.file, 0, f.Size)}
	u := &unpacked{raw: raw, close: func() error { return nil }}
	switch f.Compression {
	case compressionGzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(raw, 256<<10))
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		u.Reader, u.close = z, z.Close
	case compressionZstd:
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("unpack Zstandard: %w", err)
		}
		u.Reader, u.close = z, func() error { z.Close(); return nil }
	default:
		u.Reader = raw
	}
	return u, nil
}
