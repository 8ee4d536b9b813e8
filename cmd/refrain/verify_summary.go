package main

import (
	"fmt"
	"strings"
	"time"
)

// A verifySummary says in plain sentences what was checked, by which method, with
// which result, and what was not: for a reader who has the files but not us.
type verifySummary struct {
	What     string   `json:"what"` // "refrain/1.0"
	Began    string   `json:"began"`
	Ended    string   `json:"ended"`
	Checked  []string `json:"checked"`
	Result   []string `json:"result"`
	Excluded []string `json:"not_checked"`
}

// kinds counts what a summary speaks of.
type kinds struct {
	warcs, cdxj, waczs, posts, imports    int
	records, digests, lines, postsChecked int64
	signed, unsigned                      int
	across                                bool
}

func (k *kinds) add(r verifyReport) {
	switch {
	case r.WACZ != nil:
		k.waczs++
		k.lines += r.WACZ.Lines
		for _, w := range r.WACZ.WARCs {
			k.records += w.Records
			k.digests += w.Digests
		}
		if r.WACZ.Signature != nil {
			k.signed++
		} else {
			k.unsigned++
		}
	case r.WARC != nil:
		k.warcs++
		k.records += r.WARC.Records
		k.digests += r.WARC.Digests
	case r.CDXJ != nil:
		k.cdxj++
		k.lines += r.CDXJ.Lines
	case r.Across > 0:
		k.across = true
	case strings.HasPrefix(r.File, "imports/"):
		k.imports++
	case r.Posts > 0 || strings.Contains(r.File, ".posts.jsonl"):
		k.posts++
		k.postsChecked += r.Posts
	}
}

func (v *verification) summary(now time.Time) verifySummary {
	k := v.kinds
	s := verifySummary{What: "refrain/" + version, Began: v.began.UTC().Format(time.RFC3339), Ended: now.UTC().Format(time.RFC3339)}
	said := func(list *[]string, format string, args ...any) { *list = append(*list, fmt.Sprintf(format, args...)) }
	if k.warcs+k.waczs > 0 {
		said(&s.Checked, "%s in %s and %s were read from the first byte to the last. Of each record: whether it can be unpacked and its gzip checksum (CRC-32) fits; whether its fields follow WARC 1.1 (ISO 28500:2017); whether its digests, where it has any, are those of the bytes that follow (SHA-256 or what it names; %d digests fit).",
			plural(k.records, "record"), plural(int64(k.warcs), "WARC file"), plural(int64(k.waczs), "WACZ file"), k.digests)
	}
	if k.lines > 0 || k.cdxj > 0 {
		said(&s.Checked, "%s of indexes: for each, the record that it points at was opened and its address, time, status and digest compared.", plural(k.lines, "line"))
	}
	if k.posts > 0 {
		said(&s.Checked, "%s in %s: whether each line is byte for byte the record in the WARC that it names, whether each such record has its line, and whether the capture that the post was read from lies where the post says, with the digest that the post says.", plural(k.postsChecked, "post"), plural(int64(k.posts), "posts file"))
	}
	if k.across {
		said(&s.Checked, "Over all segments: whether two records have one id, and whether what a record names as belonging to it is there.")
	}
	if k.imports > 0 {
		said(&s.Checked, "%s of other tools: whether the SHA-256 of each is that of its name, which was given when it was imported.", plural(int64(k.imports), "file"))
	}
	if k.waczs > 0 {
		said(&s.Checked, "Of each WACZ: whether the SHA-256 and size of every file in it are those that datapackage.json lists, whether anything is there that it does not list, whether datapackage-digest.json and a signature fit it; %d signed, %d not signed.", k.signed, k.unsigned)
	}
	switch {
	case v.damaged > 0:
		said(&s.Result, "%s of %s are damaged: a part cannot be read, or is not what its digest says. Each such place is listed above with its file, offset and record, and with what it means. Everything that is not listed fits.", plural(int64(v.damaged), "file"), plural(int64(v.damaged+v.remarks+v.sound), "file"))
	case v.remarks > 0:
		said(&s.Result, "All of it can be read, and every digest fits. In %s something departs from the standard or from our own habit; it is listed above and takes nothing from the content.", plural(int64(v.remarks), "file"))
	default:
		said(&s.Result, "All of it can be read, every digest fits, and nothing departs from the standard.")
	}
	if v.kept > 0 {
		said(&s.Result, "%s of them were checked by an earlier run that was stopped; their sizes are still the same.", plural(int64(v.kept), "segment"))
	}
	said(&s.Excluded, "A digest that fits shows that the bytes are those that were written with it. It does not show when that was, or by whom: whoever can write all files can write fitting digests. That is what a signature, a time stamp by others, or a storage that locks its objects is for.")
	said(&s.Excluded, "Whether the site sent the truth, and whether it would have sent the same to others, cannot be seen from the files.")
	if k.waczs > 0 && k.signed > 0 {
		said(&s.Excluded, "Of signatures: that a time stamp was signed by its authority is not checked; an anonymous key does not say whose it is.")
	}
	return s
}

func (s verifySummary) print(a *app) error {
	for _, part := range []struct {
		title string
		list  []string
	}{{"What was checked", s.Checked}, {"Result", s.Result}, {"What this does not show", s.Excluded}} {
		if len(part.list) == 0 {
			continue
		}
		if err := a.printf("\n%s", part.title); err != nil {
			return err
		}
		for _, line := range part.list {
			if err := a.printf("  - %s", line); err != nil {
				return err
			}
		}
	}
	return a.printf("\n%s, %s to %s", s.What, s.Began, s.Ended)
}
