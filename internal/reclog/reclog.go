// Package reclog is an append-only file of records for what is slow or costly to
// compute again: it loses nothing that was synced, whatever ends the process.
//
// # The file
//
//	8 bytes that name the format, given by the owner
//	records, each at a multiple of 8 bytes, filled up with zeros:
//	    uint32   length of the payload, 1 to MaxRecord
//	    uint32   CRC-32C of the payload
//	    payload  its first byte is its type, 1 to 255; the rest is the owner's
//
// A record of type 0 is a sync mark: after the type stands a uint64, the size of
// the file up to which everything was durable when the mark was written. Numbers
// are little-endian.
package reclog

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
	// MaxRecord is the longest payload in bytes.
	MaxRecord = 4 << 20

	header     = 8
	recHead    = 8
	align      = 8
	markSize   = recHead + 1 + 8
	flushBytes = 256 << 10
	window     = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A Log is one open file. Its methods must not run at the same time, except Read
// with Read.
type Log struct {
	file    fsys.File
	name    string
	written int64  // bytes handed to the file
	buf     []byte // what comes after them
	marked  int64  // the last sync mark's
	synced  int64
}

// Open opens the log name in the folder dir and makes it if there is none. magic
// has 8 bytes. Replay must be called once before anything is appended.
func Open(f fsys.FS, dir, name, magic string) (*Log, error) {
	if len(magic) != header {
		return nil, fmt.Errorf("the name %q of a format must have %d bytes", magic, header)
	}
	file, err := f.OpenWrite(name)
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = f.Create(name); err != nil {
			return nil, err
		}
		if _, err = file.Write([]byte(magic)); err == nil {
			if err = file.Sync(); err == nil {
				err = f.SyncDir(dir)
			}
		}
		if err != nil {
			file.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	l := &Log{file: file, name: name}
	info, err := file.Stat()
	if err == nil {
		l.written = info.Size()
		if l.written < header { // made, and killed before its first bytes were written
			if err = file.Truncate(0); err == nil {
				_, err = file.Write([]byte(magic))
				l.written = header
			}
		} else {
			var head [header]byte
			if _, err = file.ReadAt(head[:], 0); err == nil && string(head[:]) != magic {
				err = fmt.Errorf("%s begins with %q and not with %q: it is of another version of this program, or another file", name, head, magic)
			}
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return l, nil
}

// Size is the number of bytes that were appended, synced or not.
func (l *Log) Size() int64 { return l.written + int64(len(l.buf)) }

// Append adds a record and gives its place. After an error nothing of it is in
// the log, unless the error says that the file could not be cut back: then the
// log must not be used any more.
func (l *Log) Append(payload []byte) (at int64, err error) {
	if len(payload) == 0 || len(payload) > MaxRecord || payload[0] == 0 {
		return 0, fmt.Errorf("%s: a record of %d bytes cannot be kept: it must have 1 to %d, and a type", l.name, len(payload), MaxRecord)
	}
	if l.synced > l.marked {
		l.put(binary.LittleEndian.AppendUint64([]byte{0}, uint64(l.synced)))
		l.marked = l.synced
	}
	at = l.Size()
	l.put(payload)
	if len(l.buf) >= flushBytes {
		if err := l.flush(); err != nil {
			return 0, err
		}
	}
	return at, nil
}

func (l *Log) put(payload []byte) {
	l.buf = binary.LittleEndian.AppendUint32(l.buf, uint32(len(payload)))
	l.buf = binary.LittleEndian.AppendUint32(l.buf, crc32.Checksum(payload, castagnoli))
	l.buf = append(l.buf, payload...)
	for len(l.buf)%align != 0 {
		l.buf = append(l.buf, 0)
	}
}

func (l *Log) flush() error {
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

// Sync returns when all records survive a power cut.
func (l *Log) Sync() error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("making %s durable: %w", l.name, err)
	}
	l.synced = l.written
	return nil
}

// Close closes the file. What was not synced may be lost.
func (l *Log) Close() error { return l.file.Close() }

// Read gives the payload of the record at a place that Append or Replay gave.
func (l *Log) Read(at int64) ([]byte, error) {
	if at >= l.written && at <= l.Size() {
		p, ok := payloadOf(l.buf[at-l.written:])
		if !ok {
			return nil, l.damaged(at)
		}
		return append([]byte(nil), p...), nil
	}
	var head [recHead]byte
	if _, err := l.file.ReadAt(head[:], at); err != nil {
		return nil, fmt.Errorf("reading %s at byte %d: %w", l.name, at, err)
	}
	size := int64(binary.LittleEndian.Uint32(head[:]))
	if size == 0 || size > MaxRecord || at+recHead+size > l.written {
		return nil, l.damaged(at)
	}
	rec := make([]byte, recHead+size)
	if _, err := l.file.ReadAt(rec, at); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading %s at byte %d: %w", l.name, at, err)
	}
	p, ok := payloadOf(rec)
	if !ok {
		return nil, l.damaged(at)
	}
	return p, nil
}

func (l *Log) damaged(at int64) error {
	return fmt.Errorf("%s: the record at byte %d is damaged", l.name, at)
}

// payloadOf gives the payload of the record at the start of b, if it is whole.
func payloadOf(b []byte) ([]byte, bool) {
	if len(b) < recHead {
		return nil, false
	}
	size := int64(binary.LittleEndian.Uint32(b))
	if size == 0 || size > MaxRecord || size > int64(len(b)-recHead) {
		return nil, false
	}
	p := b[recHead : recHead+size]
	return p, crc32.Checksum(p, castagnoli) == binary.LittleEndian.Uint32(b[4:])
}

// Replay calls yield for each record from the first on; the payload is good until
// yield returns. What a killed process or a power cut left unfinished at the end
// is cut off; damage of what was synced is an error, and nothing is cut.
func (l *Log) Replay(yield func(at int64, payload []byte) error) error {
	var buf []byte
	off, start := int64(header), int64(header) // start is of buf
	for off < l.written {
		have := buf[min(off-start, int64(len(buf))):]
		need := int64(recHead)
		if len(have) >= recHead {
			size := int64(binary.LittleEndian.Uint32(have))
			if size == 0 || size > MaxRecord {
				return l.cut(off)
			}
			need += size
		}
		if int64(len(have)) < need || need == recHead {
			if off+need > l.written || off+recHead >= l.written {
				return l.cut(off)
			}
			n := int(min(max(need, window), l.written-off))
			if cap(buf) < n {
				buf = make([]byte, n)
			}
			buf = buf[:n]
			if _, err := l.file.ReadAt(buf, off); err != nil && err != io.EOF {
				return fmt.Errorf("reading %s: %w", l.name, err)
			}
			start = off
			continue
		}
		p, ok := payloadOf(have)
		if !ok {
			return l.cut(off)
		}
		if p[0] != 0 {
			if err := yield(off, p); err != nil {
				return err
			}
		}
		off += (need + align - 1) / align * align
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
func (l *Log) cut(off int64) error {
	buf := make([]byte, window)
	for at := off; at < l.written; {
		n := min(window, l.written-at)
		if _, err := l.file.ReadAt(buf[:n], at); err != nil && err != io.EOF {
			return fmt.Errorf("reading %s: %w", l.name, err)
		}
		i := int64(0)
		for ; i+markSize <= n; i += align {
			b := buf[i : i+markSize]
			if binary.LittleEndian.Uint32(b) != markSize-recHead || b[recHead] != 0 {
				continue
			}
			if p, ok := payloadOf(b); ok && binary.LittleEndian.Uint64(p[1:]) > uint64(off) {
				return fmt.Errorf("%s is damaged at byte %d, which was durable when byte %d was written: restore the file, or build the index anew from the archive", l.name, off, at+i)
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
