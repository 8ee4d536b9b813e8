package archive

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The endings of a segment's three files.
const (
	WARCEnding  = ".warc.gz"
	IndexEnding = ".cdxj"
	PostsEnding = ".posts.jsonl.gz"
)

// The endings of a segment's files before they are objects.
const (
	openEnding = ".open" // being written
	tmpEnding  = ".tmp"  // written whole, not yet under its own name
)

var endings = []string{WARCEnding, IndexEnding, PostsEnding}

// A Name is the base name of a segment's files:
// refrain-YYYYMMDDhhmmssmmm-SERIAL-WORKER, the time being that of its first
// record, UTC. Names sort in the order of time.
type Name string

var namePattern = regexp.MustCompile(`^refrain-([0-9]{17})-([0-9]{5,9})-([a-z0-9][a-z0-9_.-]{0,62}[a-z0-9]|[a-z0-9])$`)

const stampLayout = "20060102150405.000"

func newName(first time.Time, serial int, worker string) Name {
	stamp := strings.Replace(first.UTC().Format(stampLayout), ".", "", 1)
	return Name(fmt.Sprintf("refrain-%s-%05d-%s", stamp, serial, worker))
}

// ParseName gives the segment that a file belongs to and the file's ending,
// from its base name or its key. It reports false for other files.
func ParseName(file string) (name Name, ending string, ok bool) {
	base := path.Base(file)
	for _, ending := range endings {
		if stem, ok := strings.CutSuffix(base, ending); ok {
			name := Name(stem)
			return name, ending, name.valid()
		}
	}
	return "", "", false
}

func (n Name) valid() bool {
	match := namePattern.FindStringSubmatch(string(n))
	return match != nil && !n.Time().IsZero()
}

// Time is when the segment was begun: when its first record was written.
func (n Name) Time() time.Time {
	match := namePattern.FindStringSubmatch(string(n))
	if match == nil {
		return time.Time{}
	}
	t, err := time.Parse(stampLayout, match[1][:14]+"."+match[1][14:])
	if err != nil {
		return time.Time{}
	}
	return t
}

// Serial counts the segments of one run of one worker, from 1.
func (n Name) Serial() int {
	match := namePattern.FindStringSubmatch(string(n))
	if match == nil {
		return 0
	}
	serial, _ := strconv.Atoi(match[2]) // the pattern allows nothing else
	return serial
}

// Folder is the part of the key before the base name: segments/YYYY/MM/DD.
func (n Name) Folder() string { return "segments/" + n.Time().Format("2006/01/02") }

// Key is the key of one of the segment's files.
func (n Name) Key(ending string) string { return n.Folder() + "/" + string(n) + ending }

// workerName makes s fit for a segment's name.
func workerName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, s)
	s = strings.Trim(s[:min(len(s), 64)], "-")
	if s == "" {
		return "worker"
	}
	return s
}
