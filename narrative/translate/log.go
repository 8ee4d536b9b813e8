package translate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// The folder of an index holds texts.log and lock, which is locked while the
// index is open. texts.log has the texts in the order of Add:
//
//	"RFTRLG1\n"
//	records, each at a multiple of 8 bytes, filled up with zeros:
//	    uint32   length of the payload
//	    uint32   CRC-32C of the payload
//	    payload  uvarint length of the key, key, byte length of the language, language,
//	             uvarint length of the translation, translation, text
//
// A record with an empty key is a sync mark: instead of a language and text it has
// a uint64, the size of the log up to which everything was durable when the mark
// was written. Numbers are little-endian.
const (
	logMagic   = "RFTRLG1\n"
	recHead    = 8
	recAlign   = 8
	flushBytes = 256 << 10
	maxPayload = 2*MaxBytes + maxKey + 64
	markBytes  = 1 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type textLog struct {
	file    fsys.File
	lock    io.Closer
	name    string
	written int64  // bytes handed to the file
	buf     []byte // what comes after them
	synced  int64
	marked  int64 // what the last sync mark says, or the size when it was opened
}

func openLog(f fsys.FS, dir string) (_ *textLog, err error) {
	if f == nil {
		f = fsys.OS
	}
	if err := f.MkdirAll(dir); err != nil {
		return nil, err
	}
	l := &textLog{name: filepath.Join(dir, "texts.log")}
	if l.lock, err = f.Lock(filepath.Join(dir, "lock"), true); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	l.file, err = f.OpenWrite(l.name)
	if errors.Is(err, fs.ErrNotExist) {
		if l.file, err = f.Create(l.name); err == nil {
			err = f.SyncDir(dir)
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	l.written = info.Size()
	if l.written < int64(len(logMagic)) { // new, or killed before its first line was written
		if err := l.file.Truncate(0); err != nil {
			return nil, err
		}
		_, err := l.file.Write([]byte(logMagic))
		l.written = int64(len(logMagic))
		return l, err
	}
	var head [len(logMagic)]byte
	if _, err := l.file.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if string(head[:]) != logMagic {
		return nil, fmt.Errorf("%s is no log of a translation index, or of a version that this program does not read: remove the folder, and index again", l.name)
	}
	return l, nil
}

// through cuts off what was written after a mark; 0 keeps all.
func (l *textLog) through(mark int64) error {
	if mark > 0 {
		mark = max(mark, int64(len(logMagic))) // 1 is a log without texts
	}
	switch {
	case mark <= 0 || mark == l.written:
		return nil
	case mark > l.written:
		return ErrBehind
	}
	if err := l.file.Truncate(mark); err != nil {
		return fmt.Errorf("cutting %s back to byte %d: %w", l.name, mark, err)
	}
	l.written = mark
	return nil
}

func (l *textLog) append(d Doc) error {
	if l.synced > l.marked {
		l.put(binary.LittleEndian.AppendUint64([]byte{0}, uint64(l.synced)))
		l.marked = l.synced
	}
	p := binary.AppendUvarint(make([]byte, 0, len(d.Key)+len(d.Text)+16), uint64(len(d.Key)))
	p = append(p, d.Key...)
	p = append(p, byte(len(d.Lang)))
	p = append(p, d.Lang...)
	p = binary.AppendUvarint(p, uint64(len(d.English)))
	p = append(p, d.English...)
	l.put(append(p, d.Text...))
	if len(l.buf) >= flushBytes {
		return l.flush()
	}
	return nil
}

func (l *textLog) put(payload []byte) {
	l.buf = binary.LittleEndian.AppendUint32(l.buf, uint32(len(payload)))
	l.buf = binary.LittleEndian.AppendUint32(l.buf, crc32.Checksum(payload, castagnoli))
	l.buf = append(l.buf, payload...)
	for len(l.buf)%recAlign != 0 {
		l.buf = append(l.buf, 0)
	}
}

func (l *textLog) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	n, err := l.file.Write(l.buf)
	if err != nil {
		// What was written of it must not stand before what is written next.
		if n > 0 {
			err = errors.Join(err, l.file.Truncate(l.written))
		}
		return fmt.Errorf("writing to %s: %w", l.name, err)
	}
	l.written += int64(n)
	l.buf = l.buf[:0]
	if cap(l.buf) > 8*flushBytes {
		l.buf = nil
	}
	return nil
}

// sync returns when all texts survive a power cut.
func (l *textLog) sync() error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("making %s durable: %w", l.name, err)
	}
	l.synced = l.written
	return nil
}

