// Package filelog keeps what was computed from files, by digest, and who used each
// of them: the durable half of the indexes of pictures and videos. What is computed
// from a file is a record of its owner's form; the same bytes have one record,
// however many posts show them. Records are numbered from 0.
//
// # The file
//
// A log of records (reclog). One of type 1 belongs to a file:
//
//	SHA-256 of the file, 32 bytes
//	the owner's payload
//
// and one of type 2 says that a file was used:
//
//	number of the file, uvarint
//	kind of the use, a byte whose meaning is the owner's
//	key, to the end of the record
package filelog

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"path/filepath"

	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/internal/reclog"
)

// The types of the records.
const (
	typeFile = 1
	typeUse  = 2
)

// MaxKey is the longest key of a use, in bytes.
const MaxKey = 1024

// ErrClosed is the error of a closed Log.
var ErrClosed = errors.New("the index is closed")

// ErrRecord is the error of a record that its reader does not understand.
var ErrRecord = errors.New("a record that this program does not read: it is damaged, or of another version")

// A Digest is the SHA-256 of a file.
type Digest [32]byte

// String gives 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText gives the form of String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// ParseDigest reads 64 hexadecimal digits, with or without "sha256:" before them.
func ParseDigest(s string) (d Digest, err error) {
	hexed := s
	if len(s) == 7+64 && s[:7] == "sha256:" {
		hexed = s[7:]
	}
	if len(hexed) != 64 {
		return d, fmt.Errorf("%q is no SHA-256: it needs 64 hexadecimal digits", s)
	}
	if _, err := hex.Decode(d[:], []byte(hexed)); err != nil {
		return Digest{}, fmt.Errorf("%q is no SHA-256: %w", s, err)
	}
	return d, nil
}

// A Use is one place where a file was used.
type Use struct {
	Key  string // 1 to MaxKey bytes
	Kind uint8
}

// A Log is the log of one folder. The zero Log is empty, in memory alone, and
// ready. Its methods must not run at the same time, except those that only read
// with each other.
type Log struct {
	dir    string
	lock   io.Closer
	log    *reclog.Log // nil: in memory
	memory [][]byte    // the records, where there is no log
	failed error       // nothing more is added after it
	closed bool

	at    []int64           // file → its record
	last  []uint32          // file → its last use
	bySum map[Digest]uint32 // file
	useAt []int64           // use → its record
	next  []uint32          // use → the next of the same file; of the last: the first
	known map[uint64]struct{}
	seed  maphash.Seed
}

const none = 1<<32 - 1

// Open opens the log name in a folder, and makes both if they are missing; f nil is
// the machine's file system. insert is called for each file in the order of numbers.
// Another process that has it open is an fsys.ErrLocked.
func Open(f fsys.FS, dir, name, magic string, insert func(n uint32, payload []byte) error) (*Log, error) {
	if f == nil {
		f = fsys.OS
	}
	if err := f.MkdirAll(dir); err != nil {
		return nil, err
	}
	lock, err := f.Lock(filepath.Join(dir, "lock"), true)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name)
	log, err := reclog.Open(f, dir, file, magic)
	if err != nil {
		lock.Close()
		return nil, err
	}
	l := &Log{dir: dir, lock: lock, log: log}
	err = log.Replay(func(at int64, p []byte) error {
		switch p[0] {
		case typeFile:
			if len(p) < 1+32 {
				return fmt.Errorf("%s at byte %d: %w", file, at, ErrRecord)
			}
			n := l.insert(at, Digest(p[1:33]))
			if err := insert(n, p[33:]); err != nil {
				return fmt.Errorf("%s at byte %d: %w", file, at, err)
			}
		case typeUse:
			n, u, err := decodeUse(p)
			if err != nil || int(n) >= len(l.at) {
				return fmt.Errorf("%s at byte %d: %w", file, at, ErrRecord)
			}
			l.insertUse(at, n, u)
		default:
			return fmt.Errorf("%s at byte %d: %w", file, at, ErrRecord)
		}
		return nil
	})
	if err != nil {
		log.Close()
		lock.Close()
		return nil, err
	}
	return l, nil
}

// Usable is nil as long as the log can be read and added to.
func (l *Log) Usable() error {
	if l.closed {
		return ErrClosed
	}
	if l.failed != nil {
		return fmt.Errorf("%s stopped after a failure; open it again: %w", l.dir, l.failed)
	}
	return nil
}

// CheckKey is the error of a key that cannot be kept.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("the key has %d bytes, and must have 1 to %d", len(key), MaxKey)
	}
	return nil
}

// Find gives the number of the file with these bytes.
func (l *Log) Find(sum Digest) (uint32, bool) {
	n, ok := l.bySum[sum]
	return n, ok
}

// Len is the number of files, and Uses that of their uses.
func (l *Log) Len() int { return len(l.at) }

// UseCount is the number of uses of all files.
func (l *Log) UseCount() int { return len(l.useAt) }

