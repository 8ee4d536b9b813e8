package post

import _ "embed" // schema.json

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of a Post. docs/post.md explains it.
func Schema() []byte { return append([]byte(nil), schema...) }
