package translate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refrain-archive/refrain/internal/fsys"
)

// small is a dictionary of our own for tests that need none of the real ones.
const small = `香港	Xiang1 gang3	Hong Kong
警察	jing3 cha2	police / police officer
昨天	zuo2 tian1	yesterday
逮捕	dai4 bu3	to arrest / to apprehend
抗议者	kang4 yi4 zhe3	protester
三	san1	three
名	ming2	name / noun
张	Zhang1	~Zhang
伟	wei3	big / large / great
说	shuo1	to speak / to talk / to say
政府	zheng4 fu3	government
必须	bi4 xu1	to have to / must
道歉	dao4 qian4	to apologize
天气	tian1 qi4	weather
很	hen3	very / quite
好	hao3	good / well
港口	gang3 kou3	port / harbor
爆炸	bao4 zha4	explosion / to explode
`

func dictionaries(t testing.TB) *Dictionaries {
	t.Helper()
	var entries []Entry
	for _, line := range strings.Split(strings.TrimSpace(small), "\n") {
		c := strings.Split(line, "\t")
		entries = append(entries, Entry{c[0], c[1], strings.Split(c[2], " / ")})
	}
	var b bytes.Buffer
	if err := WriteDictionary(&b, &Info{Name: "small", From: Chinese, To: English}, entries); err != nil {
		t.Fatal(err)
	}
	d := new(Dictionaries)
	if err := d.Read(&b); err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	protestZH = "香港警察昨天逮捕了320名抗议者，张伟说政府必须道歉。"
	protestEN = "Yesterday Hong Kong police arrested 320 protesters: Zhang Wei says the government must apologise."
	weatherEN = "The weather in the port of Lindholm is good, the harbour master says"
)

func TestLinks(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ name, indexed, asked, lang string }{
		{"Chinese asked, English indexed", protestEN, protestZH, English},
		{"English asked, Chinese indexed", protestZH, protestEN, Chinese},
		{"traditional characters", protestEN, "香港警察昨天逮捕了320名抗議者，張偉說政府必須道歉。", English},
	} {
		ix, err := Open("", Options{Dictionaries: dictionaries(t)})
		if err != nil {
			t.Fatal(err)
		}
		for key, text := range map[string]string{"a": c.indexed, "b": weatherEN, "c": "天气很好"} {
			if r, err := ix.Add(ctx, Doc{Key: key, Text: text}); err != nil || r.Outcome != Added {
				t.Fatalf("%s: %+v, %v", c.name, r, err)
			}
		}
		matches, err := ix.Query(Doc{Text: c.asked})
		if err != nil || len(matches) != 1 {
			t.Fatalf("%s: %+v, %v", c.name, matches, err)
		}
		m := matches[0]
		if m.Key != "a" || m.Score < LinkWithOther || m.Lang != c.lang || m.Truncated {
			t.Errorf("%s: %+v", c.name, m)
		}
		got := map[string]string{}
		for _, p := range m.Pairs {
			got[c.asked[p.Query.From:p.Query.To]] = c.indexed[p.Text.From:p.Text.To]
		}
		for a, b := range map[string]string{"香港": "Hong Kong", "警察": "police", "逮捕": "arrested", "320": "320", "政府": "government"} {
			if strings.Contains(c.name, "English asked") {
				a, b = b, a
			}
			if got[a] != b {
				t.Errorf("%s: %s is paired with %q, want %q (%v)", c.name, a, got[a], b, got)
			}
		}
		if !strings.Contains(m.Why(), "words translated") {
			t.Error(m.Why())
		}
		if err := ix.Close(); err != nil {
			t.Error(err)
		}
		if _, err := ix.Query(Doc{Text: c.asked}); !errors.Is(err, ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	}
}

func TestWithoutDictionariesNothingIsLinked(t *testing.T) {
	ix, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := ix.Add(context.Background(), Doc{Key: "a", Text: protestEN}); err != nil || r.Outcome != Skipped || ix.Ready() {
		t.Errorf("%+v, %v", r, err)
	}
	if m, err := ix.Query(Doc{Text: protestZH}); err != nil || len(m) != 0 {
		t.Errorf("%v, %v", m, err)
	}
}

