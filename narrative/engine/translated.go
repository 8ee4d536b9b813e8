package engine

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/cluster"
	"github.com/refrain-archive/refrain/narrative/translate"
	"github.com/refrain-archive/refrain/post"
)

// Dictionaries are those by which posts are linked with their translations.
type Dictionaries interface {
	// Fingerprint changes whenever the dictionaries do; "" says that there are none.
	Fingerprint() (string, error)
	Load() (*translate.Dictionaries, error)
}

// A translator is the index of translations beside that of texts. Its key of a
// text is the text's number there.
type translator struct {
	from        Dictionaries // nil: none were named
	fingerprint string       // of what the narratives were made with
	mark        int64        // of the index
	ix          *translate.Index
	linked      map[int]bool // items that the last text is linked to as a translation
}

// Translate names the dictionaries by which Index links posts in different
// languages; it comes before Index. Where the narratives were made with other
// dictionaries, or with none, all but pictures and clips is taken away, and made
// anew by Index: anew says so.
func (e *Engine) Translate(ctx context.Context, d Dictionaries) (anew bool, err error) {
	fingerprint, err := d.Fingerprint()
	if err != nil {
		return false, fmt.Errorf("look for dictionaries: %w", err)
	}
	if anew = e.at > 0 && fingerprint != e.tr.fingerprint; anew {
		if err := e.restart(ctx, "text", "translations"); err != nil {
			return anew, err
		}
	}
	e.tr.from, e.tr.fingerprint = d, fingerprint
	return anew, nil
}

// Translations gives the index of translations, to be asked; nil where the
// narratives were made without dictionaries or with others than these.
func (e *Engine) Translations(d Dictionaries) (*translate.Index, error) {
	fingerprint, err := d.Fingerprint()
	if err != nil || fingerprint == "" || fingerprint != e.tr.fingerprint {
		return nil, err
	}
	e.tr.from = d
	return e.translations()
}

// TranslatedText gives the number in the index of texts of the text that a match
// is about.
func TranslatedText(m translate.Match) uint32 {
	n, err := strconv.ParseUint(m.Key, 10, 32)
	if err != nil {
		return 1<<32 - 1
	}
	return uint32(n)
}

func (e *Engine) readTranslator(ctx context.Context) error {
	err := e.db.QueryRowContext(ctx, "SELECT dictionaries, mark FROM translated").Scan(&e.tr.fingerprint, &e.tr.mark)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return err
}

// translations opens the index when it is first needed: all its texts are read
// then. It is nil without dictionaries.
func (e *Engine) translations() (*translate.Index, error) {
	if e.tr.ix != nil || e.tr.fingerprint == "" {
		return e.tr.ix, nil
	}
	if e.tr.from == nil {
		return nil, errors.New("the narratives were made with dictionaries: name these before indexing")
	}
	dicts, err := e.tr.from.Load()
	if err != nil {
		return nil, fmt.Errorf("read the dictionaries: %w", err)
	}
	dir := filepath.Join(e.dir, "translations")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the translations: %w", err)
	}
	e.tr.ix, err = translate.Open(dir, translate.Options{Dictionaries: dicts, Through: max(e.tr.mark, 1)})
	if errors.Is(err, translate.ErrBehind) {
		err = fmt.Errorf("%w: run `refrain rebuild`", err)
	}
	return e.tr.ix, err
}

// syncTranslations makes the translations durable, before the batch is.
func (e *Engine) syncTranslations(ctx context.Context) (err error) {
	if e.tr.ix != nil {
		if e.tr.mark, err = e.tr.ix.Mark(); err != nil {
			return err
		}
	}
	return e.exec(ctx, "INSERT INTO translated (id, dictionaries, mark) VALUES (0, ?, ?) ON CONFLICT DO UPDATE SET dictionaries = excluded.dictionaries, mark = excluded.mark", e.tr.fingerprint, e.tr.mark)
}

// translated links a new text with its translations among earlier ones, and adds
// it to the index.
func (e *Engine) translated(ctx context.Context, seen *Seen, number uint32, item int, objects []*carried, words string, s *Stats) ([]cluster.Link, error) {
	clear(e.tr.linked)
	ix, err := e.translations()
	if ix == nil || err != nil || len(words) > translate.MaxBytes {
		return nil, err
	}
	lang := translate.Language(words)
	if lang == "" {
		return nil, nil
	}
	// English texts have translations only where there are texts in other languages.
	doc := translate.Doc{Key: strconv.FormatUint(uint64(number), 10), Text: words, Lang: lang}
	var matches []translate.Match
	var names []string
	if names = mentions(&seen.Post, words); lang != translate.English || ix.Foreign() > 0 {
		shared, err := e.sharedWith(ctx, objects, names)
		if err != nil {
			return nil, err
		}
		if matches, err = ix.Query(doc, shared...); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		if err := e.exec(ctx, "INSERT OR IGNORE INTO handle (name, item) VALUES (?, ?)", name, item); err != nil {
			return nil, err
		}
	}
	var links []cluster.Link
	for _, m := range matches {
		to, ok := e.Item(TranslatedText(m))
		if !ok {
			return nil, fmt.Errorf("the index of translations has a text %s that is not there: run `refrain rebuild`", m.Key)
		}
		l := narrative.FromTranslation("", m)
		l.A, l.B = "", ""
		body, err := json.Marshal(l)
		if err != nil {
			return nil, err
		}
		if err := e.exec(ctx, "INSERT INTO translation (a, b, score, evidence, share_a, share_b, body) VALUES (?, ?, ?, ?, ?, ?, ?)", item, to, m.Score, m.Evidence, m.QueryShare, m.TextShare, body); err != nil {
			return nil, err
		}
		s.Translations++
		if m.Linked() {
			// The score says that most of either is in the other: a share of translated
			// words is no share of equal ones, and is not looked at again.
			links = append(links, cluster.Link{To: to, Score: m.Score, Form: cluster.Whole, Share: 1})
			if e.tr.linked == nil {
				e.tr.linked = map[int]bool{}
			}
			e.tr.linked[to] = true
		}
	}
	_, err = ix.Add(ctx, doc)
	return links, err
}

