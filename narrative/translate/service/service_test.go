package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// serve starts a service on loopback that answers each question with answer.
func serve(t *testing.T, answer func(q map[string]any, w http.ResponseWriter)) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]any
		if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&q) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		answer(q, w)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func upper(list any) []string {
	var out []string
	for _, x := range list.([]any) {
		out = append(out, strings.ToUpper(x.(string)))
	}
	return out
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTranslateOverHTTP(t *testing.T) {
	batches := 0
	address := serve(t, func(q map[string]any, w http.ResponseWriter) {
		batches++
		if q["from"] != "de" || q["to"] != "en" {
			t.Errorf("%v", q)
		}
		fmt.Fprint(w, mustJSON(map[string]any{"translations": upper(q["texts"])}))
	})
	var texts, want []string
	for i := range MaxBatch + 3 {
		texts = append(texts, fmt.Sprint("katze ", i))
		want = append(want, fmt.Sprint("KATZE ", i))
	}
	got, err := client(t, Options{URL: address}).Translate(context.Background(), texts, "de", "en")
	if err != nil || !slices.Equal(got, want) || batches != 2 {
		t.Errorf("%v, %v, %d batches", got, err, batches)
	}
	address = serve(t, func(q map[string]any, w http.ResponseWriter) {
		if q["source"] != "auto" || q["target"] != "en" || q["format"] != "text" {
			t.Errorf("%v", q)
		}
		fmt.Fprint(w, mustJSON(map[string]any{"translatedText": upper(q["q"])}))
	})
	got, err = client(t, Options{URL: address, Format: LibreTranslate}).Translate(context.Background(), []string{"katze"}, "", "en")
	if err != nil || !slices.Equal(got, []string{"KATZE"}) {
		t.Errorf("%v, %v", got, err)
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestEmbedOverHTTP(t *testing.T) {
	answer := `{"embeddings":[[1,0],[0.6,0.8]]}`
	address := serve(t, func(_ map[string]any, w http.ResponseWriter) { fmt.Fprint(w, answer) })
	c := client(t, Options{URL: address})
	v, err := c.Embed(context.Background(), []string{"a", "b"})
	if err != nil || len(v) != 2 {
		t.Fatalf("%v, %v", v, err)
	}
	if got := Cosine(v[0], v[1]); got < 0.5999 || got > 0.6001 {
		t.Errorf("cosine %v", got)
	}
	if Cosine(v[0], []float32{0, 0}) != 0 {
		t.Error("a vector without length is like another")
	}
	for _, bad := range []string{`{"embeddings":[[1,0],[1]]}`, `{"embeddings":[[],[]]}`, `{"embeddings":[[1,0]]}`, `{"embeddings":[[1e99,0],[0,1]]}`, `{}`, `[`} {
		answer = bad
		if v, err := c.Embed(context.Background(), []string{"a", "b"}); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v, %v", bad, v, err)
		}
	}
}

func TestServiceThatMisbehaves(t *testing.T) {
	reached := false
	elsewhere := serve(t, func(map[string]any, http.ResponseWriter) { reached = true })
	for name, answer := range map[string]func(q map[string]any, w http.ResponseWriter){
		"too few":   func(_ map[string]any, w http.ResponseWriter) { fmt.Fprint(w, `{"translations":["A"]}`) },
		"too many":  func(_ map[string]any, w http.ResponseWriter) { fmt.Fprint(w, `{"translations":["A","B","C"]}`) },
		"no JSON":   func(_ map[string]any, w http.ResponseWriter) { fmt.Fprint(w, `<html>`) },
		"a failure": func(_ map[string]any, w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"elsewhere": func(_ map[string]any, w http.ResponseWriter) {
			w.Header().Set("Location", elsewhere)
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		"without end": func(_ map[string]any, w http.ResponseWriter) {
			for range maxAnswer>>20 + 2 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		},
	} {
		c := client(t, Options{URL: serve(t, answer)})
		if got, err := c.Translate(context.Background(), []string{"a", "b"}, "de", "en"); !errors.Is(err, ErrAnswer) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if reached {
		t.Error("another address than the configured one was reached")
	}
	silent := serve(t, func(_ map[string]any, _ http.ResponseWriter) { time.Sleep(300 * time.Millisecond) })
	if _, err := client(t, Options{URL: silent, Timeout: 20 * time.Millisecond}).Translate(context.Background(), []string{"a"}, "", "en"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent: %v", err)
	}
}

// The command is this test program, which then does what its environment says.
func TestMain(m *testing.M) {
	switch os.Getenv("REFRAIN_TEST_SERVICE") {
	case "upper":
		d := json.NewDecoder(os.Stdin)
		for {
			var q struct{ Text, From, To string }
			if d.Decode(&q) != nil {
				os.Exit(0)
			}
			fmt.Println(mustJSON(map[string]any{"translation": strings.ToUpper(q.Text) + " " + q.From + q.To, "embedding": []int{len(q.Text), 1}}))
		}
	case "odd":
		fmt.Println(`{"something":1}`)
		os.Exit(0)
	case "fails":
		fmt.Fprintln(os.Stderr, "no model")
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func TestCommand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, Options{Command: []string{self}})
	t.Setenv("REFRAIN_TEST_SERVICE", "upper")
	got, err := c.Translate(context.Background(), []string{"a\nb", "c"}, "de", "en")
	if err != nil || !slices.Equal(got, []string{"A\nB deen", "C deen"}) {
		t.Errorf("%q, %v", got, err)
	}
	v, err := c.Embed(context.Background(), []string{"aaa", "c"})
	if err != nil || len(v) != 2 || v[0][0] != 3 {
		t.Errorf("%v, %v", v, err)
	}
	t.Setenv("REFRAIN_TEST_SERVICE", "odd")
	if _, err := c.Translate(context.Background(), []string{"a"}, "de", "en"); !errors.Is(err, ErrAnswer) {
		t.Errorf("%v", err)
	}
	t.Setenv("REFRAIN_TEST_SERVICE", "fails")
	if _, err := c.Translate(context.Background(), []string{"a"}, "de", "en"); err == nil || !strings.Contains(err.Error(), "no model") {
		t.Errorf("%v", err)
	}
	if runtime.GOOS != "windows" {
		if _, err := client(t, Options{Command: []string{"sleep", "5"}, Timeout: 50 * time.Millisecond}).Embed(context.Background(), []string{"a"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, o := range []Options{{}, {URL: "http://127.0.0.1:1", Command: []string{"x"}}, {URL: "ftp://x"}, {URL: "127.0.0.1:5000"}, {URL: "http://127.0.0.1", Format: "fax"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}
