package warc

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// VerifyOptions says how far Verify goes. The zero value is a full check.
type VerifyOptions struct {
	MaxFindings int  // that are listed; further ones are only counted. 0 is 1,000
	MaxIDs      int  // record ids that are compared with each other, 16 to 32 bytes of memory each; 0 is 4 million
	NoDigests   bool // structure only: no block is digested
	// Elsewhere reports whether a record that WARC-Concurrent-To names, and that
	// the file does not hold, is known to lie in another; nil is never.
	Elsewhere func(id string) bool
	// Seen is told of each record that was read whole, after it was checked; its
	// block is read. nil: nobody is.
	Seen func(*ReadRecord)
}

// A Report is what Verify says about one file.
type Report struct {
	File     string         `json:"file"`
	Format   Format         `json:"format"`
	Size     int64          `json:"size"`    // bytes
	Records  int64          `json:"records"` // that were read whole
	Types    map[string]int `json:"types"`   // of those, by record type
	Digests  int64          `json:"digests"` // that were computed and fit
	Verdict  Verdict        `json:"verdict"`
	Findings []Finding      `json:"findings,omitempty"`
	Counts   map[Code]int   `json:"counts,omitempty"` // of all findings, listed or not
}

// Verify reads a file of size bytes and checks all of it: gzip members and
// their checksums, one record to a member, the grammar of each record, the
// fields that its type must and must not have, every digest, HTTP framing,
// unique record ids, and that WARC-Concurrent-To names a record. name is put
// into the findings. The error is for a file that cannot be read at all and
// for ctx; what is wrong with the content is in the Report.
func Verify(ctx context.Context, r io.ReaderAt, size int64, name string, o VerifyOptions) (*Report, error) {
	report, err := verify(ctx, r, size, name, o, nil)
	if err != nil {
		return nil, fmt.Errorf("warc: verify %s: %w", name, err)
	}
	return report, nil
}

// verify also puts the records that are damaged into bad, by their number in
// the file from 1 on, if bad is not nil.
func verify(ctx context.Context, r io.ReaderAt, size int64, name string, o VerifyOptions, bad map[int64]Finding) (*Report, error) {
	if o.MaxFindings == 0 {
		o.MaxFindings = 1000
	}
	if o.MaxIDs == 0 {
		o.MaxIDs = 4 << 20
	}
	v := &verifier{o: o, file: r, bad: bad, report: &Report{File: name, Size: size, Types: map[string]int{}, Counts: map[Code]int{}}}
	v.ids = newIDSet(o.MaxIDs)
	v.pending = map[[16]byte]reference{}
	v.buf = make([]byte, 64<<10)
	if err := v.run(ctx, r, size); err != nil {
		return nil, err
	}
	if err := v.settle(ctx); err != nil {
		return nil, err
	}
	v.conclude()
	if len(bad) >= maxBad {
		return nil, fmt.Errorf("%d records are damaged: this is no file to be repaired", len(bad))
	}
	return v.report, nil
}

type reference struct {
	offset int64
	from   string
	to     string
}

type verifier struct {
	o        VerifyOptions
	file     io.ReaderAt
	report   *Report
	ids      *idSet
	pending  map[[16]byte]reference // WARC-Concurrent-To not met yet
	buf      []byte
	begun    int64 // records
	shared   int
	firstOff int64 // of the first shared record
	arc      bool
	gzNamed  bool // a WARC/1.1 warcinfo names the file …gz
	idsFull  bool
	doubts   []doubt
	bad      map[int64]Finding // the first damage of each record, by its number
}

func (v *verifier) find(offset int64, id string, code Code, format string, args ...any) {
	v.add(Finding{Offset: offset, RecordID: id, Code: code, Severity: code.Severity(), Detail: fmt.Sprintf(format, args...)})
}

