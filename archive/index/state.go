package index

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/refrain-archive/refrain/archive"
)

// state is index.json.
type state struct {
	Version  int       `json:"version"`
	Archive  string    `json:"archive"`   // its id, urn:uuid:…
	NextFile uint32    `json:"next_file"` // no line has that number, or a larger one
	NextRun  int64     `json:"next_run"`
	Sources  []source  `json:"sources"`
	Runs     []runInfo `json:"runs"`
}

type runInfo struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Lines int64  `json:"lines"`
}

// A source is something that was taken in.
type source struct {
	Kind    Kind     `json:"kind"`
	Name    string   `json:"name"`              // see Source; of a linked file the path that was noted last
	File    uint32   `json:"file"`              // number of its file, or of the first of Members
	Members []string `json:"members,omitempty"` // of a WACZ
	Size    int64    `json:"size"`              // of the WARC or file, bytes
	Lines   int64    `json:"lines"`
	Note    string   `json:"note,omitempty"` // what could not be taken in

	SHA256 string    `json:"sha256,omitempty"`
	Taken  bool      `json:"taken,omitempty"` // of a linked file: its lines are in the index
	Links  []linkRef `json:"links,omitempty"` // where a linked file was said to lie, the latest first
	Stamp  stampOf   `json:"stamp,omitzero"`  // of a linked file when it had that digest
}

// A linkRef is a note in the archive that says where a linked file lies.
type linkRef struct {
	Path    string       `json:"path"`
	Segment archive.Name `json:"segment"`
	At      time.Time    `json:"at"`
}

// A stampOf tells whether a file was changed since.
type stampOf struct {
	Path     string    `json:"path"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

// list puts the files of a source into the list by their numbers.
func (s *source) list(files []*file) {
	src := Source{Kind: s.Kind, Name: s.Name, SHA256: s.SHA256}
	of := *s // s changes with the next update
	of.Links = slices.Clone(s.Links)
	add := func(number uint32, member, base string) {
		if number < uint32(len(files)) {
			src.Member = member
			files[number] = &file{source: src, base: base, of: &of}
		}
	}
	switch {
	case s.Kind == KindLink && !s.Taken:
	case len(s.Members) > 0:
		for i, member := range s.Members {
			add(s.File+uint32(i), member, path.Base(member))
		}
	case s.Kind == KindSegment:
		add(s.File, "", s.Name+archive.WARCEnding)
	case s.Kind == KindLink:
		add(s.File, "", filepath.Base(s.Name))
	default:
		add(s.File, "", path.Base(s.Name))
	}
}

func (x *Index) empty() state {
	return state{Version: Version, Archive: x.opts.Archive.Manifest().Archive}
}

func readState(path string) (s state, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return s, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	for _, r := range s.Runs {
		if r.Name != filepath.Base(r.Name) || filepath.Ext(r.Name) != runEnding {
			return s, errCorrupt
		}
	}
	for _, src := range s.Sources {
		if uint64(src.File)+uint64(max(1, len(src.Members))) > uint64(s.NextFile) && !(src.Kind == KindLink && !src.Taken) {
			return s, errCorrupt
		}
	}
	return s, nil
}

// save replaces index.json: it survives a power cut when it returns.
func (x *Index) save() (err error) {
	data, err := json.Marshal(x.state)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(x.opts.Dir, "state-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	// The names of the runs come to the disk before the file that names them.
	if err := x.lock.SyncDir(x.opts.Dir); err != nil {
		return err
	}
	step("state written")
	path := filepath.Join(x.opts.Dir, stateName)
	if err := os.Rename(f.Name(), path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	step("state renamed")
	if err := x.lock.SyncDir(x.opts.Dir); err != nil {
		return err
	}
	x.read, err = os.Stat(path)
	return err
}
