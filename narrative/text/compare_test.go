package text

import (
	"context"
	"testing"
)

func TestCompare(t *testing.T) {
	ix, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ix.Close()
	long := "The ferry to Lindholm sank at its mooring on Sunday night, and nobody was hurt, the harbour master said on the quay"
	var numbers []uint32
	for i, s := range []string{long, "On Sunday night the ferry to Lindholm sank at its mooring, and nobody was hurt, the harbour master says", "The library opens at nine on weekdays", long + "!"} {
		r, err := ix.Add(context.Background(), Doc{Key: string(rune('a' + i)), Text: s})
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, r.Text)
	}
	m, ok, err := ix.Compare(numbers[1], numbers[0])
	if err != nil || !ok || m.Kind != EditedCopy || m.Key != "a" || len(m.Spans) == 0 || m.Score < LinkThreshold {
		t.Errorf("%+v, %v, %v", m, ok, err)
	}
	if back, _, _ := ix.Compare(numbers[0], numbers[1]); back.QueryShare != m.TextShare {
		t.Errorf("shares %v and %v", back.QueryShare, m.TextShare)
	}
	if m, ok, err := ix.Compare(numbers[0], numbers[3]); err != nil || !ok || m.Kind != Copy {
		t.Errorf("%+v, %v, %v", m, ok, err)
	}
	for _, pair := range [][2]uint32{{numbers[0], numbers[2]}, {0, 99}, {NoText, 0}} {
		if m, ok, err := ix.Compare(pair[0], pair[1]); ok || err != nil {
			t.Errorf("%v: %+v, %v", pair, m, err)
		}
	}
}
