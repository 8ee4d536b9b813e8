// Package post holds the words that every part of refrain exchanges: a Post as
// its platform showed it at one time, the Account behind it, its Media and
// Counts, the Time it claims, the Outcome of a fetch and the Capture that
// proves it. It imports the standard library only, and does nothing: what only
// one package needs to do with a Post stays in that package.
//
// # JSON
//
// A Post is written as one line of JSON. docs/post.md describes the fields and
// schema.json (see Schema) defines them. Field names are final: a reader of
// ours in ten years understands a line of today.
//
// A missing field means that the capture did not show it. It never means zero,
// empty or "no".
package post

import "time"

// A Post is one public item (post, comment, video, pin, answer, page) as its
// platform showed it at FetchedAt.
//
// Title and Text are kept as published: character references decoded, markup
// turned into text with its line breaks, and nothing else changed. Normalised
// forms for comparison belong to package narrative.
type Post struct {
	Platform string `json:"platform"` // registry name: "reddit"
	ID       string `json:"id"`       // the platform's own id, unique within Platform; always a string
	Kind     Kind   `json:"kind"`
	URL      string `json:"url,omitempty"` // canonical address, without tracking or session parameters

	Account Account `json:"account,omitzero"` // the author; zero where the platform names none
	Title   string  `json:"title,omitempty"`
	Text    string  `json:"text,omitempty"`
	Lang    string  `json:"lang,omitempty"` // BCP 47, only where the platform states it

	Created   Time      `json:"created,omitzero"`    // as the platform claims; exact, or an interval with the raw words
	Edited    Time      `json:"edited,omitzero"`     // last edit; zero if never, or if the platform does not say
	FetchedAt time.Time `json:"fetched_at,omitzero"` // UTC, when the last byte of the response arrived

	Counts   []Count  `json:"counts,omitempty"`
	Media    []Media  `json:"media,omitempty"`    // in the order of the post
	Links    []string `json:"links,omitempty"`    // outgoing links, absolute, as they stand in the post
	Hashtags []string `json:"hashtags,omitempty"` // without "#", in the spelling of the post
	Mentions []string `json:"mentions,omitempty"` // handles, without "@"
	Refs     []Ref    `json:"refs,omitempty"`     // relations to other posts
	Thread   string   `json:"thread,omitempty"`   // id of the item that a comment or reply finally hangs under
	Tags     []string `json:"tags,omitempty"`     // what the author or platform files it under: labels, categories, flair, state marks

	Outcome Outcome `json:"outcome,omitempty"` // how this item was served: ok, removed, members_only, …
	Capture Capture `json:"capture,omitzero"`  // where the bytes are that this was read from
	Reader  string  `json:"reader,omitempty"`  // collector and version that read it: "reddit/1"
}

// Kind says what a Post is.
type Kind string

// The kinds of posts. A platform's own word maps onto one of them.
const (
	KindPost     Kind = "post"
	KindComment  Kind = "comment"
	KindVideo    Kind = "video"
	KindImage    Kind = "image"
	KindPin      Kind = "pin"
	KindQuestion Kind = "question"
	KindAnswer   Kind = "answer"
	KindArticle  Kind = "article"
	KindPage     Kind = "page"    // a web page
	KindAccount  Kind = "account" // an account's own profile: name, bio, counts
)

// Kinds are all kinds, in the order of documentation.
func Kinds() []Kind {
	return []Kind{KindPost, KindComment, KindVideo, KindImage, KindPin, KindQuestion, KindAnswer, KindArticle, KindPage, KindAccount}
}

// An Account is one account of a platform, as it was shown with a post.
// Handle, Name and Avatar are dated observations, not its identity: ID is,
// where the platform shows one.
type Account struct {
	Platform string  `json:"platform,omitempty"`
	ID       string  `json:"id,omitempty"`     // native id: never a handle
	Handle   string  `json:"handle,omitempty"` // as in its address, without "@" or "u/"
	Name     string  `json:"name,omitempty"`   // as displayed
	URL      string  `json:"url,omitempty"`
	Avatar   string  `json:"avatar,omitempty"` // URL of the picture
	Created  Time    `json:"created,omitzero"`
	Counts   []Count `json:"counts,omitempty"` // followers, posts, …
}

