package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/refrain-archive/refrain/narrative"
	"github.com/refrain-archive/refrain/narrative/engine"
	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/narrative/translate"
	"github.com/refrain-archive/refrain/post"
)

type similarCmd struct {
	Text  string `placeholder:"TEXT" help:"Posts that carry the words of this text, or their translation (- reads standard input)."`
	File  string `placeholder:"FILE" help:"Posts that carry the words of the text in this file."`
	Post  string `placeholder:"POST" help:"Posts that carry the words of this post of the corpus, by URL or PLATFORM:ID."`
	URL   string `name:"url" placeholder:"URL" help:"Posts that link to this address."`
	Image string `placeholder:"FILE" help:"Posts with a captured picture that shows what this file shows, also cropped, framed, turned or re-encoded."`
	Video string `placeholder:"FILE" help:"Posts with a captured clip that shows what this file shows, also cut, cropped, framed, sped up or re-encoded. Needs ffmpeg."`
	Limit int    `short:"n" default:"10" help:"At most so many texts; 0 is all."`
	Brief bool   `short:"b" help:"One line for each, without the texts."`
}

func (similarCmd) Help() string {
	return `The text need not be in the corpus, and is not kept. Texts that share the words are shown side by side,
what both have between brackets or in colour, with the record that each post was read from. Scores from
0.65 are links; those from 0.5 are possible, and shown as that. Where dictionaries are there (refrain data),
posts that say the same in another language follow, with the words that translate each other; from 0.85 they
are links, from 0.5 possible.

Examples:
  refrain similar --text "The bridge will close for good"
  refrain similar --file leaflet.txt
  refrain similar --post x:1850 --brief
  refrain similar --url https://example.com/story
  refrain similar --image photo.jpg        (pictures are captured with refrain collect --media)
  refrain similar --video clip.mp4         (so are clips)
` + exitCodes
}

func (c similarCmd) Run(ctx context.Context, a *app) (err error) {
	given := 0
	for _, v := range []string{c.Text, c.File, c.Post, c.URL, c.Image, c.Video} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		return usage("similar: give one of --text, --file, --post, --url, --image and --video")
	}
	r, err := a.read(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, r)
	if c.URL != "" {
		return c.byURL(ctx, a, r)
	}
	if c.Image != "" {
		return c.byImage(ctx, a, r)
	}
	if c.Video != "" {
		return c.byVideo(ctx, a, r)
	}
	var asked engine.Side
	switch {
	case c.Text == "-":
		asked.Text, err = readText(a.in, "standard input")
	case c.Text != "":
		asked.Text = c.Text
	case c.File != "":
		var f *os.File
		if f, err = os.Open(c.File); err == nil {
			asked.Text, err = readText(f, c.File)
			err = errors.Join(err, f.Close())
		}
	default:
		var key string
		if key, err = r.key(ctx, c.Post); err == nil {
			asked.Seen.Post, err = r.newest(ctx, key)
			asked.Text = engine.TextOf(&asked.Seen.Post)
		}
	}
	if err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	return c.byText(ctx, a, r, asked)
}

// readText reads a text of at most text.MaxBytes.
func readText(r io.Reader, name string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, text.MaxBytes+1))
	if err == nil && len(data) > text.MaxBytes {
		err = fmt.Errorf("%s: %w", name, text.ErrTooLong)
	}
	return string(data), err
}

// A similar is one text that carries the same words, as JSON.
type similar struct {
	Kind      narrative.Kind     `json:"kind"` // read from the text that was asked about
	Score     float64            `json:"score"`
	Strength  narrative.Strength `json:"strength"`
	Why       string             `json:"why"`
	Narrative []string           `json:"narratives"`
	Posts     []string           `json:"posts"` // with this text, the first of the corpus first
	Spans     []narrative.Span   `json:"spans"` // a is the text that was asked about
	First     openedSide         `json:"post"`
}

