package coord

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func byTime(rows []Row) []Row {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b Row) int { return int(a.Time - b.Time) })
	return rows
}

func stream(t testing.TB, rows []Row, o Options) *Stream {
	t.Helper()
	s, err := NewStream(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestStreamIsDetect(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	rows := append(ordinary(r, 100, 100, 50), planted(r, 10, 20, 10, 50)...)
	for _, loops := range []bool{false, true} {
		o := Options{Window: time.Minute, MinParticipation: 1, KeepLoops: loops}
		s := stream(t, byTime(rows), o)
		got, want := s.Network(), detect(t, rows, o)
		if len(got.Edges) < 100 || !reflect.DeepEqual(got.Accounts, want.Accounts) || got.Pairs != want.Pairs ||
			got.Threshold != want.Threshold || len(got.Edges) != len(want.Edges) {
			t.Fatalf("loops %v: stream %d edges, %d pairs; Detect %d, %d", loops, len(got.Edges), got.Pairs, len(want.Edges), want.Pairs)
		}
		for i, e := range got.Edges {
			w := want.Edges[i]
			short := Edge{A: w.A, B: w.B, Weight: w.Weight, Objects: min(w.Objects, MaxStreamObjects), MeanDelta: w.MeanDelta, Above: w.Above, P: 1}
			if e != short {
				t.Fatalf("edge %d: %+v, want %+v", i, e, short)
			}
		}
	}
}

func TestStreamOrder(t *testing.T) {
	s := stream(t, []Row{{"o", "a", "1", 100}}, Options{})
	if err := s.Add(Row{"o", "b", "2", 99}); err == nil || !strings.Contains(err.Error(), "in order of time") {
		t.Errorf("an older row: %v", err)
	}
	if s.Held() != 1 {
		t.Errorf("%d rows held", s.Held())
	}
	if err := s.Add(Row{"o", "b", "2", 111}); err != nil || s.Held() != 1 {
		t.Errorf("after the window: %v, %d rows held, want the newest only", err, s.Held())
	}
}
