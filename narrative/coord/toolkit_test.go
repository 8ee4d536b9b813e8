package coord

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

var messages = []Message{
	{ID: "1", User: "ann", Text: "@bob  Hello World", Links: []string{"L1", "L2", "L1"}, Time: 0},
	{ID: "2", User: "bob", Text: "hello world", Links: []string{"L2", "L1"}, Time: 5.5},
	{ID: "3", User: "ann", Text: "HELLO @cas world", Time: 10},
	{ID: "4", User: "cas", Text: "hello world", Links: []string{"L1"}, Repost: "1", Time: 6},
	{ID: "5", User: "dan", Text: "@ann", Repost: "1", Time: 7},
	{ID: "5", User: "eve", Repost: "1", Time: 7}, // the id is taken
}

func TestToolkitByHand(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		o    ToolkitOptions
		want []Directed
	}{
		// Messages 1 and 3 of ann each have bob's one partner; bob's one message has ann's.
		{CoTweet, ToolkitOptions{Window: 6 * time.Second}, []Directed{{"ann", "bob", 2}, {"bob", "ann", 1}}},
		{CoTweet, ToolkitOptions{Window: 6 * time.Second, MinWeight: 2}, []Directed{{"ann", "bob", 2}}},
		{CoTweet, ToolkitOptions{Window: 5 * time.Second}, []Directed{{"ann", "bob", 1}, {"bob", "ann", 1}}},
		{CoTweet, ToolkitOptions{Window: 10 * time.Second, Loops: true, MinWeight: 2}, []Directed{{"ann", "ann", 2}, {"ann", "bob", 2}}},
		// Two shared links of one message are one message.
		{CoLink, ToolkitOptions{Window: 6 * time.Second}, []Directed{{"ann", "bob", 1}, {"bob", "ann", 1}}},
		{CoRetweet, ToolkitOptions{Window: time.Second}, []Directed{{"cas", "dan", 1}, {"dan", "cas", 1}}},
		{CoRetweet, ToolkitOptions{}, nil},
		// Half a second between bob and cas, one between cas and dan.
		{CoPost, ToolkitOptions{Window: time.Second}, []Directed{{"bob", "cas", 1}, {"cas", "bob", 1}, {"cas", "dan", 1}, {"dan", "cas", 1}}},
	} {
		got, err := Toolkit(slices.Values(messages), c.kind, c.o)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %+v: %v, %v; want %v", c.kind, c.o, got, err, c.want)
		}
	}
}

func TestToolkitBadInput(t *testing.T) {
	for _, m := range []Message{{User: "a"}, {ID: "1"}, {ID: "1", User: "a", Time: math.NaN()}} {
		if _, err := Toolkit(slices.Values([]Message{m}), CoPost, ToolkitOptions{}); err == nil {
			t.Errorf("%+v is taken", m)
		}
	}
	if _, err := Toolkit(slices.Values(messages), "co_sleep", ToolkitOptions{}); err == nil {
		t.Error("an unknown kind is taken")
	}
	if _, err := Toolkit(slices.Values(messages), CoPost, ToolkitOptions{Window: -1}); err == nil {
		t.Error("a negative window is taken")
	}
}