func (v *verifier) add(f Finding) {
	f.File, f.Meaning = v.report.File, f.Code.Meaning()
	v.report.Counts[f.Code]++
	if f.Severity == SeverityDamage && v.bad != nil && f.Code != CodeShared && len(v.bad) < maxBad {
		number := f.number
		if number == 0 {
			number = v.begun
		}
		if _, ok := v.bad[number]; !ok {
			v.bad[number] = f
		}
	}
	switch {
	case f.Severity == SeverityDamage:
		v.report.Verdict = Damaged
	case v.report.Verdict != Damaged:
		v.report.Verdict = SoundWithRemarks
	}
	if len(v.report.Findings) < v.o.MaxFindings {
		v.report.Findings = append(v.report.Findings, f)
	}
}

func (v *verifier) run(ctx context.Context, r io.ReaderAt, size int64) error {
	v.report.Verdict = Sound
	rd, err := NewReaderAt(r, size, 0)
	if err != nil {
		return err
	}
	v.report.Format = rd.Format()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		rec, err := rd.Next()
		between := err != nil // what is found lies between records
		if err == io.EOF {
			for _, o := range rd.odd {
				v.find(o.Offset, "", o.Code, "%s", o.Detail)
			}
			return nil
		}
		if err == nil {
			err = v.record(ctx, rec)
		}
		var d *Damage
		if errors.As(err, &d) {
			f := Finding{Offset: d.Offset, RecordID: d.RecordID, Code: d.Code, Severity: d.Code.Severity(), Detail: d.Detail}
			if between {
				f.number = -1
			}
			v.add(f)
		} else if err != nil {
			return err
		}
	}
}

// record checks one record.
func (v *verifier) record(ctx context.Context, rec *ReadRecord) error {
	v.begun++
	if rec.Version == "ARC/1" {
		if !v.arc {
			v.arc = true
			v.find(rec.Offset, "", CodeARC, "the records are of ARC")
		}
	} else {
		v.header(rec)
	}
	body, err := v.block(ctx, rec)
	if err != nil {
		return err
	}
	_, err = rec.Finish()
	for _, o := range rec.Oddities() {
		if o.Code == CodeShared {
			if v.shared++; v.shared == 1 {
				v.firstOff = o.Offset
			}
			continue
		}
		v.find(o.Offset, rec.ID(), o.Code, "%s", o.Detail)
	}
	if err != nil {
		return err
	}
	v.report.Records++
	if len(v.report.Types) < 100 {
		v.report.Types[rec.Header.Type()]++
	}
	v.body(rec, body)
	if v.o.Seen != nil {
		v.o.Seen(rec)
	}
	return nil
}

// header checks the fields of a record.
func (v *verifier) header(rec *ReadRecord) {
	h, kind, id := rec.Header, rec.Header.Type(), rec.ID()
	remark := func(code Code, format string, args ...any) { v.find(rec.Offset, id, code, format, args...) }
	if v.begun == 1 && kind != TypeWarcinfo {
		remark(CodeNoWarcinfo, "the first record is a %s", orNone(kind))
	}
	if kind == TypeWarcinfo && rec.Version == "WARC/1.1" && strings.HasSuffix(strings.ToLower(h.Get("WARC-Filename")), ".gz") {
		v.gzNamed = true
	}
	for _, name := range []string{"WARC-Type", "WARC-Record-ID", "WARC-Date"} {
		if h.Get(name) == "" {
			remark(CodeFieldMissing, "%s is missing", name)
		}
	}
	if date := h.Get("WARC-Date"); date != "" {
		if _, err := ParseDate(date); err != nil {
			remark(CodeDate, "WARC-Date is %q", clip(date))
		} else if !ValidDate(date) {
			remark(CodeDateForm, "WARC-Date is %q", clip(date))
		}
	}
	uri := h.Get("WARC-Target-URI")
	if needsTarget(kind) && h.TargetURI() == "" {
		remark(CodeFieldMissing, "a %s record has no WARC-Target-URI", kind)
	}
	if strings.HasPrefix(uri, "<") && rec.Version == "WARC/1.1" {
		remark(CodeURIBrackets, "WARC-Target-URI is %s", clip(uri))
	}
	if t := h.TargetURI(); t != "" {
		if i := strings.IndexByte(t, ':'); i <= 0 || strings.ContainsAny(t, " \t<>\"") {
			remark(CodeURI, "WARC-Target-URI is %q", clip(t))
		}
	}
	if rec.Size() > 0 && kind != TypeContinuation && h.Get("Content-Type") == "" {
		remark(CodeContentTypeNone, "a block of %d bytes has no Content-Type", rec.Size())
	}
	v.typeFields(rec, kind, remark)
	v.repeats(h, remark)
	v.identity(rec, id)
}

