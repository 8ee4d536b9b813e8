package warc

import (
	"fmt"
	"strings"
	"time"
)

// FormatDate writes t as a WARC-Date: UTC, with as many digits of the second as
// it has, six (microseconds) at most. WARC/1.1 allows nine, but indexes and
// readers of 1.0 lose what goes beyond.
func FormatDate(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format("2006-01-02T15:04:05.999999Z07:00")
}

// ParseDate reads a WARC-Date: W3C-DTF in UTC from the year alone to nine
// digits of the second (WARC/1.1, section 5.4). Offsets other than Z, and the
// 14 digits of ARC, are read too; ValidDate tells them apart.
func ParseDate(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006", "20060102150405", "200601021504"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("warc: date %q is not of the form YYYY-MM-DDThh:mm:ssZ", clip(s))
}

// ValidDate reports whether s is a WARC-Date as the standard writes it. A
// fraction of the second is part of WARC/1.1, and common in 1.0.
func ValidDate(s string) bool {
	if _, err := ParseDate(s); err != nil {
		return false
	}
	switch {
	case len(s) == 4 && !strings.Contains(s, "-"), len(s) == 7, len(s) == 10:
		return true
	}
	return strings.HasSuffix(s, "Z") && len(s) <= len("2006-01-02T15:04:05.123456789Z")
}

// clip shortens foreign text for a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
