package main

import "testing"

func TestMemoryLimit(t *testing.T) {
	for _, test := range []struct{ live, want int64 }{
		{0, 28 << 20},
		{14 << 20, 28 << 20},
		{64 << 20, 102 << 20},
	} {
		if got := limitFor(test.live, memoryBudget); got != test.want {
			t.Errorf("limit with %d MiB in use: %d MiB, want %d", test.live>>20, got>>20, test.want>>20)
		}
	}
}
