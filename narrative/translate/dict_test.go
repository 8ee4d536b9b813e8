package translate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"strings"
	"testing"
)

func glossesOf(t *testing.T, list []Entry, head string) []string {
	t.Helper()
	var all []string
	for _, e := range list {
		if e.Headword == head {
			all = append(all, e.Glosses...)
		}
	}
	return all
}

func TestParseCEDICT(t *testing.T) {
	const file = "\ufeff# CC-CEDICT\n" +
		"浙江 浙江 [Zhe4 jiang1] /Zhejiang province (浙江省)/abbr. to 浙[Zhe4]/\n" +
		"浙大 浙大 [Zhe4 Da4] /abbr. for 浙江大學|浙江大学[Zhe4 jiang1 Da4 xue2], Zhejiang University/\n" +
		"張 张 [Zhang1] /surname Zhang/\n" +
		"張 张 [zhang1] /to open up/to spread/classifier for flat objects/CL:個|个[ge4]/\n" +
		"一點兒 一点儿 [yi1 dian3 r5] /erhua variant of 一點|一点[yi1 dian3]/\n" +
		"一點 一点 [yi1 dian3] /a bit; a little/\n"
	list, err := ParseCEDICT(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for head, want := range map[string][]string{
		"浙江":  {"Zhejiang province"},
		"浙大":  {"Zhejiang University", "Zheda"},
		"张":   {"~Zhang", "to open up", "to spread"},
		"一点儿": {"a bit", "a little"},
	} {
		if got := glossesOf(t, list, head); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", head, got, want)
		}
	}
	for _, bad := range []string{"", "# nothing\n", "no dictionary\n", "張 张 Zhang1 /surname Zhang/\n"} {
		if _, err := ParseCEDICT(strings.NewReader(bad)); !errors.Is(err, ErrDictionary) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	module := `export default {"all":[["浙江","浙江","Zhe4 jiang1",["Zhejiang province","abbr. to 浙[Zhe4]"],[],[]],["警察","警察","jing3 cha2","police",[],[]]]};`
	list, err = ParseCEDICTModule(strings.NewReader(module))
	if err != nil || len(list) != 2 || !slices.Equal(glossesOf(t, list, "警察"), []string{"police"}) {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []string{"", "export default", `export default {"all":[["a"]]}`, `export default {"all":[[1,2,3,4]]}`, `export default {"all":[["a","a","a",{}]]}`, `{"all":[]}`, `export default {"all":[]}`} {
		if _, err := ParseCEDICTModule(strings.NewReader(bad)); !errors.Is(err, ErrDictionary) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseDictd(t *testing.T) {
	const german = "Katze /kˈatsə/ <fem>\n1. cat\n2. pussy-cat, (informal) moggy\n see: {Katzen}\n"
	list, err := ParseDictd(strings.NewReader("00databaseinfo\tA\tB\nKatze\tA\tBL\n"), strings.NewReader(german), DictdForm{Lang: "de"})
	if err != nil || !slices.Equal(glossesOf(t, list, "Katze"), []string{"cat", "pussy-cat", "moggy"}) {
		t.Errorf("%+v, %v", list, err)
	}
	const prose = "dispossess\n   [dɪs] _v.\n   1) лишать собственности, права владения (of)\n   2) выселять; to dispossess smb. of an error выводить кого-л. из заблуждения\n"
	list, err = ParseDictd(strings.NewReader("dispossess\tA\tDU\n"), strings.NewReader(prose), DictdForm{Lang: "ru", FromEnglish: true, Prose: true})
	if err != nil || !slices.Equal(glossesOf(t, list, "лишать собственности"), []string{"dispossess"}) || glossesOf(t, list, "выселять") == nil {
		t.Errorf("%+v, %v", list, err)
	}
	for _, bad := range []struct{ index, dict string }{
		{"", ""}, {"Katze\n", german}, {"Katze\tA\t9999\n", german}, {"Katze\t//////\t//////\n", german}, {"Katze\tA\t?\n", german}, {"Katze\tA\tBL\n", "\x1f\x8b damaged"},
	} {
		if _, err := ParseDictd(strings.NewReader(bad.index), strings.NewReader(bad.dict), DictdForm{Lang: "de"}); !errors.Is(err, ErrDictionary) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	zip := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(s)) //nolint:errcheck // to memory
		z.Close()          //nolint:errcheck // to memory
		return b.Bytes()
	}
	for name, data := range map[string][]byte{
		"nothing":            nil,
		"no gzip":            []byte("RFDICT1\n{}\n"),
		"another kind":       zip("something\n"),
		"no head":            zip(dictMagic),
		"a damaged head":     zip(dictMagic + "{\n"),
		"from English":       zip(dictMagic + `{"from":"en","to":"en"}` + "\n"),
		"to another":         zip(dictMagic + `{"from":"zh","to":"fr"}` + "\n"),
		"a damaged line":     zip(dictMagic + `{"from":"zh","to":"en"}` + "\n香港\tHong Kong\n"),
		"a line too long":    zip(dictMagic + `{"from":"zh","to":"en"}` + "\n" + strings.Repeat("a", maxDictLine+1)),
		"cut in the middle":  zip(dictMagic + `{"from":"zh","to":"en"}` + "\n香港\t\tHong Kong\n")[:60],
		"two heads, no tabs": zip(dictMagic + `{"from":"zh","to":"en"}` + "\n" + dictMagic),
	} {
		d := new(Dictionaries)
		if err := d.Read(bytes.NewReader(data)); !errors.Is(err, ErrDictionary) {
			t.Errorf("%s: %v", name, err)
		}
		if len(d.Languages()) != 0 {
			t.Errorf("%s: %v was loaded", name, d.Languages())
		}
	}
}

// Two dictionaries of one language are one; each says which entry is whose.
func TestTwoDictionaries(t *testing.T) {
	d := dictionaries(t)
	var b bytes.Buffer
	if err := WriteDictionary(&b, &Info{Name: "more", From: Chinese, To: English}, []Entry{{"渡轮", "du4 lun2", []string{"ferry"}}, {"警察", "", []string{"cop"}}}); err != nil {
		t.Fatal(err)
	}
	if err := d.Read(&b); err != nil {
		t.Fatal(err)
	}
	zh := d.langs[Chinese]
	got := map[string]string{}
	for _, e := range []string{"渡轮", "警察", "香港"} {
		for _, g := range zh.glossesOf(int32(zh.keys[e])) {
			got[zh.blob[g.from:g.to]] = zh.sourceOf(g.from)
		}
	}
	for gloss, want := range map[string]string{"ferry": "more", "cop": "more", "police": "small", "Hong Kong": "small"} {
		if got[gloss] != want {
			t.Errorf("%s is of %q, want %q", gloss, got[gloss], want)
		}
	}
	if len(d.Infos()) != 2 {
		t.Errorf("%+v", d.Infos())
	}
}

func TestNumbers(t *testing.T) {
	d := dictionaries(t)
	for zh, en := range map[string]string{
		"1.5亿人": "1.5 hundred million", "320名": "320", "三百二十名": "320", "2016年": "2016", "3万": "30,000", "三千五百万": "35 million", "１８号": "18th", "20亿": "2bn",
	} {
		var want, got []string
		eachEnglish(en, func(w englishWord) bool { want = append(want, w.stem()); return true })
		v := vocabulary{ids: map[string]uint32{}}
		rd := reader{dicts: d, stems: map[string]string{}, number: v.number}
		for _, tok := range rd.foreign(d.langs[Chinese], zh) {
			for stem, id := range v.ids {
				if tok.kind == numberWord && slices.Contains(tok.alts, id) {
					got = append(got, stem)
				}
			}
		}
		if en == "1.5 hundred million" {
			want = []string{"#150000000"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s gives %q, %s gives %q", zh, got, en, want)
		}
	}
}

func FuzzDictionaries(f *testing.F) {
	f.Add([]byte("浙江 浙江 [Zhe4 jiang1] /Zhejiang province (浙江省)/abbr. to 浙[Zhe4]/\n"), []byte("Katze\tA\tBL\n"))
	f.Add([]byte(`export default {"all":[["浙江","浙江","Zhe4 jiang1",["Zhejiang province"],[],[]]]}`), []byte("Katze\tA\t//////\n"))
	f.Add([]byte("кошка\tcat; pussy-cat\n"), []byte("00databaseinfo\tA\tB\n"))
	f.Add([]byte("dispose\n   [x] _v.\n   1) располагать, размещать\n"), []byte("dispose\tA\tx\n"))
	f.Fuzz(func(t *testing.T, data, index []byte) {
		for _, parse := range []func() ([]Entry, error){
			func() ([]Entry, error) { return ParseCEDICT(bytes.NewReader(data)) },
			func() ([]Entry, error) { return ParseCEDICTModule(bytes.NewReader(data)) },
			func() ([]Entry, error) { return ParseTable(bytes.NewReader(data)) },
			func() ([]Entry, error) {
				return ParseDictd(bytes.NewReader(index), bytes.NewReader(data), DictdForm{Lang: "de"})
			},
			func() ([]Entry, error) {
				return ParseDictd(bytes.NewReader(index), bytes.NewReader(data), DictdForm{Lang: "ru", FromEnglish: true, Prose: true})
			},
		} {
			list, err := parse()
			if (err == nil) != (len(list) > 0) {
				t.Fatalf("%d entries and %v", len(list), err)
			}
			if err != nil {
				continue
			}
			var b bytes.Buffer
			if err := WriteDictionary(&b, &Info{Name: "x", From: Chinese, To: English}, list); err != nil {
				t.Fatal(err)
			}
			if err := new(Dictionaries).Read(&b); err != nil && !strings.Contains(err.Error(), "too long") {
				t.Fatalf("what was written cannot be read: %v", err)
			}
		}
	})
}

// Whatever the texts, what is found lies in them.
func FuzzQuery(f *testing.F) {
	f.Add(protestZH, protestEN)
	f.Add("三百万名抗议者@x #香港 https://t.example/香港", "3 million protesters' #HongKong 5pm 1.5 million")
	f.Add("\xff香港\u200b警察 2,000,000.5", "police\xff’s 's")
	d := dictionaries(f)
	f.Fuzz(func(t *testing.T, zh, en string) {
		ix, err := Open("", Options{Dictionaries: d})
		if err != nil {
			t.Fatal(err)
		}
		for _, doc := range []Doc{{Key: "en", Text: en, Lang: English}, {Key: "zh", Text: zh, Lang: Chinese}} {
			if _, err := ix.Add(t.Context(), doc); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct{ asked, other, lang string }{{zh, en, Chinese}, {en, zh, English}} {
			matches, err := ix.Nearest(Doc{Text: c.asked, Lang: c.lang}, 5)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range matches {
				if m.Score < 0 || m.Score > 1 {
					t.Errorf("score %v", m.Score)
				}
				for _, p := range m.Pairs {
					if p.Query.From < 0 || p.Query.From >= p.Query.To || p.Query.To > len(c.asked) || p.Text.From < 0 || p.Text.From >= p.Text.To || p.Text.To > len(c.other) {
						t.Errorf("%+v in %q and %q", p, c.asked, c.other)
					}
				}
			}
		}
	})
}
