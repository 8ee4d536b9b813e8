package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/index"
	"github.com/refrain-archive/refrain/archive/warc"
)

// importedPosts is what the posts of an archive say of one imported file.
type importedPosts struct {
	N     int64  `json:"posts"`
	First string `json:"first"` // key of the first such post
}

// imports checks that each imported file has the digest that its name says, and
// that each file from which a post was read is there.
func (v *verification) imports(ctx context.Context, arch *archive.Archive) error {
	there := map[string]bool{}
	for info, err := range arch.Store().List(ctx, "imports/", "") {
		if err != nil {
			return fmt.Errorf("verify: list the imported files: %w", err)
		}
		r, err := arch.Store().Get(ctx, info.Key, 0, -1)
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		h := sha256.New()
		_, err = io.Copy(h, r)
		if err = errors.Join(err, r.Close()); err != nil {
			return fmt.Errorf("verify: read %s: %w", info.Key, err)
		}
		want, _, _ := strings.Cut(path.Base(info.Key), ".")
		there[want] = true
		report := verifyReport{File: info.Key, Verdict: warc.Sound}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			report.Verdict = warc.Damaged
			report.Findings = []string{"its SHA-256 is " + got + ", not that of its name: the file was changed after its import"}
		}
		if err := v.report(report); err != nil {
			return err
		}
	}
	linked, err := v.links(ctx, arch)
	if err != nil {
		return err
	}
	for _, digest := range slices.Sorted(maps.Keys(v.imported)) {
		name, isSHA256 := strings.CutPrefix(digest, "sha256:")
		if isSHA256 && (there[name] || linked[name]) {
			continue
		}
		of := v.imported[digest]
		report := verifyReport{File: "imports/" + name, Verdict: warc.Damaged}
		report.Findings = []string{fmt.Sprintf("the file is missing; what was read from it: %s (the first is %s): put the file with this SHA-256 back, or import it again", plural(of.N, "post"), of.First)}
		if err := v.report(report); err != nil {
			return err
		}
	}
	return nil
}

// links checks that each linked file lies where it was linked, and has its digest.
// It gives the digests of all, sound or not.
func (v *verification) links(ctx context.Context, arch *archive.Archive) (digests map[string]bool, err error) {
	cfg, err := v.app.config()
	if err != nil {
		return nil, err
	}
	x, err := v.app.openIndex(ctx, cfg, arch, true)
	if err != nil {
		return nil, fmt.Errorf("verify: find the linked files: %w", err)
	}
	defer closing(&err, x)
	digests = map[string]bool{}
	for _, l := range x.Links() {
		digests[l.SHA256] = true
		report := verifyReport{File: l.Path, Verdict: warc.Sound}
		var wrong *index.LinkError
		if err := x.CheckLink(ctx, l.SHA256); errors.As(err, &wrong) {
			report.Verdict, report.Findings = warc.Damaged, []string{err.Error()}
		} else if err != nil {
			return nil, fmt.Errorf("verify: %s: %w", l.Path, err)
		}
		if err := v.report(report); err != nil {
			return nil, err
		}
	}
	return digests, nil
}