// maxSharers is how many texts may have a thing that two of them having it is
// evidence; what more have is common.
const maxSharers = 20

// sharedWith names the earlier texts that have rare things in common with one.
func (e *Engine) sharedWith(ctx context.Context, objects []*carried, names []string) ([]translate.Shared, error) {
	var list []translate.Shared
	read := func(kind translate.Kind, query string, arg any) error {
		st, err := e.prepare(ctx, query)
		if err != nil {
			return err
		}
		rows, err := st.QueryContext(ctx, arg, maxSharers+1)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		from := len(list)
		for rows.Next() {
			var item int
			if err := rows.Scan(&item); err != nil {
				return err
			}
			if item < len(e.textOf) && e.textOf[item] != 1<<32-1 {
				list = append(list, translate.Shared{Key: strconv.FormatUint(uint64(e.textOf[item]), 10), Kind: kind})
			}
		}
		if len(list)-from > maxSharers {
			list = list[:from]
		}
		return rows.Err()
	}
	for _, o := range objects {
		if kind, ok := sharedKinds[o.Kind]; ok && (o.Kind == Hashtag || o.Joins()) {
			// What earlier posts of the batch brought is asked for too.
			if err := e.flush(ctx); err != nil {
				return nil, err
			}
			if err := read(kind, "SELECT DISTINCT d.item FROM carry c JOIN doc d ON d.post = c.post WHERE c.object = ? LIMIT ?", o.id); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range names {
		if err := read(translate.Handle, "SELECT item FROM handle WHERE name = ? LIMIT ?", name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

var sharedKinds = map[string]translate.Kind{URL: translate.URL, Hashtag: translate.Hashtag, Media: translate.Media}

// maxMentions is how many of the handles in a text are kept.
const maxMentions = 20

// mentions gives the handles that a post names: as its platform says, or else as
// they stand in the text.
func mentions(p *post.Post, words string) []string {
	var list []string
	add := func(name string) {
		name = strings.ToLower(strings.Trim(name, "@.,:;!?"))
		if len(name) > 2 && len(name) <= 100 && len(list) < maxMentions && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, name := range p.Mentions {
		add(name)
	}
	if len(list) > 0 {
		return list
	}
	for i := strings.IndexByte(words, '@'); i >= 0; {
		end := i + 1
		for end < len(words) && (words[end] == '_' || words[end] >= '0' && words[end] <= '9' || words[end]|0x20 >= 'a' && words[end]|0x20 <= 'z') {
			end++
		}
		if i == 0 || words[i-1] == ' ' || words[i-1] == '\n' || words[i-1] == '.' || words[i-1] == '(' {
			add(words[i:end])
		}
		next := strings.IndexByte(words[end:], '@')
		if next < 0 {
			break
		}
		i = end + next
	}
	return list
}

const translationColumns = "a, b, evidence, share_a, share_b, body"

// translations reads links by translation: item a is the newer one.
func (b *Book) translations(ctx context.Context, where string, args ...any) iter.Seq2[itemLink, error] {
	return func(yield func(itemLink, error) bool) {
		rows, err := b.s.db.QueryContext(ctx, "SELECT "+translationColumns+" FROM translation "+where, args...)
		if err != nil {
			yield(itemLink{}, err)
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			var l itemLink
			var body []byte
			err := rows.Scan(&l.from, &l.to, &l.Evidence, &l.ShareA, &l.ShareB, &body)
			if err == nil {
				err = json.Unmarshal(body, &l.Link.Link)
			}
			if err != nil {
				yield(l, err)
				return
			}
			if max(l.from, l.to) >= b.c.Len() {
				continue // indexed since the book was opened
			}
			l.A, l.B = b.keyOfItem(l.from), b.keyOfItem(l.to)
			l.a = place{b.first[l.from].observation, b.first[l.from].observation}
			l.b = place{b.first[l.to].observation, b.first[l.to].observation}
			l.Link.Strength = l.Link.Link.Strength()
			if !yield(l, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(itemLink{}, err)
		}
	}
}

// An itemLink is a link with the items it is between.
type itemLink struct {
	Link
	from, to int
}

// merged gives the links of two lists, each with the newest first, in one order.
func merged(one, two iter.Seq2[itemLink, error]) iter.Seq2[itemLink, error] {
	return func(yield func(itemLink, error) bool) {
		next, stop := iter.Pull2(two)
		defer stop()
		other, err, ok := next()
		for l, failed := range one {
			for ok && (err != nil || failed == nil && other.from > l.from) {
				if !yield(other, err) {
					return
				}
				other, err, ok = next()
			}
			if !yield(l, failed) {
				return
			}
		}
		for ok {
			if !yield(other, err) {
				return
			}
			other, err, ok = next()
		}
	}
}