func (c similarCmd) byText(ctx context.Context, a *app, r *reading, asked engine.Side) error {
	e, err := a.openForQuery(ctx, r)
	if err != nil {
		return err
	}
	matches, err := c.ask(e, asked)
	if err = errors.Join(err, e.Close()); err != nil {
		return fmt.Errorf("similar: %w", err)
	}
	a.noteNoDictionaries()
	found := 0
	for _, m := range matches {
		keys := r.Same(m.text)
		if c.Post != "" && len(keys) == 1 && keys[0] == asked.Seen.Post.Key() || len(keys) == 0 {
			continue
		}
		if found++; c.Limit > 0 && found > c.Limit {
			break
		}
		l := m.Link
		side, err := r.FirstOf(ctx, indexed{r.corpus}, m.text)
		if err != nil {
			return err
		}
		mine := engine.Side{Seen: asked.Seen, Text: asked.Text}
		for _, s := range l.Spans {
			mine.Marks, side.Marks = append(mine.Marks, s.A), append(side.Marks, s.B)
		}
		if a.JSON {
			err = a.writeJSON(similar{Kind: l.Kind, Score: l.Score, Strength: l.Strength(), Why: l.Why, Narrative: r.NarrativesOf(keys[0]), Posts: keys, Spans: l.Spans, First: sideOf(side)})
		} else {
			err = c.print(a, r, l, mine, side, keys)
		}
		if err != nil {
			return err
		}
	}
	if a.JSON {
		return nil
	}
	if found == 0 {
		return a.printf("no post carries these words")
	}
	more := ""
	if c.Limit > 0 && found > c.Limit {
		more = fmt.Sprintf(", %d shown (--limit)", c.Limit)
		found = len(matches)
	}
	return a.printf("%s%s", plural(int64(found), "text"), more)
}

// A textLink is a link to a text, by its number in the index of texts.
type textLink struct {
	narrative.Link
	text uint32
}

// ask gives the texts that carry the same words, and then those that say the same
// in another language.
func (c similarCmd) ask(e *engine.Engine, asked engine.Side) (list []textLink, err error) {
	matches, err := e.Texts().Query(asked.Text)
	for _, m := range matches {
		list = append(list, textLink{narrative.Between(m), m.Text})
	}
	if err != nil {
		return nil, err
	}
	store, err := dictionaryStore("")
	if err != nil {
		return nil, err
	}
	ix, err := e.Translations(dictionaryFiles{store})
	if ix == nil || err != nil {
		return list, err
	}
	translations, err := ix.Query(translate.Doc{Text: asked.Text})
	for _, m := range translations {
		list = append(list, textLink{narrative.FromTranslation("", m), engine.TranslatedText(m)})
	}
	return list, err
}

func (c similarCmd) print(a *app, r *reading, l narrative.Link, mine, side engine.Side, keys []string) error {
	others := ""
	if len(keys) > 1 {
		others = fmt.Sprintf(" (and %s with the same text: %s)", plural(int64(len(keys)-1), "post"), shorten(strings.Join(keys[1:], ", "), 60))
	}
	p := &side.Seen.Post
	head := fmt.Sprintf("%s  %s by %s%s\n    %s, %s, score %.2f: %s\n    narrative %s\n%s", p.Key(), strings.TrimSpace(when(p.Created)), author(p.Account), others,
		kindWords(l.Kind), l.Strength(), l.Score, l.Why, strings.Join(r.NarrativesOf(keys[0]), ", "), strings.TrimSuffix(whereFrom(p), "\n"))
	if c.Brief {
		return a.printf("%s", head)
	}
	own := ""
	if mine.Seen.Post.ID != "" {
		own = "    left is " + mine.Seen.Post.Key() + ", " + recordOf(&mine.Seen.Post) + "\n"
	}
	return a.printf("%s\n%s\n%s%s", head, own, sides(mine.Text, side.Text, mine.Marks, side.Marks, a.columns(), a.colour), pairLines(l, mine.Text, side.Text))
}

// byURL lists the posts that carry an address.
func (c similarCmd) byURL(ctx context.Context, a *app, r *reading) error {
	objects := engine.Objects(&post.Post{Links: []string{c.URL}})
	if len(objects) == 0 {
		return usage("similar: %q is not a web address", c.URL)
	}
	keys, total, err := r.Carriers(ctx, objects[0], c.Limit)
	if err != nil {
		return err
	}
	for _, key := range keys {
		views, err := r.corpus.Posts(ctx, key)
		if err != nil {
			return err
		}
		for _, v := range views {
			if a.JSON {
				err = a.writeJSON(v.Hit)
			} else if err = a.printHit(v.Hit); err == nil {
				err = a.printf("    %s", recordOf(&v.Post))
			}
			if err != nil {
				return err
			}
		}
	}
	if a.JSON {
		return nil
	}
	shown := ""
	if len(keys) < total {
		shown = fmt.Sprintf(", %d shown (--limit)", len(keys))
	}
	return a.printf("%s with %s%s", plural(int64(total), "post"), objects[0].Key, shown)
}