func (l *textLog) close() error {
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	return err
}

// replay calls yield for each text. What a killed process or a power cut left
// unfinished at the end is cut off; damage of what was durable is an error.
func (l *textLog) replay(yield func(Doc) error) error {
	const window = 1 << 20
	var buf []byte
	off, start := int64(len(logMagic)), int64(len(logMagic)) // of buf
	for off < l.written {
		have := buf[off-start:]
		need := recHead
		if len(have) >= recHead {
			size := int64(binary.LittleEndian.Uint32(have))
			if size > maxPayload || off+recHead+size > l.written {
				return l.cut(off)
			}
			need += int(size)
		}
		if len(have) < need {
			if off+int64(need) > l.written {
				return l.cut(off)
			}
			n := int(min(int64(max(need, window)), l.written-off))
			if cap(buf) < n {
				buf = make([]byte, n)
			}
			buf, start = buf[:n], off
			if _, err := l.file.ReadAt(buf, off); err != nil {
				return fmt.Errorf("reading %s: %w", l.name, err)
			}
			continue
		}
		d, ok := parseRecord(have[:need])
		if !ok {
			return l.cut(off)
		}
		if d.Key != "" {
			if err := yield(d); err != nil {
				return err
			}
		}
		off += int64((need + recAlign - 1) / recAlign * recAlign)
	}
	if off > l.written { // the padding of the last record is missing
		l.buf = append(l.buf, make([]byte, off-l.written)...)
	}
	l.marked = l.written
	return nil
}

// parseRecord reads one record with its head. A sync mark has no key.
func parseRecord(rec []byte) (Doc, bool) {
	payload := rec[recHead:]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(rec[4:]) {
		return Doc{}, false
	}
	k, n := binary.Uvarint(payload)
	if n <= 0 || k > uint64(len(payload)-n) {
		return Doc{}, false
	}
	key, rest := payload[n:n+int(k)], payload[n+int(k):]
	if len(key) == 0 {
		return Doc{}, len(payload) == markBytes
	}
	if len(rest) == 0 || int(rest[0]) > len(rest)-1 {
		return Doc{}, false
	}
	lang, rest := rest[1:1+rest[0]], rest[1+rest[0]:]
	e, n := binary.Uvarint(rest)
	if n <= 0 || e > uint64(len(rest)-n) {
		return Doc{}, false
	}
	english, text := rest[n:n+int(e)], rest[n+int(e):]
	return Doc{Key: string(key), Lang: string(lang), English: string(english), Text: string(text)}, true
}

// cut drops what follows the byte off, where a record is not whole. A power cut
// leaves that of what was not synced; if a sync mark further on says that it was
// synced, the file is damaged.
func (l *textLog) cut(off int64) error {
	const window = 1 << 20
	buf := make([]byte, window)
	for at := off; at < l.written; at += window - 4*recAlign {
		n := min(window, l.written-at)
		if _, err := l.file.ReadAt(buf[:n], at); err != nil {
			return fmt.Errorf("reading %s: %w", l.name, err)
		}
		for i := int64(0); i+recHead+markBytes <= n; i += recAlign {
			b := buf[i : i+recHead+markBytes]
			if binary.LittleEndian.Uint32(b) != markBytes || b[recHead] != 0 {
				continue
			}
			if _, ok := parseRecord(b); ok && binary.LittleEndian.Uint64(b[recHead+1:]) > uint64(off) {
				return fmt.Errorf("%s is damaged at byte %d, which was durable when byte %d was written: remove the folder, and index again", l.name, off, at+i)
			}
		}
	}
	if err := l.file.Truncate(off); err != nil {
		return fmt.Errorf("cutting the unfinished record off %s: %w", l.name, err)
	}
	l.written, l.marked = off, off
	return nil
}