// What the caller knows links a pair that words alone leave below the threshold.
func TestOtherEvidence(t *testing.T) {
	ix, err := Open("", Options{Dictionaries: dictionaries(t)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Add(context.Background(), Doc{Key: "a", Text: protestEN}); err != nil {
		t.Fatal(err)
	}
	// In an index of one text and eighteen entries nothing is rare.
	ask := Doc{Text: protestZH}
	before, err := ix.Query(ask)
	if err != nil || len(before) != 1 || len(before[0].Other) != 0 || before[0].Linked() {
		t.Fatalf("%+v, %v", before, err)
	}
	after, err := ix.Query(ask, Shared{"a", Media}, Shared{"a", URL}, Shared{"a", Media}, Shared{"nobody", URL})
	if err != nil || len(after) != 1 || len(after[0].Other) != 2 || after[0].Other[0] != Media || after[0].Other[1] != URL || !after[0].Linked() {
		t.Fatalf("%+v, %v", after, err)
	}
	if !strings.Contains(after[0].Why(), "media, url") {
		t.Error(after[0].Why())
	}
}

func TestCopiesAreOneText(t *testing.T) {
	ix, err := Open("", Options{Dictionaries: dictionaries(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	first, err := ix.Add(ctx, Doc{Key: "a", Text: protestEN})
	if err != nil {
		t.Fatal(err)
	}
	r, err := ix.Add(ctx, Doc{Key: "b", Text: strings.ToUpper(protestEN) + " https://t.example/x"})
	if err != nil || r.Outcome != Duplicate || r.Text != first.Text {
		t.Errorf("%+v, %v", r, err)
	}
	if keys := ix.Copies(r.Text); len(keys) != 2 || keys[0] != "a" || keys[1] != "b" {
		t.Errorf("%v", keys)
	}
	if keys := ix.Copies(NoText); keys != nil {
		t.Errorf("%v", keys)
	}
	if posts, texts := ix.Size(); posts != 2 || texts != 1 {
		t.Errorf("%d posts, %d texts", posts, texts)
	}
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "translations")
	dicts := dictionaries(t)
	ctx := context.Background()
	open := func() *Index {
		ix, err := Open(dir, Options{Dictionaries: dicts})
		if err != nil {
			t.Fatal(err)
		}
		return ix
	}
	ask := func(ix *Index, want int) {
		t.Helper()
		m, err := ix.Query(Doc{Text: protestZH})
		if err != nil || len(m) != want {
			t.Fatalf("%d matches, want %d; %v", len(m), want, err)
		}
	}
	ix := open()
	if _, err := Open(dir, Options{Dictionaries: dicts}); !errors.Is(err, fsys.ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := ix.Add(ctx, Doc{Key: "a", Text: protestEN}); err != nil {
		t.Fatal(err)
	}
	if err := ix.Sync(); err != nil {
		t.Fatal(err)
	}
	if _, err := ix.Add(ctx, Doc{Key: "b", Text: protestEN + " Again"}); err != nil {
		t.Fatal(err)
	}
	ask(ix, 2)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	ix = open()
	ask(ix, 2)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "texts.log")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	// The last record is torn: what was synced before it stays.
	if err := os.WriteFile(log, whole[:len(whole)-20], 0o644); err != nil {
		t.Fatal(err)
	}
	ix = open()
	ask(ix, 1)
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	// What was durable is damaged: that is said.
	broken := bytes.Clone(whole)
	broken[30] ^= 1
	if err := os.WriteFile(log, broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Dictionaries: dicts}); err == nil || !strings.Contains(err.Error(), "damaged at byte 8") {
		t.Errorf("damaged: %v", err)
	}
	if err := os.WriteFile(log, []byte("something else"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{Dictionaries: dicts}); err == nil || !strings.Contains(err.Error(), "no log") {
		t.Errorf("another file: %v", err)
	}
}

func TestHostileTexts(t *testing.T) {
	ix, err := Open("", Options{Dictionaries: dictionaries(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for name, text := range map[string]string{
		"10 MB of one word":        strings.Repeat("police ", 10<<20/7),
		"1 MB of one character":    strings.Repeat("警", 1<<20/3),
		"1 MB of a phrase":         strings.Repeat("香港警察昨天逮捕了抗议者", 1<<20/36),
		"one long word":            strings.Repeat("a", 1<<20),
		"zero width":               strings.Repeat("\u200b", 1<<18),
		"invalid UTF-8":            strings.Repeat("\xff\xfe香\xe9", 1<<18),
		"figures":                  strings.Repeat("1", 1<<18),
		"Chinese figures":          strings.Repeat("亿", 1<<18),
		"right to left and Latin":  strings.Repeat("مرحبا hello ", 1<<16),
		"apostrophes":              strings.Repeat("'s", 1<<18),
		"signs of names and links": strings.Repeat("@#http://", 1<<17),
	} {
		if _, err := ix.Add(ctx, Doc{Key: name, Text: text, Lang: Chinese}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := ix.Add(ctx, Doc{Key: name, Text: text, Lang: English}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, lang := range []string{"", English, Chinese} {
			m, err := ix.Query(Doc{Text: text, Lang: lang})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, x := range m {
				for _, p := range x.Pairs {
					if p.Query.From < 0 || p.Query.From >= p.Query.To || p.Query.To > len(text) {
						t.Fatalf("%s: %+v", name, p)
					}
				}
			}
		}
	}
	if _, err := ix.Add(ctx, Doc{Key: "x", Text: strings.Repeat("a", MaxBytes+1)}); !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	if _, err := ix.Add(ctx, Doc{Text: "a"}); err == nil {
		t.Error("a text without a key was taken")
	}
}

func TestLanguage(t *testing.T) {
	for text, want := range map[string]string{
		protestZH: Chinese, protestEN: English, "Trump bans TikTok": English, "": "", "12 345 !": "",
		"今日はとても良い天気ですね":                                 "ja",
		"오늘 날씨가 아주 좋습니다":                                "ko",
		"Сегодня очень хорошая погода":                  "ru",
		"Сьогодні дуже гарна погода, їжак":              "uk",
		"الطقس جميل جدا اليوم":                          "ar",
		"هوا امروز خیلی خوب است و پاک":                  "fa",
		"El gobierno dice que no hay nadie":             "es",
		"Die Regierung sagt, dass es nicht so ist":      "de",
		"Le gouvernement dit que ce n'est pas dans les": "fr",
		"Il governo dice che non sono gli ultimi":       "it",
		"O governo diz que não há mais ninguém":         "pt",
		"De regering zegt dat het niet zo is":           "nl",
		"iPhone 在中国卖得很好":                                Chinese,
		"http://weibo.example/香港 the police":            English,
	} {
		if got := Language(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A text whose language has no dictionary is linked by the translation that came
// with it, also after a restart.
func TestTranslatedByAService(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	finnish := Doc{Key: "fi", Text: "Hongkongin poliisi pidätti eilen 320 mielenosoittajaa", Lang: "fi", English: "Hong Kong police arrested 320 protesters yesterday"}
	for _, opts := range []Options{{Translated: true}, {Translated: true, Dictionaries: dictionaries(t)}} {
		ix, err := Open(filepath.Join(dir, "x"), opts)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []Doc{{Key: "en", Text: protestEN}, {Key: "other", Text: weatherEN}, finnish} {
			if r, err := ix.Add(ctx, d); err != nil || r.Outcome == Skipped {
				t.Fatalf("%s: %+v, %v", d.Key, r, err)
			}
		}
		if r, err := ix.Add(ctx, Doc{Key: "sv", Text: "Polisen i Hongkong", Lang: "sv"}); err != nil || r.Outcome != Skipped {
			t.Errorf("without a translation: %+v, %v", r, err)
		}
		m, err := ix.Nearest(finnish, 3)
		if err != nil || len(m) == 0 || m[0].Key != "en" || len(m[0].Pairs) < 5 {
			t.Errorf("%+v, %v", m, err)
		} else if p := m[0].Pairs[0]; p.Query != (Range{0, len(finnish.Text)}) {
			t.Errorf("%+v", p)
		}
		back, err := ix.Nearest(Doc{Text: protestEN}, 3)
		if err != nil || len(back) != 1 || back[0].Key != "fi" || back[0].Lang != "fi" {
			t.Errorf("%+v, %v", back, err)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
