package post

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestGoldenPostsPassTheSchema checks every post in the golden files of the
// collectors: what they give is what the schema promises.
func TestGoldenPostsPassTheSchema(t *testing.T) {
	s := compile(t)
	files, err := filepath.Glob(filepath.Join("..", "*", "*", "testdata", "*golden*"))
	if err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Some golden files are JSON, others hold JSON objects among lines of text.
		n := 0
		for at := 0; at < len(data); {
			d := json.NewDecoder(bytes.NewReader(data[at:]))
			var raw json.RawMessage
			if data[at] != '{' && data[at] != '[' || d.Decode(&raw) != nil {
				end := bytes.IndexByte(data[at:], '\n')
				if end < 0 {
					break
				}
				at += end + 1
				continue
			}
			at += int(d.InputOffset())
			v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			n += checkPosts(t, s, file, v)
		}
		posts += n
	}
	if len(files) < 20 || posts < 100 {
		t.Errorf("only %d posts in %d golden files: is the pattern right?", posts, len(files))
	}
}

// checkPosts validates every object that has platform, id and kind as a post,
// but for those within a post: accounts and refs.
func checkPosts(t *testing.T, s *jsonschema.Schema, file string, v any) (n int) {
	switch x := v.(type) {
	case []any:
		for _, e := range x {
			n += checkPosts(t, s, file, e)
		}
	case map[string]any:
		_, hasPlatform := x["platform"]
		_, hasID := x["id"]
		_, hasKind := x["kind"]
		isRef := true // a crawlers.Ref: it has no other members
		for name := range x {
			isRef = isRef && strings.Contains(" platform kind id alias of url ", " "+name+" ")
		}
		if hasPlatform && hasID && hasKind && !isRef {
			if err := s.Validate(v); err != nil {
				t.Errorf("%s: post %v: %v", file, x["id"], err)
			}
			return 1
		}
		for _, e := range x {
			n += checkPosts(t, s, file, e)
		}
	}
	return n
}
