package narrative

import (
	"context"
	"testing"

	"github.com/refrain-archive/refrain/narrative/text"
	"github.com/refrain-archive/refrain/narrative/translate"
)

func TestFromText(t *testing.T) {
	ix, err := text.Open(t.TempDir(), text.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	texts := map[string]string{
		"m:long":  "The ferry to Lindholm sank at its mooring on Sunday night. Nobody was hurt, the harbour master said, and divers will look at the hull when the storm has passed the islands.",
		"a:part":  "1/3 The ferry to Lindholm sank at its mooring on Sunday night. Nobody was hurt, the harbour master said",
		"z:swap":  "divers will look at the hull when the storm has passed the islands. Nobody was hurt, the harbour master said. The ferry to Lindholm sank at its mooring on Sunday night.",
		"b:other": "The library opens at nine",
	}
	for _, key := range []string{"m:long", "b:other"} {
		if _, err := ix.Add(context.Background(), text.Doc{Key: key, Text: texts[key]}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		key  string
		kind Kind
	}{{"a:part", ThreadPart}, {"z:swap", EditedCopy}} {
		matches, err := ix.Query(texts[c.key])
		if err != nil || len(matches) != 1 {
			t.Fatalf("%s: %v, %v", c.key, matches, err)
		}
		l := FromText(c.key, matches[0])
		if l.A >= l.B || l.Kind != c.kind || l.Strength() != Linked || len(l.Spans) == 0 || l.Why == "" {
			t.Errorf("%s: %+v", c.key, l)
		}
		last := -1
		for _, s := range l.Spans {
			if s.A.From <= last {
				t.Errorf("%s: spans not in the order of A: %v", c.key, l.Spans)
			}
			last = s.A.From
			a, b := text.Normalise(texts[l.A][s.A.From:s.A.To]), text.Normalise(texts[l.B][s.B.From:s.B.To])
			if len(a.Words) != s.Words || len(b.Words) != s.Words {
				t.Errorf("%s: span %v has %d and %d words", c.key, s, len(a.Words), len(b.Words))
			}
		}
		back := l.Turned()
		if back.A != l.B || back.Turned().Kind != l.Kind {
			t.Errorf("%s: turned: %+v", c.key, back)
		}
	}
	if k := ThreadPart.inverse(); k != PartOf || k.inverse() != ThreadPart {
		t.Errorf("the inverse of a thread part is %s", k)
	}
	for score, want := range map[float64]Strength{1: Linked, text.LinkThreshold: Linked, 0.6: Possible, 0.3: Weak} {
		if got := (Link{Signal: Text, Score: score}).Strength(); got != want {
			t.Errorf("%v is %s, want %s", score, got, want)
		}
	}
}

func TestFromTranslation(t *testing.T) {
	m := translate.Match{Key: "b:1", Score: translate.LinkWithOther, Words: 2, Other: []translate.Kind{translate.Media},
		Pairs: []translate.Pair{{Query: translate.Range{From: 0, To: 6}, Text: translate.Range{From: 20, To: 29}, Headword: "逮捕", Gloss: "to arrest", Dictionary: "cc-cedict"}, {Query: translate.Range{From: 6, To: 9}, Text: translate.Range{From: 3, To: 6}}}}
	l := FromTranslation("c:2", m)
	if l.A != "b:1" || l.B != "c:2" || l.Kind != Translated || l.Strength() != Linked || len(l.Spans) != 2 {
		t.Fatalf("%+v", l)
	}
	if s := l.Spans[1]; s.A != (Range{20, 29}) || s.B != (Range{0, 6}) || s.Note != "逮捕: to arrest (cc-cedict)" {
		t.Errorf("%+v", s)
	}
	m.Other = nil
	if s := FromTranslation("c:2", m).Strength(); s != Possible {
		t.Errorf("without other evidence it is %s", s)
	}
	m.Score = translate.PossibleThreshold - 0.01
	if s := FromTranslation("c:2", m).Strength(); s != Weak {
		t.Errorf("below the thresholds it is %s", s)
	}
}
