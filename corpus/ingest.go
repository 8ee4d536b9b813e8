package corpus

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/post"
)

// A Fetch is what one exchange said: how it ended, and the posts on it.
type Fetch struct {
	Record    string // WARC-Record-ID of the response; required
	URL       string
	Method    string
	Platform  string
	Ref       string // key of what was asked for
	RefPost   string // post id that Ref names, where it names one; for disappearances
	RefURL    string
	Route     string
	Role      string
	Outcome   post.Outcome
	Reason    string
	Status    int
	FetchedAt time.Time
	Run       string
	Line      json.RawMessage // the whole line, for show

	Identities []Identity
	Posts      []post.Post
}

// An Identity says that two names of a platform are one target.
type Identity struct {
	Kind, Alias, ID, URL string
	Named                bool // ID is a handle too, not the native id: an old name and a new one, a custom domain and a name
}

// A Batch is what is taken in together.
type Batch struct {
	Fetches []Fetch
	Segment string // its posts file; empty if the batch is not from a segment
	Lines   int64  // lines of it that are taken in with this batch, from its start
	Done    bool   // the segment is finished and this was its last batch
}

// Ingest takes a batch in, in one transaction. What was taken in before is
// recognised by its record and changes nothing.
func (s *Store) Ingest(ctx context.Context, b Batch) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("take %d fetches into the corpus: %w", len(b.Fetches), err)
	}
	defer func() { _ = tx.Rollback() }() // a no-op after Commit
	in := &ingest{ctx: ctx, tx: tx, statements: map[string]*sql.Stmt{}}
	for i := range b.Fetches {
		if err := in.fetch(&b.Fetches[i]); err != nil {
			return fmt.Errorf("take the fetch of %s (record %s) into the corpus: %w", b.Fetches[i].URL, b.Fetches[i].Record, err)
		}
	}
	if b.Segment != "" {
		if err := in.exec("INSERT INTO segment (name, lines, done) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET lines = excluded.lines, done = excluded.done", b.Segment, b.Lines, b.Done); err != nil {
			return fmt.Errorf("note that segment %s is in the corpus: %w", b.Segment, err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("take %d fetches into the corpus: %w", len(b.Fetches), err)
	}
	return nil
}

// ingest is one transaction and the statements prepared in it.
type ingest struct {
	ctx        context.Context
	tx         *sql.Tx
	statements map[string]*sql.Stmt
}

func (in *ingest) prepare(query string) (*sql.Stmt, error) {
	if st := in.statements[query]; st != nil {
		return st, nil
	}
	st, err := in.tx.PrepareContext(in.ctx, query)
	if err == nil {
		in.statements[query] = st
	}
	return st, err
}

func (in *ingest) exec(query string, args ...any) error {
	st, err := in.prepare(query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(in.ctx, args...)
	return err
}

// id runs a query that gives one id, and 0 if it gives no row.
func (in *ingest) id(query string, args ...any) (int64, error) {
	st, err := in.prepare(query)
	if err != nil {
		return 0, err
	}
	var id int64
	err = st.QueryRowContext(in.ctx, args...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// word runs a query that gives one text, and "" if it gives no row.
func (in *ingest) word(query string, args ...any) (string, error) {
	st, err := in.prepare(query)
	if err != nil {
		return "", err
	}
	var word string
	err = st.QueryRowContext(in.ctx, args...).Scan(&word)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return word, err
}

func (in *ingest) fetch(f *Fetch) error {
	if f.Record == "" {
		return errors.New("the fetch has no record: nothing is believed that is not in the archive")
	}
	err := in.exec(`INSERT INTO fetch (record, url, method, platform, ref, ref_url, route, role, outcome, reason, status, fetched, run, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (record) DO NOTHING`,
		f.Record, f.URL, f.Method, f.Platform, f.Ref, f.RefURL, f.Route, f.Role, string(f.Outcome), f.Reason, f.Status, f.FetchedAt.UnixMicro(), f.Run, string(f.Line))
	if err == nil && f.Route == "" { // posts whose fetch was taken in before
		f.Route, err = in.word("SELECT route FROM fetch WHERE record = ?", f.Record)
	}
	if err != nil {
		return err
	}
	for _, i := range f.Identities {
		if err := in.identity(f, i); err != nil {
			return err
		}
	}
	for i := range f.Posts {
		if err := in.post(f, &f.Posts[i]); err != nil {
			return fmt.Errorf("post %s: %w", f.Posts[i].Key(), err)
		}
	}
	if f.RefPost != "" && f.Outcome.Scope() == post.ScopeTarget && len(f.Posts) == 0 {
		return in.gone(f)
	}
	return nil
}

func (in *ingest) identity(f *Fetch, i Identity) error {
	if i.Alias == "" || i.ID == "" || i.Alias == i.ID {
		return nil
	}
	at := f.FetchedAt.UnixMicro()
	err := in.exec(`INSERT INTO identity (platform, kind, alias, native, url, first_seen, last_seen, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET url = CASE WHEN excluded.last_seen >= last_seen AND excluded.url <> '' THEN excluded.url ELSE url END, `+seenAgain,
		f.Platform, i.Kind, i.Alias, i.ID, i.URL, at, at, f.Record)
	if err != nil || i.Kind != "account" {
		return err
	}
	who := sighting{Account: post.Account{Platform: f.Platform, ID: i.ID, Handle: i.Alias, URL: i.URL}, handleKind: aliasKind(i), at: at, record: f.Record}
	if i.Named {
		who.ID, who.Handle, who.handleKind, who.alias, who.aliasKind = "", i.ID, "handle", i.Alias, aliasKind(i)
		if host(i.URL) == strings.ToLower(i.ID) {
			who.handleKind = "host"
		}
	}
	_, err = in.account(who)
	return err
}

// aliasKind tells what an account's alias is: a "host", a "handle" (it stands in
// the account's address), or an "alias", a name in another id space.
func aliasKind(i Identity) string {
	alias := strings.ToLower(i.Alias)
	u, err := url.Parse(i.URL)
	if err != nil {
		u = &url.URL{}
	}
	domain := strings.ToLower(u.Hostname())
	if alias == domain {
		return "host"
	}
	first, _, _ := strings.Cut(domain, ".")
	if domain != "" && strings.ReplaceAll(alias, "_", "-") == first {
		return "handle"
	}
	for part := range strings.SplitSeq(u.Path, "/") {
		part = strings.ToLower(strings.TrimLeft(part, "@~"))
		if bare := strings.TrimLeft(alias, "@~"); part != "" && (part == bare || part+"@"+domain == bare) {
			return "handle"
		}
	}
	if strings.Contains(alias, ".") && !strings.ContainsAny(alias, "/:@ ") {
		return "host"
	}
	return "alias"
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// A sighting is an account as one record shows it.
type sighting struct {
	post.Account
	handleKind string // what Handle is: handle, host or alias
	alias      string // a further name
	aliasKind  string
	site       string // host of the post; a name without anything else is one account only there
	at         int64
	record     string
}

// account finds or makes the row of an account and notes what was shown of it.
// An account that was known by its handle only gets its id when one appears.
// Rows that have ids are never joined.
func (in *ingest) account(a sighting) (int64, error) {
	if a.ID == "" && a.Handle == "" && a.Name == "" && a.URL == "" {
		return 0, nil
	}
	loose := "@" + strings.ToLower(a.Handle) // key of the row without an id
	switch {
	case a.Handle != "":
	case a.URL != "":
		loose = a.URL
	case a.ID == "":
		loose = "name " + a.Name + " at " + a.site
	default:
		loose = ""
	}
	find := "SELECT id FROM account WHERE platform = ? AND key = ?"
	var id, looseRow int64
	var err error
	if a.ID != "" {
		if id, err = in.id(find, a.Platform, a.ID); err != nil {
			return 0, err
		}
	}
	if loose != "" && loose != a.ID {
		if looseRow, err = in.id(find, a.Platform, loose); err != nil {
			return 0, err
		}
	}
	switch {
	case a.ID == "" && looseRow == 0:
		if a.Handle != "" {
			id, err = in.bearer(a)
		}
		if err == nil && id == 0 {
			id, err = in.id("INSERT INTO account (platform, key) VALUES (?, ?) RETURNING id", a.Platform, loose)
		}
	case a.ID == "":
		id = looseRow
	case id == 0 && looseRow != 0:
		id, err = looseRow, in.exec("UPDATE account SET key = ? WHERE id = ?", a.ID, looseRow)
	case id == 0:
		id, err = in.id("INSERT INTO account (platform, key) VALUES (?, ?) RETURNING id", a.Platform, a.ID)
	case looseRow != 0 && looseRow != id:
		err = in.mergeAccount(looseRow, id)
	}
	if err != nil {
		return 0, err
	}
	for _, fact := range []struct{ kind, value string }{
		{"id", a.ID}, {a.handleKind, a.Handle}, {a.aliasKind, a.alias}, {"name", a.Name}, {"url", a.URL}, {"avatar", a.Avatar}, {"created", timeFact(a.Created)},
	} {
		if fact.value == "" {
			continue
		}
		if err := in.exec(`INSERT INTO account_fact (account, kind, value, first_seen, last_seen, record) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET `+seenAgain, id, fact.kind, fact.value, a.at, a.at, a.record); err != nil {
			return 0, err
		}
	}
	return id, nil
}

// seenAgain is how a dated row is widened by another sighting: the record is
// that of the first one.
const seenAgain = `record = CASE WHEN excluded.first_seen < first_seen OR excluded.first_seen = first_seen AND excluded.record < record THEN excluded.record ELSE record END,
	first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)`

// bearer finds the account with an id that bore a handle when it was sighted: of
// several, the one that was the last to appear under it by then, else the first
// one after. It gives 0 if there is none.
func (in *ingest) bearer(a sighting) (int64, error) {
	return in.id(`SELECT f.account FROM account_fact f JOIN account a ON a.id = f.account
		WHERE f.value = ?1 COLLATE NOCASE AND f.kind IN ('handle', 'host', 'alias') AND a.platform = ?2
		ORDER BY f.first_seen <= ?3 DESC, abs(f.first_seen - ?3), f.account LIMIT 1`, a.Handle, a.Platform, a.at)
}

// mergeAccount joins a row without an id to an account.
func (in *ingest) mergeAccount(from, to int64) error {
	for _, query := range []string{
		"UPDATE post SET account = ?2 WHERE account = ?1",
		`INSERT INTO account_fact (account, kind, value, first_seen, last_seen, record) SELECT ?2, kind, value, first_seen, last_seen, record FROM account_fact WHERE account = ?1
			ON CONFLICT DO UPDATE SET ` + seenAgain,
		"DELETE FROM account_fact WHERE account = ?1 AND ?2 > 0",
		"DELETE FROM account WHERE id = ?1 AND ?2 > 0",
	} {
		if err := in.exec(query, from, to); err != nil {
			return err
		}
	}
	return nil
}

func timeFact(t post.Time) string {
	switch {
	case !t.Time.IsZero():
		return t.Time.Format(time.RFC3339)
	case !t.From.IsZero() || !t.To.IsZero():
		return t.From.Format(time.RFC3339) + "/" + t.To.Format(time.RFC3339)
	}
	return ""
}

// contentDigest is the digest of what an edit of a post would change. It tells
// a changed post from one that was only seen again.
func contentDigest(p *post.Post) string {
	media := make([]string, len(p.Media))
	for i, m := range p.Media {
		media[i], _, _ = strings.Cut(m.URL, "?") // signatures in the query differ at each fetch
	}
	tags := p.Tags
	if slices.ContainsFunc(tags, pageID(p)) { // of the site, not of the text
		tags = slices.DeleteFunc(slices.Clone(tags), pageID(p))
	}
	data, err := json.Marshal([]any{p.Title, p.Text, media, p.Links, tags, p.Edited, p.Outcome})
	if err != nil {
		panic(err) // strings and times always marshal
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

func recordOf(c post.Capture) string {
	if c.RecordID != "" {
		return c.RecordID
	}
	return c.Import + ":" + strconv.FormatInt(c.Line, 10)
}

func readerOf(reader string) (name string, version int) {
	name, v, _ := strings.Cut(reader, "/")
	version, _ = strconv.Atoi(v) // a reader without version is version 0
	return name, version
}

func (in *ingest) post(f *Fetch, p *post.Post) error {
	at := p.FetchedAt.UnixMicro()
	record := recordOf(p.Capture)
	author, err := in.account(sighting{Account: p.Account, handleKind: "handle", site: host(p.URL), at: at, record: record})
	if err != nil {
		return err
	}
	row, err := in.id("SELECT id FROM post WHERE platform = ? AND native = ?", p.Platform, p.ID)
	if err != nil {
		return err
	}
	if row == 0 {
		row, err = in.id(`INSERT INTO post (platform, native, kind, url, title, text, lang, first_seen, last_seen, latest, standing) VALUES (?, ?, ?, ?, '', '', '', ?, ?, 0, '') RETURNING id`,
			p.Platform, p.ID, string(p.Kind), p.URL, at, at)
		if err != nil {
			return err
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	counts, err := json.Marshal(p.Counts)
	if err != nil {
		return err
	}
	reader, version := readerOf(p.Reader)
	observation, err := in.id(`INSERT INTO observation (post, fetched, record, reader, version, outcome, route, digest, counts, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
		row, at, record, reader, version, string(p.Outcome), f.Route, contentDigest(p), string(counts), string(body))
	if err != nil || observation == 0 { // seen in this record by this reader before
		return err
	}
	if err := in.traces(row, at, record, p); err != nil {
		return err
	}
	return in.view(row, observation, at, author, version, p)
}

// view brings the post's row up to date with a new observation of it.
func (in *ingest) view(row, observation, at, author int64, version int, p *post.Post) error {
	st, err := in.prepare(`SELECT p.last_seen, p.latest, coalesce(o.version, -1), coalesce(o.outcome, ''), length(p.text), p.title, p.text FROM post p LEFT JOIN observation o ON o.id = p.latest WHERE p.id = ?`)
	if err != nil {
		return err
	}
	var lastSeen, latest, textLen int64
	var latestVersion int
	var latestOutcome, title, text string
	if err := st.QueryRowContext(in.ctx, row).Scan(&lastSeen, &latest, &latestVersion, &latestOutcome, &textLen, &title, &text); err != nil {
		return err
	}
	// The newest observation is shown; of one fetch, that by the newest reader.
	// A partial view (a listing's preview) does not take the place of a whole one.
	newer := latest == 0 || at > lastSeen || at == lastSeen && version >= latestVersion
	poorer := latest != 0 && p.Outcome != post.OK && latestOutcome == string(post.OK) && p.Outcome.Scope() == post.ScopeServed
	if newer && !poorer {
		err = in.exec(`UPDATE post SET kind = ?, url = ?, account = coalesce(?, account), title = ?, text = ?, lang = ?, created_from = ?, created_to = ?, latest = ?, standing = ?, indexed = CASE WHEN title = ? AND text = ? THEN indexed ELSE 0 END WHERE id = ?`,
			string(p.Kind), p.URL, nullID(author), p.Title, p.Text, p.Lang, micros(p.Created.Earliest()), micros(p.Created.Latest()), observation, string(p.Outcome), p.Title, p.Text, row)
		if err != nil {
			return err
		}
	}
	return in.exec("UPDATE post SET first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1) WHERE id = ?2", at, row)
}

func nullID(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

// gone notes that a post which the corpus holds is not served any more.
func (in *ingest) gone(f *Fetch) error {
	row, err := in.id("SELECT id FROM post WHERE platform = ? AND native = ?", f.Platform, f.RefPost)
	if err == nil && row == 0 && f.RefURL != "" {
		row, err = in.id("SELECT id FROM post WHERE platform = ? AND url = ?", f.Platform, f.RefURL)
	}
	if err != nil || row == 0 {
		return err
	}
	at := f.FetchedAt.UnixMicro()
	err = in.exec(`INSERT INTO observation (post, fetched, record, reader, version, outcome, route, digest, counts, body) VALUES (?, ?, ?, ?, 0, ?, ?, '', 'null', '') ON CONFLICT DO NOTHING`,
		row, at, f.Record, f.Platform, string(f.Outcome), f.Route)
	if err != nil {
		return err
	}
	return in.exec("UPDATE post SET standing = ? WHERE id = ? AND last_seen <= ?", string(f.Outcome), row, at)
}