// typeFields checks what a type must and must not have: WARC/1.1, section 5
// and 6.
func (v *verifier) typeFields(rec *ReadRecord, kind string, remark func(Code, string, ...any)) {
	h := rec.Header
	forbidden := func(name string, where ...string) {
		if h.Has(name) {
			for _, w := range where {
				if w == kind {
					remark(CodeFieldForbidden, "a %s record has %s", kind, name)
				}
			}
		}
	}
	onlyOn := func(name string, where ...string) {
		if h.Has(name) {
			for _, w := range where {
				if w == kind {
					return
				}
			}
			remark(CodeFieldForbidden, "a %s record has %s", orNone(kind), name)
		}
	}
	switch kind {
	case TypeWarcinfo, TypeResponse, TypeResource, TypeRequest, TypeMetadata, TypeRevisit, TypeConversion, TypeContinuation:
		forbidden("WARC-Target-URI", TypeWarcinfo)
		forbidden("WARC-Warcinfo-ID", TypeWarcinfo)
		forbidden("WARC-IP-Address", TypeWarcinfo, TypeConversion, TypeContinuation)
		forbidden("WARC-Concurrent-To", TypeWarcinfo, TypeConversion, TypeContinuation)
		onlyOn("WARC-Refers-To", TypeMetadata, TypeRevisit, TypeConversion)
		onlyOn("WARC-Filename", TypeWarcinfo)
		onlyOn("WARC-Profile", TypeRevisit)
		onlyOn("WARC-Segment-Origin-ID", TypeContinuation)
		onlyOn("WARC-Segment-Total-Length", TypeContinuation)
	case "":
	default:
		remark(CodeUnknownType, "the record is a %q", clip(kind))
	}
	switch {
	case kind == TypeRevisit && h.Get("WARC-Profile") == "":
		remark(CodeFieldMissing, "a revisit record has no WARC-Profile")
	case kind == TypeRevisit && strings.Contains(h.Get("WARC-Profile"), "identical-payload-digest") && h.Get("WARC-Payload-Digest") == "":
		remark(CodeFieldMissing, "a revisit of an identical payload has no WARC-Payload-Digest")
	case kind == TypeContinuation && (h.Get("WARC-Segment-Number") == "" || h.Get("WARC-Segment-Origin-ID") == ""):
		remark(CodeFieldMissing, "a continuation record has no WARC-Segment-Number or WARC-Segment-Origin-ID")
	}
	switch t := strings.ToLower(h.Get("WARC-Truncated")); t {
	case "", "length", "time", "disconnect", "unspecified":
	default:
		remark(CodeFieldValue, "WARC-Truncated is %q", clip(t))
	}
	if id := h.Get("WARC-Record-ID"); id != "" && (!strings.HasPrefix(id, "<") || !strings.Contains(id, ":")) {
		remark(CodeFieldValue, "WARC-Record-ID is %q, not a URI in angle brackets", clip(id))
	}
}

// repeats looks for fields that stand more than once.
func (v *verifier) repeats(h Header, remark func(Code, string, ...any)) {
	var seen map[string]bool
	for i := range h {
		name := strings.ToLower(h[i].Name)
		if name == "warc-concurrent-to" || name == "warc-protocol" || name == "content-length" || !known(name) {
			continue
		}
		if seen[name] {
			remark(CodeFieldRepeated, "%s stands more than once", h[i].Name)
		}
		if seen == nil {
			seen = make(map[string]bool, 16)
		}
		seen[name] = true
	}
}

