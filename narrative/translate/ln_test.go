package translate

import (
	"math"
	"testing"
)

func TestLn(t *testing.T) {
	for x := float32(1e-7); x < 1e3; x *= 1.003 {
		if got, want := float64(ln(x)), math.Log(float64(x)); math.Abs(got-want) > 2e-3 {
			t.Fatalf("ln(%v) is %v, want %v", x, got, want)
		}
	}
}
