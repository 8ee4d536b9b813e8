package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/cdx"
	"github.com/refrain-archive/refrain/corpus"
	"github.com/refrain-archive/refrain/post"
)

type deleteCmd struct {
	Names     []string `arg:"" name:"what" help:"Posts (URL or PLATFORM:ID), addresses of pictures and pages, record ids (urn:uuid:…)."`
	Reason    string   `required:"" placeholder:"TEXT" help:"Why: the legal duty."`
	Authority string   `required:"" placeholder:"TEXT" help:"By whose order: court and file number, authority, person whose data it is."`
	Yes       bool     `help:"Do it. Without this, only say what would be deleted."`
}

func (deleteCmd) Help() string {
	return `For a legal duty to delete: nothing else needs it, and it cannot be undone. The payload of what is named
goes: the records of a post, the pages that it was read from (with what else they show), its pictures and
videos, and the same bytes wherever else they lie. In place of each record stays one that says that it was
deleted, with its id, date, address and digests; reason and authority are recorded in the archive.
Objects in a bucket are not changed: they are listed with the end of their lock, and what is in them is not
shown or exported any more. docs/deleting.md says more.

Example:
  refrain delete tumblr:712345678 --reason "personal data" --authority "Amtsgericht Kassel, 12 C 345/26" --yes
` + exitCodes
}

func (c deleteCmd) Run(ctx context.Context, a *app) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	store, err := a.freshCorpusOf(ctx, cfg)
	if err != nil {
		return err
	}
	defer closing(&err, store)
	arch, err := a.openArchive(ctx, cfg, !c.Yes, archive.Field{Name: "software", Value: "refrain/" + version}, archive.Field{Name: "description", Value: "deletion by legal duty"})
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	defer func() { err = errors.Join(err, arch.Close(context.WithoutCancel(ctx))) }()
	f := &deletion{store: store, arch: arch}
	for _, name := range c.Names {
		if err := f.find(ctx, a, name); err != nil {
			return err
		}
	}
	if err := f.gather(ctx); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	others, err := f.others(ctx)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if !c.Yes {
		if a.JSON {
			return a.writeJSON(map[string]any{"posts": f.posts, "records": f.places, "other_posts": others})
		}
		for _, p := range f.places {
			if err := a.printf("%s at %d of %s", p.RecordID, p.Offset, p.File); err != nil {
				return err
			}
		}
		return a.printf("%s of %s would be deleted; the pages among them also show %s, whose own records stay. Nothing was changed: --yes does it, for good.",
			plural(int64(len(f.places)), "record"), plural(int64(len(f.posts)), "post"), plural(int64(others), "other post"))
	}
	act, err := arch.Remove(ctx, archive.Act{Reason: c.Reason, Authority: c.Authority, By: cfg.Contact, Named: c.Names, Posts: f.posts}, f.places)
	if err != nil {
		return err
	}
	if _, err := store.Forget(ctx, act.Posts, act.At.Add(time.Second)); err != nil {
		return err
	}
	// The index of captures has the places of what is deleted: it is made anew.
	if err := os.RemoveAll(filepath.Join(cfg.State, "index")); err != nil {
		return fmt.Errorf("delete: the payloads are deleted, but the index of captures, which still names them, is not: %w", err)
	}
	if a.JSON {
		return a.writeJSON(act)
	}
	if len(act.Holds) == 0 {
		return a.printf("%s of %s deleted, %s replaced; the act is %s", plural(int64(len(act.Records)), "record"), plural(int64(len(act.Posts)), "post"), plural(int64(len(act.Files)), "file"), act.ID)
	}
	for _, h := range act.Holds {
		until := "it has no lock: remove it, and its older versions, with the storage's own tools"
		if !h.Until.IsZero() {
			until = "its lock ends on " + h.Until.UTC().Format("2006-01-02 15:04 MST") + "; nobody can remove it before"
		}
		if err := a.printf("held: %s: %s", h.Object, until); err != nil {
			return err
		}
	}
	return a.printf("%s of %s are not shown or exported any more; their bytes are still there, as listed. The act is %s", plural(int64(len(act.Records)), "record"), plural(int64(len(act.Posts)), "post"), act.ID)
}

// A deletion gathers what is to go.
type deletion struct {
	store   *corpus.Store
	arch    *archive.Archive
	posts   []string // keys
	urls    []string // of captures
	records []string // ids
	places  []post.Capture
	digests map[string]bool // of payloads that must go wherever they lie
}

func (f *deletion) find(ctx context.Context, a *app, name string) error {
	if strings.HasPrefix(name, "urn:uuid:") {
		f.records = append(f.records, name)
		return nil
	}
	found, err := look(ctx, f.store, showCmd{Name: name}.names(a.collectors()))
	if err != nil {
		return err
	}
	for _, v := range found.Posts {
		if !slices.Contains(f.posts, v.Post.Key()) {
			f.posts = append(f.posts, v.Post.Key())
		}
	}
	if len(found.Posts) > 0 {
		return nil
	}
	if len(found.Accounts) > 0 {
		return usage("delete: %s is an account: name its posts (`refrain export --csv - %s` lists them)", name, name)
	}
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		f.urls = append(f.urls, name)
		return nil
	}
	return usage("delete: %s is no post of this archive, no address and no record id", name)
}

func (f *deletion) add(c post.Capture) {
	if c.RecordID == "" || c.Import != "" || slices.ContainsFunc(f.places, func(p post.Capture) bool { return p.File == c.File && p.Offset == c.Offset }) {
		return
	}
	f.places = append(f.places, c)
}

