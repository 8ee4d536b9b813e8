package hashtags_test

import (
	"slices"
	"testing"

	"github.com/refrain-archive/refrain/internal/hashtags"
)

func TestIn(t *testing.T) {
	for _, test := range []struct {
		text string
		want []string
	}{
		{"Follow #Ostheimbridge and #openit, #openit!", []string{"Ostheimbridge", "openit"}},
		{"(#first) «#второй» #第三 #हिन्दी", []string{"first", "второй", "第三", "हिन्दी"}},
		{"#1 in sales, C# and F#, https://a.example/#part &#39; ##x", nil},
		{"#2024vote #under_score", []string{"2024vote", "under_score"}},
		{"#", nil},
		{"\xff#tag", []string{"tag"}},
	} {
		if got := hashtags.In(test.text); !slices.Equal(got, test.want) {
			t.Errorf("In(%q) = %q, want %q", test.text, got, test.want)
		}
	}
}
