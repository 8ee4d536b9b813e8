package text

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/refrain-archive/refrain/internal/fsys"
)

const (
	logMagic  = "RFTEXT1\n"
	logHeader = len(logMagic)
	recHead   = 8
	recAlign  = 8
	// maxKey is the longest key, in bytes.
	maxKey     = 1024
	maxPayload = MaxBytes + maxKey + 16
	// flushBytes is how much is written at once.
	flushBytes = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A postLog is the append-only file of all posts; see the package comment.
type postLog struct {
	file    fsys.File
	name    string
	written int64  // bytes handed to the file
	buf     []byte // what comes after them
	read    []byte
	marked  int64 // the last sync mark's, or the size when it was opened
	synced  int64
}

func openLog(f fsys.FS, name, dir string) (*postLog, error) {
	file, err := f.OpenWrite(name)
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = f.Create(name); err != nil {
			return nil, err
		}
		if _, err = file.Write([]byte(logMagic)); err == nil {
			if err = file.Sync(); err == nil {
				err = f.SyncDir(dir)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	l := &postLog{file: file, name: name}
	info, err := file.Stat()
	if err == nil {
		l.written = info.Size()
		if l.written < int64(logHeader) { // made, and killed before its first line was written
			if err = file.Truncate(0); err == nil {
				_, err = file.Write([]byte(logMagic))
				l.written = int64(logHeader)
			}
		} else {
			var head [logHeader]byte
			if _, err = file.ReadAt(head[:], 0); err == nil && string(head[:]) != logMagic {
				err = fmt.Errorf("%s is no log of a text index, or of a version that this program does not read", name)
			}
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return l, nil
}

func (l *postLog) end() int64 { return l.written + int64(len(l.buf)) }

// append adds a record and gives its place in units of recAlign.
func (l *postLog) append(key, text string) (uint32, error) {
	at := l.end()
	if at/recAlign > 1<<32-1 {
		return 0, fmt.Errorf("%s is full (%d GiB): go on in a new folder", l.name, recAlign<<32>>30)
	}
	if l.synced > l.marked {
		l.put("", string(binary.LittleEndian.AppendUint64(nil, uint64(l.synced))))
		l.marked = l.synced
		at = l.end()
	}
	l.put(key, text)
	if len(l.buf) >= flushBytes {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return uint32(at / recAlign), nil
}

func (l *postLog) put(key, text string) {
	start := len(l.buf)
	l.buf = append(l.buf, 0, 0, 0, 0, 0, 0, 0, 0)
	l.buf = binary.AppendUvarint(l.buf, uint64(len(key)))
	l.buf = append(l.buf, key...)
	l.buf = append(l.buf, text...)
	payload := l.buf[start+recHead:]
	binary.LittleEndian.PutUint32(l.buf[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(l.buf[start+4:], crc32.Checksum(payload, castagnoli))
	for len(l.buf)%recAlign != 0 {
		l.buf = append(l.buf, 0)
	}
}

func (l *postLog) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	n, err := l.file.Write(l.buf)
	if err != nil {
		// What was written of it must not stand before what is written next.
		if n > 0 {
			if e := l.file.Truncate(l.written); e != nil {
				return fmt.Errorf("writing to %s: %w; and cutting it back: %w", l.name, err, e)
			}
		}
		return fmt.Errorf("writing to %s: %w", l.name, err)
	}
	l.written += int64(len(l.buf))
	l.buf = l.buf[:0]
	if cap(l.buf) > 8*flushBytes {
		l.buf = nil
	}
	return nil
}

// sync returns when all records survive a power cut.
func (l *postLog) sync() error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("making %s durable: %w", l.name, err)
	}
	l.synced = l.written
	return nil
}

// record reads the record at a place. The answer is good until the next call.
func (l *postLog) record(at uint32) (key, text []byte, err error) {
	off := int64(at) * recAlign
	if off >= l.written {
		return split(l.buf[off-l.written:], l.name, off)
	}
	l.read = resize(l.read, 512)
	n, err := l.file.ReadAt(l.read, off)
	if err != nil && err != io.EOF {
		return nil, nil, fmt.Errorf("reading %s: %w", l.name, err)
	}
	if n < recHead {
		return nil, nil, fmt.Errorf("%s ends in the middle of a record at byte %d", l.name, off)
	}
	size := int(binary.LittleEndian.Uint32(l.read)) + recHead
	if size > maxPayload+recHead {
		return nil, nil, fmt.Errorf("%s: the record at byte %d is damaged", l.name, off)
	}
	if size > n {
		l.read = resize(l.read, size)
		if _, err := l.file.ReadAt(l.read, off); err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", l.name, err)
		}
	}
	return split(l.read[:max(size, n)], l.name, off)
}

func split(rec []byte, name string, off int64) (key, text []byte, err error) {
	if len(rec) >= recHead {
		if size := int(binary.LittleEndian.Uint32(rec)); size <= len(rec)-recHead {
			payload := rec[recHead : recHead+size]
			if crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(rec[4:]) {
				if k, n := binary.Uvarint(payload); n > 0 && k <= uint64(len(payload)-n) {
					return payload[n : n+int(k)], payload[n+int(k):], nil
				}
			}
		}
	}
	return nil, nil, fmt.Errorf("%s: the record at byte %d is damaged", name, off)
}

// replay calls yield for each post from the byte off on. What a killed process or
// a power cut left unfinished at the end is cut off; damage of what was synced is
// an error.
func (l *postLog) replay(off int64, yield func(at uint32, key, text []byte) error) error {
	const window = 1 << 20
	buf := make([]byte, 0, window)
	start := off // of buf
	for off < l.written {
		have := buf[off-start:]
		need := recHead
		if len(have) >= recHead {
			size := int64(binary.LittleEndian.Uint32(have))
			if size > maxPayload {
				return l.cut(off)
			}
			need = recHead + int(size)
		}
		if len(have) < need {
			if off+int64(need) > l.written {
				return l.cut(off)
			}
			n := max(need, window)
			n = int(min(int64(n), l.written-off))
			if cap(buf) < n {
				buf = make([]byte, n)
			}
			buf = buf[:n]
			if _, err := l.file.ReadAt(buf, off); err != nil {
				return fmt.Errorf("reading %s: %w", l.name, err)
			}
			start = off
			continue
		}
		key, text, err := split(have, l.name, off)
		if err != nil {
			return l.cut(off)
		}
		if len(key) > 0 {
			if err := yield(uint32(off/recAlign), key, text); err != nil {
				return err
			}
		}
		off += int64((need + recAlign - 1) / recAlign * recAlign)
	}
	if off > l.written { // the padding of the last record is missing
		if _, err := l.file.Write(make([]byte, off-l.written)); err != nil {
			return fmt.Errorf("writing to %s: %w", l.name, err)
		}
		l.written = off
	}
	return nil
}

// cut drops what follows the byte off, where a record is not whole. A power cut
// leaves that of what was not synced; if a sync mark further on says that it was
// synced, the file is damaged.
func (l *postLog) cut(off int64) error {
	const window = 1 << 20
	const markSize = recHead + 1 + 8
	buf := make([]byte, window)
	for at := off; at < l.written; {
		n := min(window, l.written-at)
		if _, err := l.file.ReadAt(buf[:n], at); err != nil {
			return fmt.Errorf("reading %s: %w", l.name, err)
		}
		i := int64(0)
		for ; i+markSize <= n; i += recAlign {
			if b := buf[i : i+markSize]; binary.LittleEndian.Uint32(b) == markSize-recHead && b[recHead] == 0 {
				if _, text, err := split(b, l.name, off); err == nil && binary.LittleEndian.Uint64(text) > uint64(off) {
					return fmt.Errorf("%s is damaged at byte %d, which was durable when byte %d was written: restore the file, or build the index anew from the posts", l.name, off, at+i)
				}
			}
		}
		if i == 0 {
			break
		}
		at += i
	}
	if err := l.file.Truncate(off); err != nil {
		return fmt.Errorf("cutting the unfinished record off %s: %w", l.name, err)
	}
	l.written = off
	return nil
}