// gather finds the records of what was named.
func (f *deletion) gather(ctx context.Context) error {
	f.digests = map[string]bool{}
	media := map[string]bool{}
	for _, u := range f.urls {
		media[u] = true
	}
	err := f.store.CapturedOf(ctx, f.posts, func(c *corpus.Captured) error {
		for _, at := range c.Captures {
			if at.Import != "" {
				return usage("delete: %s was read from the imported file %s: a file of another tool cannot be changed here; remove imports/%s… from the archive's storage", c.Post.Key(), at.Import, strings.TrimPrefix(at.Import, "sha256:"))
			}
			f.add(at)
		}
		for _, m := range c.Post.Media {
			media[m.URL] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, key := range f.posts {
		wanted[key] = true
	}
	ids := map[string]bool{}
	for _, id := range f.records {
		ids[id] = true
	}
	for pass := range 2 { // addresses first, then the same bytes wherever they lie
		for s, err := range f.arch.Segments(ctx) {
			if err != nil {
				return err
			}
			if err := f.segment(ctx, s, pass, media, wanted, ids); err != nil {
				return fmt.Errorf("segment %s: %w", s.Name, err)
			}
		}
	}
	for _, id := range f.records {
		if !slices.ContainsFunc(f.places, func(p post.Capture) bool { return p.RecordID == id }) {
			return usage("delete: no segment holds the record %s", id)
		}
	}
	if len(f.places) == 0 {
		return usage("delete: nothing of what was named lies in the archive")
	}
	return nil
}

func (f *deletion) segment(ctx context.Context, s archive.Segment, pass int, media, wanted, ids map[string]bool) error {
	file := string(s.Name) + archive.WARCEnding
	if pass == 0 {
		for line, err := range f.arch.Posts(ctx, s.Name) {
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return err
			}
			if line.Page == nil && wanted[line.Post.Key()] {
				f.add(post.Capture{RecordID: line.RecordID, File: file, Offset: line.Offset})
			}
		}
		if len(ids) > 0 {
			for rec, err := range f.arch.Records(ctx, s.Name) {
				if err != nil {
					return err
				}
				if ids[rec.ID()] {
					f.add(rec.Capture)
				}
			}
		}
	}
	if len(media) == 0 {
		return nil
	}
	index, err := f.arch.OpenFile(ctx, s.Name, archive.IndexEnding)
	if err != nil {
		return fmt.Errorf("%w (an open segment is finished by the next `refrain collect` into this archive)", err)
	}
	defer index.Close() //nolint:errcheck // only read
	for l, err := range cdx.NewFile(index, index.Size).All() {
		if err != nil {
			return err
		}
		if pass == 0 && media[l.URL] && l.Digest != "" {
			f.digests[l.Digest] = true
		}
		if l.MIME == "warc/revisit" || l.Digest == emptyPayload || !(pass == 0 && media[l.URL] || pass == 1 && f.digests[l.Digest]) {
			continue
		}
		rec, err := f.arch.ReadRecord(ctx, post.Capture{File: file, Offset: l.Offset})
		if err != nil {
			return err
		}
		f.add(rec.Capture)
		if err := rec.Close(); err != nil {
			return err
		}
	}
	return nil
}

// emptyPayload is the digest of no bytes, which many answers share.
const emptyPayload = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// others counts the further posts that were read from what goes.
func (f *deletion) others(ctx context.Context) (int, error) {
	gone := map[string]bool{}
	for _, p := range f.places {
		gone[p.RecordID] = true
	}
	n := 0
	err := f.store.EachCaptured(ctx, corpus.Query{}, func(c *corpus.Captured) error {
		if !slices.Contains(f.posts, c.Post.Key()) && slices.ContainsFunc(c.Captures, func(at post.Capture) bool { return gone[at.RecordID] }) {
			n++
		}
		return nil
	})
	return n, err
}

// actsOf gives the acts of deletion that the corpus knows, begun and done.
func actsOf(ctx context.Context, store *corpus.Store) ([]archive.Act, error) {
	lines, err := store.Fetches(ctx, archive.DeleteURL)
	if err != nil {
		return nil, err
	}
	var list []archive.Act
	for _, raw := range lines {
		var act archive.Act
		if err := json.Unmarshal(raw, &act); err != nil {
			return nil, fmt.Errorf("what is noted of an act cannot be read (run `refrain rebuild`): %w", err)
		}
		list = append(list, act)
	}
	return list, nil
}

// heldRecords gives the records that acts have deleted but that lie where nothing
// can be removed, with the act.
func heldRecords(ctx context.Context, store *corpus.Store) (map[string]string, error) {
	acts, err := actsOf(ctx, store)
	if err != nil {
		return nil, err
	}
	held := map[string]string{}
	for _, act := range acts {
		if len(act.Holds) == 0 {
			continue
		}
		for _, r := range act.Records {
			held[r.RecordID] = "deletion " + act.ID
		}
	}
	return held, nil
}

// forgetDeleted takes out of the corpus what acts have deleted.
func forgetDeleted(ctx context.Context, store *corpus.Store) error {
	acts, err := actsOf(ctx, store)
	if err != nil {
		return err
	}
	for _, act := range acts {
		if _, err := store.Forget(ctx, act.Posts, act.At.Add(time.Second)); err != nil {
			return err
		}
	}
	return nil
}
