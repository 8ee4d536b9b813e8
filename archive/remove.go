package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive/blob/dir"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/archive/warc"
	"github.com/refrain-archive/refrain/internal/fsys"
	"github.com/refrain-archive/refrain/post"
)

// An Act is a recorded intervention in the archive, kept as a page line of the
// type "act": once when it begins, with Done false, and again when it is done.
type Act struct {
	Type      string      `json:"type"` // "act"
	URL       string      `json:"url"`  // DeleteURL
	Act       string      `json:"act"`  // "delete"
	ID        string      `json:"id"`   // urn:uuid:…, in both lines and in the records that it left
	At        time.Time   `json:"at"`   // UTC, seconds
	Reason    string      `json:"reason"`
	Authority string      `json:"authority"`    // by whose order
	By        string      `json:"by,omitempty"` // who did it
	Named     []string    `json:"named"`        // what was to be deleted, as the user named it
	Posts     []string    `json:"posts,omitempty"`
	Records   []ActRecord `json:"records"`
	Files     []ActFile   `json:"files,omitempty"` // that were replaced; of the second line
	Holds     []ActHold   `json:"holds,omitempty"` // of what could not be replaced
	Done      bool        `json:"done"`
}

// The values of Act.Type, Act.URL and Act.Act.
const (
	TypeAct   = "act"
	DeleteURL = "urn:refrain:act:delete"
	ActDelete = "delete"
)

// An ActRecord is a record whose payload was deleted, or is held.
type ActRecord struct {
	post.Capture
	Type        string `json:"type"`
	URL         string `json:"url"`
	BlockDigest string `json:"block_digest,omitempty"`
	Length      int64  `json:"length"` // bytes of its gzip member; 0: an act before had deleted it
}

// An ActFile is a file of a segment that was replaced.
type ActFile struct {
	File   string `json:"file"`
	Before string `json:"sha256_before"`
	After  string `json:"sha256_after"`
}

// An ActHold says that an object could not be replaced: it lies in storage that
// writes once. Until it is gone, its records are not shown or exported.
type ActHold struct {
	Object string    `json:"object"`
	Until  time.Time `json:"until,omitzero"` // end of its object lock; zero: it has none, and is to be removed with the storage's own tools
}

// Remove deletes the payload of records, as act says: in the copy of each segment
// that takes the segment's place, a metadata record of the same id and the same
// length (see DeletedField) stands in place of each; the other records stay, byte
// for byte, at their offsets. Index and posts file lose the lines of these
// records. It is for archives in a folder; of others the objects are listed as
// held and nothing is changed. The act is written before anything is changed and
// again afterwards. When it is interrupted, the same call does the rest: what is
// deleted already is passed over.
func (a *Archive) Remove(ctx context.Context, act Act, records []post.Capture) (Act, error) {
	if a.opts.ReadOnly {
		return act, ErrReadOnly
	}
	if act.Reason == "" || act.Authority == "" {
		return act, errors.New("delete: a reason and an authority must be given")
	}
	if err := a.Rotate(ctx); err != nil {
		return act, fmt.Errorf("delete: end the open segment: %w", err)
	}
	act.Type, act.URL, act.Act, act.ID, act.At = TypeAct, DeleteURL, ActDelete, warc.NewID(), a.opts.Now().UTC().Truncate(time.Second)
	act.Records, act.Files, act.Holds, act.Done = nil, nil, nil, false
	of := map[Name][]ActRecord{}
	for _, c := range records {
		r, name, err := a.toRemove(ctx, c)
		if err != nil {
			return act, fmt.Errorf("delete: %w", err)
		}
		if slices.ContainsFunc(of[name], func(o ActRecord) bool { return o.Offset == r.Offset }) {
			continue
		}
		of[name] = append(of[name], *r)
		act.Records = append(act.Records, *r)
	}
	if len(act.Records) == 0 {
		return act, nil
	}
	folder, inFolder := a.store.(*dir.Store)
	if !inFolder {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			for _, ending := range []string{WARCEnding, PostsEnding} {
				info, err := a.store.Stat(ctx, name.Key(ending))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err != nil {
					return act, fmt.Errorf("delete: %w", err)
				}
				act.Holds = append(act.Holds, ActHold{Object: name.Key(ending), Until: info.RetainUntil})
			}
		}
	}
	if err := a.writeAct(ctx, act); err != nil {
		return act, err
	}
	if inFolder {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			files, err := a.removeFrom(ctx, folder, name, &act, of[name])
			act.Files = append(act.Files, files...)
			if err != nil {
				return act, fmt.Errorf("delete from segment %s: %w (the act %s is not done: give the same command again)", name, err, act.ID)
			}
		}
	}
	act.Done = true
	return act, a.writeAct(ctx, act)
}

func (a *Archive) writeAct(ctx context.Context, act Act) error {
	if _, err := a.WritePage(ctx, act, act.At, post.Capture{}, nil); err != nil {
		return fmt.Errorf("record the act: %w", err)
	}
	if err := a.Sync(ctx); err != nil {
		return fmt.Errorf("record the act: %w", err)
	}
	return nil
}

