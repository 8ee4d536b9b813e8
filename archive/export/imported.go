package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/wacz"
	"github.com/refrain-archive/refrain/archive/warc"
)

// wholeImport is the size in bytes up to which an imported file also stands in
// the WARC, as the block of its record.
const wholeImport = 4 << 20

// imported copies what selected posts were read from of imported WARC and WACZ
// files, and says of the others whether they are in the package.
func (e *exporter) imported(ctx context.Context) error {
	for _, digest := range slices.Sorted(maps.Keys(e.files)) {
		f := e.files[digest]
		in := &e.report.Imports[f.index]
		for info, err := range e.o.Archive.Store().List(ctx, "imports/"+digest, "") {
			if err != nil {
				return fmt.Errorf("look for the imported file %s: %w", digest, err)
			}
			if name := path.Base(info.Key); name == digest || strings.HasPrefix(name, digest+".") {
				in.Object, in.Size, in.Whole = info.Key, info.Size, info.Size <= wholeImport
			}
		}
		if in.Object == "" {
			e.problem(Problem{File: "imports/" + digest, Reason: fmt.Sprintf("the imported file is not in the archive (one that is only linked is not exported: hand it on beside the package); %d selected posts were read from it", f.posts)})
			continue
		}
		if len(f.places) == 0 {
			continue
		}
		before := e.report.Records
		if err := e.importedFile(ctx, f, in.Object); err != nil {
			return fmt.Errorf("export from the imported file %s: %w", in.Object, err)
		}
		in.Records = e.report.Records - before
	}
	return nil
}

func (e *exporter) importedFile(ctx context.Context, f *imports, object string) error {
	file, err := e.o.Archive.OpenObject(ctx, object)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	var whole *wacz.File
	if z, err := wacz.Open(file, file.Size); err == nil {
		whole = z
	} else if !errors.Is(err, wacz.ErrNotWACZ) {
		e.problem(Problem{File: object, Reason: err.Error()})
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(f.places)) {
		at, size := io.ReaderAt(file), file.Size
		if whole != nil {
			s, err := sectionOf(whole, name, 0)
			if err != nil {
				e.problem(Problem{File: object + " " + name, Reason: err.Error()})
				continue
			}
			at, size = s, s.Size()
		}
		src := &source{File: &archive.File{ReaderAt: at, Size: size}, file: object}
		if whole != nil {
			src.file += " " + name
		}
		offsets := f.places[name]
		slices.Sort(offsets)
		for _, offset := range slices.Compact(offsets) {
			if err := e.copy(ctx, src, item{offset: offset, group: true}); err != nil {
				var d *warc.Damage
				if !errors.As(err, &d) {
					return err
				}
				if err := e.lacks(src.file, offset, "", err); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// maxNested is how deep a multi-WACZ may lie in others.
const maxNested = 4

// sectionOf finds a WARC of a WACZ by its base name, in the members of a
// multi-WACZ too.
func sectionOf(f *wacz.File, name string, depth int) (*io.SectionReader, error) {
	for _, n := range f.WARCs() {
		if path.Base(n) == path.Base(name) {
			return f.Section(n)
		}
	}
	for _, m := range f.Members() {
		if depth == maxNested {
			break
		}
		member, err := f.Member(m)
		if err != nil {
			continue // the problem is said when nothing is found
		}
		if s, err := sectionOf(member, name, depth+1); err == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("no WARC of that name is in it")
}
