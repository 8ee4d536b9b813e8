package jsonx

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"
)

// slow is what encoding/json makes of a text.
func slow(text []byte) (any, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

func FuzzFast(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-0.5e+3,true,false,null,"x"],"b":{},"a":2}`, `"\ud83d\ude00 \ud83d \ude00x\u00e9\/\b"`, ` [ ] `, `{"a" : "b" , "c\n":"\"" }`, "\"\xff\"", "\"a\nb\"", `01`, `-`, `1.`, `[1,]`, `{"a":1,}`,
		`"\u12"`, `"\x"`, `nul`, `{}x`, `"é桥"`, `1e5`, ``, `"\\"`, `{"é":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := parseFast(text)
		want, valid := slow(text)
		if ok && (!valid || !reflect.DeepEqual(got, want)) {
			t.Errorf("%q: %#v, encoding/json gives %#v, %v", text, got, want, valid)
		}
	})
}

// TestFastTakesWhatIsPlain makes sure that the quick way is taken at all.
func TestFastTakesWhatIsPlain(t *testing.T) {
	for _, text := range []string{`{"a":[1,-0.5e+3,true,false,null,"x"],"b":{}}`, `"\ud83d\ude00é\n"`, ` [ ] `} {
		if _, ok := parseFast([]byte(text)); !ok {
			t.Errorf("%s is left to encoding/json", text)
		}
	}
}
