package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/refrain-archive/refrain/archive"
	"github.com/refrain-archive/refrain/archive/warc"
)

// imports checks that each imported file has the digest that its name says.
func (v *verification) imports(ctx context.Context, arch *archive.Archive) error {
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
		report := verifyReport{File: info.Key, Verdict: warc.Sound}
		want, _, _ := strings.Cut(path.Base(info.Key), ".")
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			report.Verdict = warc.Damaged
			report.Findings = []string{"its SHA-256 is " + got + ", not that of its name: the file was changed after its import"}
		}
		if err := v.report(report); err != nil {
			return err
		}
	}
	return nil
}