// known reports whether a field, in lower case, is one of the standard's.
func known(name string) bool {
	switch name {
	case "warc-type", "warc-record-id", "warc-date", "content-type", "content-length", "warc-target-uri",
		"warc-block-digest", "warc-payload-digest", "warc-ip-address", "warc-refers-to", "warc-refers-to-target-uri",
		"warc-refers-to-date", "warc-truncated", "warc-warcinfo-id", "warc-filename", "warc-profile",
		"warc-identified-payload-type", "warc-segment-number", "warc-segment-origin-id", "warc-segment-total-length":
		return true
	}
	return false
}

// identity compares the record's id with all before it, and notes whom it
// belongs to.
func (v *verifier) identity(rec *ReadRecord, id string) {
	if id != "" {
		key := idKey(id)
		seen, ok := v.ids.add(key)
		if seen {
			v.find(rec.Offset, id, CodeDuplicateID, "another record before it has the id %s", clip(id))
		}
		if !ok && !v.idsFull {
			v.idsFull = true
			v.find(rec.Offset, id, CodeIDsNotChecked, "from here on ids are not compared: %d is the limit", v.o.MaxIDs)
		}
		delete(v.pending, key)
	}
	for _, to := range rec.Header.Values("WARC-Concurrent-To") {
		to = TrimID(to)
		if key := idKey(to); !v.ids.has(key) && len(v.pending) < 1<<16 && !v.idsFull {
			v.pending[key] = reference{rec.Offset, id, clip(to)}
		}
	}
}

// conclude says what can be said only at the end.
func (v *verifier) conclude() {
	for _, ref := range v.pending {
		if v.o.Elsewhere != nil && v.o.Elsewhere(ref.to) {
			continue
		}
		v.find(ref.offset, ref.from, CodeDangling, "WARC-Concurrent-To names %s, which is not in this file", ref.to)
	}
	if v.begun == 0 && v.report.Verdict != Damaged {
		v.find(0, "", CodeEmpty, "there is no record")
	}
	if v.shared > 0 {
		// The standard asks for one member for each record only "where
		// possible", and old files of one member are read by most tools. A
		// WARC/1.1 file that calls itself .warc.gz in its warcinfo was written
		// member by member: it has been unpacked and packed again as a whole,
		// and every offset that an index gives for it is void.
		f := Finding{Offset: v.firstOff, Code: CodeShared, Severity: SeverityRemark,
			Detail: fmt.Sprintf("%d records share a gzip member", v.shared)}
		if v.gzNamed {
			f.Severity = SeverityDamage
			f.Detail += ", though the warcinfo record names a file of one member for each"
		}
		v.add(f)
	}
}

// idKey is what is kept of an id.
func idKey(id string) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

// An idSet is a set of keys in a flat table: 16 bytes a slot, at least a quarter
// of the slots free.
type idSet struct {
	slots [][16]byte
	n     int
	most  int
}

func newIDSet(most int) *idSet { return &idSet{slots: make([][16]byte, 1<<10), most: most} }

func (s *idSet) slot(key [16]byte) (int, bool) {
	mask := len(s.slots) - 1
	for i := int(binary.LittleEndian.Uint64(key[:])) & mask; ; i = (i + 1) & mask {
		if s.slots[i] == key {
			return i, true
		}
		if s.slots[i] == ([16]byte{}) {
			return i, false
		}
	}
}

func (s *idSet) has(key [16]byte) bool { _, ok := s.slot(key); return ok }

// add reports whether key was there before, and false for ok if the set is full.
func (s *idSet) add(key [16]byte) (seen, ok bool) {
	i, seen := s.slot(key)
	if seen {
		return true, true
	}
	if s.n >= s.most {
		return false, false
	}
	s.slots[i] = key
	if s.n++; s.n*4 > len(s.slots)*3 {
		old := s.slots
		s.slots = make([][16]byte, 2*len(old))
		for _, k := range old {
			if k != ([16]byte{}) {
				i, _ := s.slot(k)
				s.slots[i] = k
			}
		}
	}
	return false, true
}

// httpLength gives the Content-Length of an HTTP head, or -1.
func httpLength(h *HTTPHead) int64 {
	n, err := strconv.ParseUint(strings.TrimSpace(h.Header.Get("Content-Length")), 10, 62)
	if err != nil {
		return -1
	}
	return int64(n)
}
