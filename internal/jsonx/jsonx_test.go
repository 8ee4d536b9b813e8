package jsonx

import "testing"

func TestValue(t *testing.T) {
	v, err := Parse([]byte(`{"id":9007199254740993,"s":"12","f":1.5e3,"n":null,"a":[{"deep":{"k":"v"}}],"t":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Get("id").String(); got != "9007199254740993" {
		t.Errorf("id %q lost digits", got)
	}
	if n, ok := v.Get("s").Int(); !ok || n != 12 {
		t.Errorf("a string of digits: %d %v", n, ok)
	}
	if n, ok := v.Get("f").Int(); !ok || n != 1500 {
		t.Errorf("1.5e3: %d %v", n, ok)
	}
	if v.Get("n").Exists() || !v.Has("n") || v.Has("none") {
		t.Error("null and missing are not told apart")
	}
	if got := v.Find("k").String(); got != "v" {
		t.Errorf("find: %q", got)
	}
	if v.Get("x", "y", "z").Exists() || v.At(3).Exists() {
		t.Error("a missing path exists")
	}
	if _, err := Parse([]byte(`{} x`)); err == nil {
		t.Error("text after the value was accepted")
	}
}

func TestAfter(t *testing.T) {
	for _, test := range []struct{ text, marker, want string }{
		{`var a = {"x":"}\"{"}; b`, "var a", `{"x":"}\"{"}`},
		{`Site.page = [1,[2]];`, "Site.page", `[1,[2]]`},
		{`Site.page.x = 1; Site.page = {"k":1}`, "Site.page", `{"k":1}`},
		{`a = {"cut":`, "a", ``},
		{``, "a", ``},
	} {
		got, ok := After([]byte(test.text), test.marker)
		if string(got) != test.want || ok != (test.want != "") {
			t.Errorf("After(%q, %q) = %q, %v", test.text, test.marker, got, ok)
		}
	}
}
