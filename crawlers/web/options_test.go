package web

import (
	"encoding/json"
	"testing"
)

// What quickOptions takes, encoding/json reads in the same way.
func FuzzQuickOptions(f *testing.F) {
	for _, o := range []Options{{Depth: 1}, {Depth: 100, Links: true}, {Links: true, Feeds: true, Hops: 3}, {Feeds: true}, {Hops: 10}} {
		if got, ok := quickOptions(o.State()); !ok || got != o {
			f.Errorf("%s is read as %+v, %v", o.State(), got, ok)
		}
		f.Add(string(o.State()))
	}
	for _, s := range []string{"{}", `{"depth":01}`, `{"depth":+1}`, `{"depth":1,"depth":2}`, `{"links":true,"links":false}`, `{"depth":1}}`, `{"depth":}`, `{,}`, `{"depth":1,}`, `{"x":1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := quickOptions([]byte(s))
		if !ok {
			return
		}
		var want Options
		if err := json.Unmarshal([]byte(s), &want); err != nil || o != want {
			t.Errorf("%q is read as %+v, encoding/json says %+v, %v", s, o, want, err)
		}
	})
}