// Append adds a file that Find does not find, and gives its number.
func (l *Log) Append(sum Digest, payload []byte) (uint32, error) {
	at, err := l.append(append(append([]byte{typeFile}, sum[:]...), payload...))
	if err != nil {
		return 0, err
	}
	return l.insert(at, sum), nil
}

// Use adds a use of a file. It gives false if it was there.
func (l *Log) Use(n uint32, u Use) (bool, error) {
	if l.Known(n, u) {
		return false, nil
	}
	b := append(binary.AppendUvarint([]byte{typeUse}, uint64(n)), u.Kind)
	at, err := l.append(append(b, u.Key...))
	if err != nil {
		return false, err
	}
	l.insertUse(at, n, u)
	return true, nil
}

// Known reports whether a file has this use.
func (l *Log) Known(n uint32, u Use) bool {
	if l.known == nil {
		return false
	}
	_, ok := l.known[l.hash(n, u)]
	return ok
}

func (l *Log) append(payload []byte) (int64, error) {
	if err := l.Usable(); err != nil {
		return 0, err
	}
	if l.log == nil {
		l.memory = append(l.memory, payload)
		return int64(len(l.memory) - 1), nil
	}
	at, err := l.log.Append(payload)
	if err != nil {
		l.failed = err
	}
	return at, err
}

func (l *Log) read(at int64) ([]byte, error) {
	if l.log == nil {
		return l.memory[at], nil
	}
	return l.log.Read(at)
}

// File gives the digest and the payload of a file.
func (l *Log) File(n uint32) (Digest, []byte, error) {
	if int(n) >= len(l.at) {
		return Digest{}, nil, fmt.Errorf("there is no file %d in %s", n, l.dir)
	}
	b, err := l.read(l.at[n])
	if err != nil {
		return Digest{}, nil, err
	}
	return Digest(b[1:33]), b[33:], nil
}

// Uses gives the uses of a file in the order in which they were added.
func (l *Log) Uses(n uint32) (list []Use, err error) {
	if int(n) >= len(l.last) || l.last[n] == none {
		return nil, nil
	}
	last := l.last[n]
	for k := l.next[last]; ; k = l.next[k] {
		u, err := l.use(k)
		if err != nil {
			return nil, err
		}
		list = append(list, u)
		if k == last {
			return list, nil
		}
	}
}

// First gives the first use of a file, an empty one if it has none.
func (l *Log) First(n uint32) (Use, error) {
	if int(n) >= len(l.last) || l.last[n] == none {
		return Use{}, nil
	}
	return l.use(l.next[l.last[n]])
}

func (l *Log) use(k uint32) (Use, error) {
	b, err := l.read(l.useAt[k])
	if err != nil {
		return Use{}, err
	}
	_, u, err := decodeUse(b)
	return u, err
}

func decodeUse(b []byte) (n uint32, u Use, err error) {
	if len(b) < 1 || b[0] != typeUse {
		return 0, u, ErrRecord
	}
	v, k := binary.Uvarint(b[1:])
	if k <= 0 || v >= none || len(b) < 1+k+2 {
		return 0, u, ErrRecord
	}
	return uint32(v), Use{string(b[2+k:]), b[1+k]}, nil
}

func (l *Log) insert(at int64, sum Digest) uint32 {
	if l.bySum == nil {
		l.bySum, l.known, l.seed = map[Digest]uint32{}, map[uint64]struct{}{}, maphash.MakeSeed()
	}
	n := uint32(len(l.at))
	l.at, l.last = append(l.at, at), append(l.last, none)
	l.bySum[sum] = n
	return n
}

// hash stands for a use in the set of known ones: 64 bits, of which two in a
// million uses are equal by chance once in ten million indexes.
func (l *Log) hash(n uint32, u Use) uint64 {
	var h maphash.Hash
	h.SetSeed(l.seed)
	h.Write([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), u.Kind})
	h.WriteString(u.Key)
	return h.Sum64()
}

func (l *Log) insertUse(at int64, n uint32, u Use) {
	k := uint32(len(l.useAt))
	l.useAt = append(l.useAt, at)
	l.known[l.hash(n, u)] = struct{}{}
	if last := l.last[n]; last == none {
		l.next = append(l.next, k)
	} else {
		l.next = append(l.next, l.next[last])
		l.next[last] = k
	}
	l.last[n] = k
}

// Sync returns when all that was added survives the end of the process and a power
// cut.
func (l *Log) Sync() error {
	if err := l.Usable(); err != nil || l.log == nil {
		return err
	}
	if err := l.log.Sync(); err != nil {
		l.failed = err
		return err
	}
	return nil
}

// Close syncs and frees what the log holds. After a failure of the disk it gives
// that failure: what was not synced before it is lost. Closing twice is ErrClosed.
func (l *Log) Close() error {
	if l.closed {
		return ErrClosed
	}
	err := l.failed
	if err == nil {
		err = l.Sync()
	}
	l.closed = true
	l.at, l.last, l.useAt, l.next, l.bySum, l.known, l.memory = nil, nil, nil, nil, nil, nil, nil
	if l.log != nil {
		err = errors.Join(err, l.log.Close(), l.lock.Close())
	}
	return err
}
