// Package importers reads what other tools saved: WARC, WACZ and HAR files and
// saved bodies give the exchanges that a collector reads as if it had fetched
// them itself.
//
// The form of a file is told from its content, never from its name.
package importers

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path"
	"strings"

	"github.com/refrain-archive/refrain/crawlers"
)

// Format is the form of a file.
type Format string

// The formats that are told apart.
const (
	FormatWARC Format = "warc" // .warc, .warc.gz, .warc.zst, and ARC
	FormatWACZ Format = "wacz"
	FormatHAR  Format = "har"
	FormatBody Format = "body" // anything else: one saved body, whose URL the user must give
)

// Sniff tells the format from the first bytes of a file. It reads at most a few
// kilobytes.
func Sniff(head []byte) Format {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		if bytes.Contains(head[:min(len(head), 4096)], []byte("[Content_Types].xml")) {
			return FormatBody // an office document
		}
		return FormatWACZ
	case bytes.HasPrefix(head, []byte("WARC/")), bytes.HasPrefix(head, []byte("filedesc://")):
		return FormatWARC
	case bytes.HasPrefix(head, []byte{0x5d, 0x2a, 0x4d, 0x18}):
		return FormatWARC // the skippable frame with the dictionary of a .warc.zst
	case bytes.HasPrefix(head, zstdMagic):
		if inner := unzstdHead(head); len(inner) == 0 || bytes.HasPrefix(inner, []byte("WARC/")) || bytes.HasPrefix(inner, []byte("filedesc://")) {
			return FormatWARC
		}
		return FormatBody
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		if inner := gunzipHead(head); bytes.HasPrefix(inner, []byte("WARC/")) || bytes.HasPrefix(inner, []byte("filedesc://")) {
			return FormatWARC
		}
		return FormatBody
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(text, []byte("{")) && bytes.Contains(text[:min(len(text), 4096)], []byte(`"log"`)) &&
		(bytes.Contains(text, []byte(`"entries"`)) || bytes.Contains(text, []byte(`"creator"`))) {
		return FormatHAR
	}
	return FormatBody
}

// ErrBody says that a file is none of the archive formats: it may be a saved
// body.
var ErrBody = errors.New("neither WARC, WACZ nor HAR")

// ErrUnknown says that a file has no form that can be imported.
var ErrUnknown = errors.New("not a form that can be imported (docs/importing.md lists them)")

// Exchanges reads the exchanges of an archive file in their order and calls f
// for each. A damaged place is reported through damaged, where the format
// allows to go on behind it, and reading goes on; without damaged it ends
// there. The error is ErrBody if the file is no archive.
func Exchanges(ctx context.Context, name string, f func(crawlers.Exchange) error, damaged func(error)) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	head := make([]byte, 8<<10)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", name, err)
	}
	format := Sniff(head[:n])
	if format == FormatBody {
		return fmt.Errorf("%s: %w", name, ErrBody)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	call := func(ex crawlers.Exchange) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(ex)
	}
	report := func(err error) error {
		if damaged == nil {
			return err
		}
		damaged(fmt.Errorf("%s: %w", name, err))
		return nil
	}
	var digest string
	if format == FormatHAR {
		if digest, err = digestOf(file); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	if err := exchanges(file, path.Base(strings.ReplaceAll(name, `\`, "/")), format, digest, nil, call, report); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// exchanges reads the exchanges of an archive file that is of that format.
// digest, if not empty, is sha256:HEX of the file, for the captures. made, if
// not nil, is told of the software that the file says it was made by.
func exchanges(file *os.File, base string, format Format, digest string, made func(string), f func(crawlers.Exchange) error, damaged func(error) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	call := func(ex crawlers.Exchange) error {
		ex.Capture.Import = digest
		return f(ex)
	}
	whole := io.NewSectionReader(file, 0, info.Size())
	switch format {
	case FormatWARC:
		return readWARC(input{whole, file, info.Size(), base, made}, call, damaged)
	case FormatWACZ:
		return readWACZ(file, made, call, damaged)
	case FormatHAR:
		return readHAR(bufio.NewReaderSize(whole, 1<<20), made, call)
	}
	return ErrBody
}

// digestOf gives sha256:HEX of a file and goes back to its start.
func digestOf(file io.ReadSeeker) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	_, err := file.Seek(0, io.SeekStart)
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), err
}

// readWACZ reads the WARC files inside a WACZ (or any ZIP that holds some), in
// the order of the ZIP's directory.
func readWACZ(file *os.File, made func(string), f func(crawlers.Exchange) error, damaged func(error) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		return fmt.Errorf("read the ZIP directory: %w", err)
	}
	if made != nil {
		for _, entry := range z.File {
			if entry.Name == "datapackage.json" {
				if software := packageSoftware(entry); software != "" {
					made(software)
					made = nil // the package says it for its WARC files
				}
				break
			}
		}
	}
	found := 0
	for _, entry := range z.File {
		name := strings.ToLower(entry.Name)
		if !strings.Contains(name, ".warc") && !strings.HasSuffix(name, ".arc.gz") || strings.HasSuffix(name, "/") {
			continue
		}
		found++
		if err := readEntry(file, entry, made, f, damaged); err != nil {
			if err := damaged(fmt.Errorf("%s: %w", entry.Name, err)); err != nil {
				return err
			}
		}
	}
	if found == 0 {
		return errors.New("the ZIP holds no WARC file: it is no WACZ")
	}
	return nil
}

// packageSoftware is what a WACZ's datapackage.json says that it was made by.
func packageSoftware(entry *zip.File) string {
	r, err := entry.Open()
	if err != nil {
		return ""
	}
	defer r.Close() //nolint:errcheck // only read
	var p struct {
		Software string `json:"software"`
	}
	if err := json.NewDecoder(io.LimitReader(r, 16<<20)).Decode(&p); err != nil {
		return "" // the WARC files inside are read all the same
	}
	return p.Software
}

func readEntry(file io.ReaderAt, entry *zip.File, made func(string), f func(crawlers.Exchange) error, damaged func(error) error) error {
	r, err := entry.Open()
	if err != nil {
		return err
	}
	in := input{Reader: r, name: path.Base(entry.Name), made: made}
	if entry.Method == zip.Store { // as WACZ demands: the WARC can be read at any place
		if offset, err := entry.DataOffset(); err == nil {
			in.at, in.size = io.NewSectionReader(file, offset, int64(entry.UncompressedSize64)), int64(entry.UncompressedSize64)
		}
	}
	return errors.Join(readWARC(in, f, damaged), r.Close())
}

func withUTF8(contentType string) string {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return contentType
	}
	params["charset"] = "utf-8"
	if s := mime.FormatMediaType(kind, params); s != "" {
		return s
	}
	return contentType
}
