package jsonx

import (
	"bytes"
	"encoding/json"
	"fmt"
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
		`"\u12"`, `"\x"`, `nul`, `{}x`, `"é桥"`, `1e5`, ``, `"\\"`, `{"é":1}`, `{"b":{"a":{}},"a":[{"c":{}}],"b":{},"stop":{"d":{}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, ok := parseFast(text)
		if !ok {
			return
		}
		got := tree(Value{doc: d})
		want, valid := slow(text)
		if !valid || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, encoding/json gives %#v, %v", text, got, want, valid)
		}
		if again := tree(Of(want)); !reflect.DeepEqual(again, want) {
			t.Errorf("%q: the methods give %#v of %#v", text, again, want)
		}
		if got, want := walked(Value{doc: d}), walked(Of(want)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: Walk visits %#v, of what encoding/json gives %#v", text, got, want)
		}
	})
}

// walked gives what Walk visits, in order; what is below an object with the key
// "stop" is left out.
func walked(v Value) []any {
	var all []any
	v.Walk(func(o Value) bool {
		all = append(all, tree(o))
		return !o.Has("stop")
	})
	return all
}

func TestWalk(t *testing.T) {
	for _, text := range []string{`{"b":{"x":1},"a":[{"y":{}},2,[{"z":1}]],"b":{"w":{}},"c":{"stop":1,"d":{}},"\u0061b":{"e":1},"ab":{"f":1},"g":{"h":1},"g":3}`, `[]`, `3`, `[{"a":{}},{"b":[[{}]]}]`} {
		v, ok := slow([]byte(text))
		d, fits := parseFast([]byte(text))
		if !ok || !fits {
			t.Fatalf("%s is not read", text)
		}
		if got, want := walked(Value{doc: d}), walked(Of(v)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// tree makes of v what encoding/json makes of its text, by the methods of Value.
func tree(v Value) any {
	switch {
	case v.IsObject():
		m := map[string]any{}
		for _, k := range v.Keys() {
			m[k] = tree(v.Get(k))
		}
		return m
	case v.IsArray():
		a := []any{}
		for i, e := range v.Array() {
			if v.At(i).at != e.at {
				panic("Array and At differ")
			}
			a = append(a, tree(e))
		}
		return a
	case v.IsString():
		return v.String()
	case v.Bool():
		return true
	case !v.Exists():
		return nil
	case v.String() != "":
		return json.Number(v.String())
	}
	return false
}

// TestManyMembers looks up members where an object has an index of its keys,
// the last of equal ones being the one that counts.
func TestManyMembers(t *testing.T) {
	for _, n := range []int{indexFrom - 2, indexFrom - 1, indexFrom, 1000} {
		var b bytes.Buffer
		b.WriteString(`{"inner":{"a":1},"twice":1,"tw\u0069ce":2`)
		for i := range n - 3 {
			fmt.Fprintf(&b, `,"k%d":%d`, i, i)
		}
		b.WriteString("}")
		v, err := Parse(b.Bytes())
		if err != nil || v.doc == nil {
			t.Fatal(err)
		}
		last := fmt.Sprint(n - 4)
		if v.Get("twice").String() != "2" || v.Get("k"+last).String() != last || v.Get("inner", "a").String() != "1" || v.Has("none") || len(v.Keys()) != n-1 {
			t.Errorf("%d members: %s", n, b.String())
		}
	}
}

// TestFastTakesWhatIsPlain makes sure that the quick way is taken at all.
func TestFastTakesWhatIsPlain(t *testing.T) {
	for _, text := range []string{`{"a":[1,-0.5e+3,true,false,null,"x"],"b":{}}`, `"\ud83d\ude00é\n"`, ` [ ] `} {
		if _, ok := parseFast([]byte(text)); !ok {
			t.Errorf("%s is left to encoding/json", text)
		}
	}
}