// toRemove looks at a record that is to be deleted. One that is deleted already,
// perhaps by a call that was interrupted, has length 0.
func (a *Archive) toRemove(ctx context.Context, c post.Capture) (*ActRecord, Name, error) {
	rec, err := a.ReadRecord(ctx, c)
	if err != nil {
		return nil, "", err
	}
	defer rec.Close() //nolint:errcheck // only read
	name, _, _ := ParseName(c.File)
	if rec.Header.Has(DeletedField) {
		return &ActRecord{Capture: rec.Capture, Type: rec.Header.Type(), URL: rec.Header.TargetURI()}, name, nil
	}
	pos, err := rec.Finish()
	if err != nil {
		return nil, "", err
	}
	if pos.Length == 0 {
		return nil, "", fmt.Errorf("record %s has no gzip member of its own", rec.ID())
	}
	return &ActRecord{Capture: rec.Capture, Type: rec.Header.Type(), URL: rec.Header.TargetURI(), BlockDigest: rec.Header.Get("WARC-Block-Digest"), Length: pos.Length}, name, nil
}

// removeFrom replaces the files of one segment, the WARC first: what is left of
// index and posts file after an interruption is found by it.
func (a *Archive) removeFrom(ctx context.Context, folder *dir.Store, name Name, act *Act, records []ActRecord) ([]ActFile, error) {
	slices.SortFunc(records, func(x, y ActRecord) int { return int(min(1, max(-1, x.Offset-y.Offset))) })
	var files []ActFile
	for _, part := range []struct {
		ending string
		copy   func(context.Context, *os.File, int64, io.Writer, *Act, []ActRecord) error
	}{{WARCEnding, withoutPayload}, {IndexEnding, withoutLines}, {PostsEnding, withoutPosts}} {
		path := filepath.Join(folder.Root(), filepath.FromSlash(name.Key(part.ending)))
		f, err := replace(ctx, path, func(in *os.File, size int64, w io.Writer) error { return part.copy(ctx, in, size, w, act, records) })
		if errors.Is(err, fs.ErrNotExist) && part.ending != WARCEnding {
			continue
		}
		if err != nil {
			return files, err
		}
		f.File = name.Key(part.ending)
		files = append(files, f)
	}
	return files, nil
}

// replace puts a changed copy in the place of a file, at once.
func replace(ctx context.Context, path string, change func(*os.File, int64, io.Writer) error) (done ActFile, err error) {
	in, err := os.Open(path)
	if err != nil {
		return done, err
	}
	defer in.Close() //nolint:errcheck // only read
	info, err := in.Stat()
	if err != nil {
		return done, err
	}
	before := sha256.New()
	if _, err := io.Copy(before, in); err != nil {
		return done, err
	}
	tmp := path + ".tmp"
	out, err := os.Create(tmp)
	if err != nil {
		return done, err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp) //nolint:errcheck // err says more
		}
	}()
	after := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(out, after), 1<<18)
	err = change(in, info.Size(), w)
	if err = errors.Join(err, ctx.Err(), w.Flush(), out.Chmod(info.Mode()), out.Sync(), out.Close()); err != nil {
		return done, err
	}
	if err := os.Rename(tmp, path); err != nil { // replaces, other than fsys does
		return done, err
	}
	if err := fsys.OS.SyncDir(filepath.Dir(path)); err != nil {
		return done, err
	}
	return ActFile{Before: hex.EncodeToString(before.Sum(nil)), After: hex.EncodeToString(after.Sum(nil))}, nil
}

func withoutPayload(ctx context.Context, in *os.File, size int64, w io.Writer, act *Act, records []ActRecord) error {
	at := int64(0)
	for _, r := range records {
		if r.Length == 0 {
			continue
		}
		rec, err := warc.ReadAt(in, size, r.Offset)
		if err != nil {
			return err
		}
		if rec.ID() != r.RecordID {
			return fmt.Errorf("at %d lies record %s, not %s", r.Offset, rec.ID(), r.RecordID)
		}
		if _, err := io.Copy(w, io.NewSectionReader(in, at, r.Offset-at)); err != nil {
			return err
		}
		if err := writeTombstone(w, rec.Header, act, r.Length); err != nil {
			return fmt.Errorf("record %s: %w", r.RecordID, err)
		}
		at = r.Offset + r.Length
	}
	_, err := io.Copy(w, io.NewSectionReader(in, at, size-at))
	return err
}

func withoutLines(ctx context.Context, in *os.File, size int64, w io.Writer, _ *Act, records []ActRecord) error {
	gone := map[int64]bool{}
	for _, r := range records {
		gone[r.Offset] = true
	}
	lines := bufio.NewScanner(io.NewSectionReader(in, 0, size))
	lines.Buffer(make([]byte, 64<<10), cdx.MaxLine+1)
	for lines.Scan() {
		l, err := cdx.ParseLine(lines.Bytes())
		if err == nil && gone[l.Offset] {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s\n", lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func withoutPosts(ctx context.Context, in *os.File, size int64, w io.Writer, _ *Act, records []ActRecord) error {
	gone := map[string]bool{}
	for _, r := range records {
		gone[r.RecordID] = true
	}
	gz, err := gzip.NewReader(io.NewSectionReader(in, 0, size))
	if err != nil {
		return err
	}
	out := gzip.NewWriter(w)
	lines := bufio.NewScanner(gz)
	lines.Buffer(make([]byte, 64<<10), maxPost+4096)
	for lines.Scan() {
		var line struct {
			RecordID string `json:"record_id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		if gone[line.RecordID] {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s\n", lines.Bytes()); err != nil {
			return err
		}
	}
	return errors.Join(lines.Err(), out.Close())
}
