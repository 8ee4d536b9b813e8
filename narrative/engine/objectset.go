package engine

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"slices"
)

// An objectSet is all objects in memory, told by the first 64 bits of the SHA-256
// of a salt, their kind and their key: nobody can make two that are taken for one
// without knowing the salt of the store, and among ten million objects two agree
// by chance once in 400,000 stores. It takes some 40 bytes an object and saves a
// look-up on disk for each thing that a post carries.
type objectSet struct {
	salt       []byte
	ids        map[uint64]int32
	home, item []int32 // by id; -1 for none

	stored  int      // objects below are in the store
	names   []Object // of those from stored on
	hashes  []uint64
	altered []int64 // below stored, whose home or item was set
}

// A carried is an object as the store has it.
type carried struct {
	Object
	id         int64
	home, item sql.NullInt64
}

func (s *objectSet) hash(o Object) uint64 {
	var room [512]byte
	b := append(room[:0], s.salt...)
	b = append(b, o.Kind...)
	b = append(b, 0)
	b = append(b, o.Key...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// take gives an object, and makes it if it is new.
func (s *objectSet) take(o Object) *carried {
	h := s.hash(o)
	id, ok := s.ids[h]
	if !ok {
		id = int32(len(s.home))
		s.ids[h] = id
		s.home, s.item = append(s.home, -1), append(s.item, -1)
		s.names, s.hashes = append(s.names, o), append(s.hashes, h)
	}
	return &carried{Object: o, id: int64(id), home: valid(s.home[id]), item: valid(s.item[id])}
}

func valid(n int32) sql.NullInt64 { return sql.NullInt64{Int64: int64(n), Valid: n >= 0} }

// set keeps the home and item of an object.
func (s *objectSet) set(o *carried) {
	if o.home.Valid {
		s.home[o.id] = int32(o.home.Int64)
	}
	if o.item.Valid {
		s.item[o.id] = int32(o.item.Int64)
	}
	if o.id < int64(s.stored) {
		s.altered = append(s.altered, o.id)
	}
}

// readObjects loads the objects.
func (e *Engine) readObjects(ctx context.Context) error {
	s := &e.objects
	s.ids = map[uint64]int32{}
	if err := e.db.QueryRowContext(ctx, "SELECT salt FROM hash_salt").Scan(&s.salt); err != nil {
		return err
	}
	rows, err := e.db.QueryContext(ctx, "SELECT hash, coalesce(home, -1), coalesce(item, -1) FROM object ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	for rows.Next() {
		var hash int64
		var home, item int32
		if err := rows.Scan(&hash, &home, &item); err != nil {
			return err
		}
		s.ids[uint64(hash)] = int32(len(s.home))
		s.home, s.item = append(s.home, home), append(s.item, item)
	}
	s.stored = len(s.home)
	return rows.Err()
}

// flushObjects writes the objects that are new or altered.
func (e *Engine) flushObjects(ctx context.Context) error {
	s := &e.objects
	t := &table{into: "INSERT INTO object (id, hash, kind, key, home, item)", columns: 6}
	for i, o := range s.names {
		id := s.stored + i
		t.add(int64(id), int64(s.hashes[i]), o.Kind, o.Key, number(valid(s.home[id])), number(valid(s.item[id])))
	}
	if err := t.flush(ctx, e); err != nil {
		return err
	}
	slices.Sort(s.altered)
	for _, id := range slices.Compact(s.altered) {
		if err := e.exec(ctx, "UPDATE object SET home = ?, item = ? WHERE id = ?", number(valid(s.home[id])), number(valid(s.item[id])), id); err != nil {
			return err
		}
	}
	s.stored, s.names, s.hashes, s.altered = len(s.home), s.names[:0], s.hashes[:0], s.altered[:0]
	return nil
}

// carry notes what the post carries.
func (e *Engine) carry(seen *Seen) []*carried {
	var list []*carried
	for _, o := range Objects(&seen.Post) {
		c := e.objects.take(o)
		e.rows.carries = append(e.rows.carries, [2]int64{c.id, seen.Row})
		list = append(list, c)
	}
	return list
}