// Count is one public number of a post or account. Missing is not zero: a
// count that the platform does not serve is absent or says so in State.
type Count struct {
	Name      string    `json:"name"`  // likes, dislikes, score, comments, reposts, quotes, views, notes, followers, …
	Value     int64     `json:"value"` // meaningful only when State is StatePresent
	Precision Precision `json:"precision"`
	State     State     `json:"state"`
}

// Precision says how exactly the platform stated a count.
type Precision string

// The precisions of a count.
const (
	PrecisionExact   Precision = "exact"
	PrecisionRounded Precision = "rounded" // "26k views"
	PrecisionUnknown Precision = "unknown"
)

// State says whether the platform stated a count at all.
type State string

// The states of a count.
const (
	StatePresent   State = "present"
	StateHidden    State = "hidden"     // the author or platform hides it on purpose
	StateAbsent    State = "absent"     // the field exists for such items, this one lacks it
	StateNotServed State = "not_served" // this route never carries it
)

// ExactCount is a count that the platform stated to the unit.
func ExactCount(name string, value int64) Count {
	return Count{Name: name, Value: value, Precision: PrecisionExact, State: StatePresent}
}

// RoundedCount is a count that the platform stated rounded.
func RoundedCount(name string, value int64) Count {
	return Count{Name: name, Value: value, Precision: PrecisionRounded, State: StatePresent}
}

// HiddenCount is a count that the platform or author hides.
func HiddenCount(name string) Count {
	return Count{Name: name, Precision: PrecisionUnknown, State: StateHidden}
}

// Media is one picture, video or sound of a post, as the post names it.
type Media struct {
	Kind     string  `json:"kind"` // image, video, audio, file
	URL      string  `json:"url,omitempty"`
	Alt      string  `json:"alt,omitempty"` // alternative text or caption of this item
	Width    int     `json:"width,omitempty"`
	Height   int     `json:"height,omitempty"`
	Duration float64 `json:"duration_s,omitempty"` // seconds
}

// The kinds of Media.
const (
	MediaImage = "image"
	MediaVideo = "video"
	MediaAudio = "audio"
	MediaFile  = "file"
)

// Role says how a post relates to another one.
type Role string

// The roles of a Ref.
const (
	RoleReplyTo     Role = "reply_to"
	RoleRepostOf    Role = "repost_of"
	RoleQuoteOf     Role = "quote_of"
	RoleCrosspostOf Role = "crosspost_of"
	RoleReblogRoot  Role = "reblog_root"
	RoleTrail       Role = "trail"
	RoleCommentOn   Role = "comment_on"
)

// Ref is a relation to another post, as far as the capture tells.
type Ref struct {
	Role     Role   `json:"role"`
	Platform string `json:"platform,omitempty"` // empty: the same platform
	ID       string `json:"id,omitempty"`
	URL      string `json:"url,omitempty"`
	Account  string `json:"account,omitempty"` // handle of the other post's author
	Order    int    `json:"order,omitempty"`   // position in a trail, from 1, oldest first
}

// Capture says where the bytes lie that a post was read from: a record of a
// WARC, or a line of an imported file.
type Capture struct {
	RecordID      string `json:"record_id,omitempty"` // WARC-Record-ID of the response, with its angle brackets removed: urn:uuid:…
	File          string `json:"file,omitempty"`      // base name of the WARC
	Offset        int64  `json:"offset"`              // of the record's first byte in File
	PayloadDigest string `json:"payload_digest,omitempty"`
	Import        string `json:"import,omitempty"` // sha256:HEX of the imported file
	Line          int64  `json:"line,omitempty"`   // in the imported file, from 1
}

// Key is the name of a post across platforms: PLATFORM:ID.
func (p *Post) Key() string { return p.Platform + ":" + p.ID }

// URN is the target URI of a post's resource record in a WARC.
func (p *Post) URN() string { return "urn:refrain:post:" + p.Platform + ":" + p.ID }
