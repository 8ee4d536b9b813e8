package quora

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/refrain-archive/refrain/internal/hashtags"
	"github.com/refrain-archive/refrain/internal/jsonx"
	"github.com/refrain-archive/refrain/post"
)

// ReadItem reads one answer, question, Space post or account as Quora's data
// states it, for importers. It gives false for anything else.
func ReadItem(raw []byte) (post.Post, bool) {
	v, err := jsonx.Parse(raw)
	if err != nil || !v.IsObject() {
		return post.Post{}, false
	}
	kind, id := identify(v)
	return item(gather([]jsonx.Value{v}), kind, id)
}

// item makes a post of a thing, where enough of it is there to be one: of what
// a page only refers to there is an id and a name.
func item(s *store, kind, id string) (post.Post, bool) {
	o := s.thing(kind, id)
	switch kind {
	case "aid":
		if o.get("content").Exists() || o.get("creationTime").Exists() || o.isTrue("isDeleted") {
			return answer(s, id, o), true
		}
	case "pid":
		if o.get("content").Exists() || o.get("creationTime").Exists() {
			return spacePost(s, id, o), true
		}
	case "cid":
		if o.get("content").Exists() {
			return comment(s, id, o), true
		}
	case "qid":
		if o.get("title").Exists() && (o.get("answerCount").Exists() || o.get("followerCount").Exists() || o.isTrue("isDeleted")) {
			return question(s, id, o), true
		}
	case "uid":
		if o.get("followerCount").Exists() || o.get("description").Exists() || o.get("descriptionQtextDocument").Exists() {
			return profile(id, o), true
		}
	}
	return post.Post{}, false
}

func answer(s *store, id string, o object) post.Post {
	p := post.Post{ID: id, Kind: post.KindAnswer, URL: link(o.text("permaUrl", "url", "permaUrlOnOriginalQuestion")), Outcome: post.OK}
	fill(s, &p, o)
	q := o.sub("question")
	if qid := q.text("qid"); isNumber(qid) {
		p.Refs = append(p.Refs, post.Ref{Role: post.RoleReplyTo, ID: "question:" + qid, URL: link(q.text("url"))})
		p.Thread = "question:" + qid
		whole := append(append(object{}, q...), s.thing("qid", qid)...)
		p.Title = readQText(whole.get("title")).text
	}
	if from := o.sub("originalQuestionIfDifferent"); len(from) > 0 && from.text("qid") != q.text("qid") && isNumber(from.text("qid")) {
		p.Tags = appendNew(p.Tags, "merged_from:question:"+from.text("qid"))
	}
	if o.isTrue("isMachineAnswer") {
		p.Tags = appendNew(p.Tags, "machine_answer")
	}
	for _, name := range []string{"sourceAnswer", "sourceQuestion"} {
		if from := o.sub(name); len(from) > 0 {
			r := post.Ref{Role: post.RoleRepostOf, ID: from.text("aid"), URL: link(from.text("permaUrl", "url"))}
			if name == "sourceAnswer" && (r.ID != "" || r.URL != "") {
				p.Refs = append(p.Refs, r)
			}
		}
	}
	return p
}

func spacePost(s *store, id string, o object) post.Post {
	p := post.Post{ID: "post:" + id, Kind: post.KindPost, URL: link(o.text("permaUrl", "url")), Title: readQText(o.get("title")).text, Outcome: post.OK}
	fill(s, &p, o)
	for _, name := range []string{"originalPost", "sharedContent", "originalContentObject", "quotedContent"} {
		from := o.sub(name)
		kind, from2 := "", ""
		for _, v := range from {
			if kind, from2 = identify(v); kind != "" {
				break
			}
		}
		if kind == "aid" || kind == "pid" {
			p.Refs = append(p.Refs, post.Ref{Role: post.RoleRepostOf, ID: postID(kind, from2), URL: link(from.text("permaUrl", "url"))})
		}
	}
	return p
}

func comment(s *store, id string, o object) post.Post {
	p := post.Post{ID: "comment:" + id, Kind: post.KindComment, URL: link(o.text("permaUrl", "url")), Outcome: post.OK}
	fill(s, &p, o)
	for _, name := range []string{"answer", "post", "question", "commentable", "parentComment"} {
		for _, v := range o.sub(name) {
			kind, on := identify(v)
			if kind == "" || kind == "uid" {
				continue
			}
			role := post.RoleCommentOn
			if kind == "cid" {
				role = post.RoleReplyTo
			} else {
				p.Thread = postID(kind, on)
			}
			p.Refs = append(p.Refs, post.Ref{Role: role, ID: postID(kind, on)})
			break
		}
	}
	return p
}

// postID is the ID of a post of a kind.
func postID(kind, id string) string {
	switch kind {
	case "qid":
		return "question:" + id
	case "uid":
		return "user:" + id
	case "pid":
		return "post:" + id
	case "cid":
		return "comment:" + id
	}
	return id
}

// fill reads what answers, posts and comments share.
func fill(s *store, p *post.Post, o object) {
	p.Created = micros(o.get("creationTime"))
	if t := micros(o.get("updatedTime")); !t.IsZero() && t.Time.After(p.Created.Time) {
		p.Edited = t
	}
	authorOf(s, p, o)
	count := func(name string, v jsonx.Value) {
		if n, ok := v.Int(); ok && n >= 0 {
			p.Counts = append(p.Counts, post.ExactCount(name, n))
		}
	}
	count("upvotes", o.get("numUpvotes"))
	count("views", o.get("numViews"))
	count("shares", o.get("numShares"))
	count("comments", o.get("numDisplayComments", "numComments"))
	p.Lang = o.sub("network").text("contentLanguageCode")
	for _, f := range []struct{ tag, name string }{{"translated", "isTranslated"}, {"collapsed", "isCollapsedForViewer"}, {"locked", "isModerationLocked"}, {"sensitive", "isSensitive"}} {
		if o.isTrue(f.name) {
			p.Tags = appendNew(p.Tags, f.tag)
		}
	}
	if c := o.sub("authorCredential").text("translatedString", "description"); c != "" {
		p.Tags = appendNew(p.Tags, "credential:"+c)
	}
	space := o.sub("tribe")
	if len(space) == 0 {
		space = o.sub("tribeItem").sub("tribe")
	}
	if name := space.text("nameString", "name"); name != "" {
		p.Tags = appendNew(p.Tags, "space:"+name)
	}
	switch {
	case o.isTrue("isDeleted"):
		p.Outcome = post.Deleted
	case o.isFalse("viewerHasAccess"):
		p.Outcome = post.LoginWall
		if opt := o.text("effectiveAccessOption"); opt != "" && opt != "free" {
			p.Outcome = post.MembersOnly
		}
		return // the words are not open to the viewer
	}
	q := readQText(firstValue(o, "content", "contentQtextDocument"))
	p.Text, p.Links, p.Media, p.Mentions = q.text, q.links, q.media, q.mentions
	p.Hashtags = hashtags.In(p.Text)
}

func firstValue(o object, names ...string) jsonx.Value {
	for _, n := range names {
		if v := o.get(n); v.Exists() {
			return v
		}
	}
	return jsonx.Value{}
}

// authorOf reads who wrote it; nobody where the platform names none.
func authorOf(s *store, p *post.Post, o object) {
	a := o.sub("author")
	if len(a) == 0 {
		a = o.sub("user")
	}
	if a.isTrue("isAnon") {
		p.Tags = appendNew(p.Tags, "anonymous")
		return
	}
	if uid := a.text("uid"); isNumber(uid) {
		a = append(append(object{}, a...), s.thing("uid", uid)...)
	}
	p.Account = account(a)
	if a.isTrue("isMachineAnswerBot", "isAiAccount") {
		p.Tags = appendNew(p.Tags, "machine_account")
	}
}

func account(o object) post.Account {
	a := post.Account{}
	if uid := o.text("uid"); isNumber(uid) && uid != "0" {
		a.ID = uid
	}
	if u, err := url.Parse(o.text("profileUrl")); err == nil {
		if parts := segments(u.Path); len(parts) == 2 && parts[0] == "profile" && isSlug(parts[1]) {
			a.Handle, a.URL = parts[1], accountRef("", parts[1]).URL
		}
	}
	a.Name = name(o.get("names"))
	if a.Name == "" {
		a.Name = o.text("name", "fullName")
	}
	if pic := address(o.text("profileImageUrl", "smallProfileImageUrl")); !strings.Contains(pic, "profile_default") {
		a.Avatar = pic
	}
	for _, c := range []struct{ name, key string }{{"followers", "followerCount"}, {"following", "followingCount"}, {"answers", "numPublicAnswers"}, {"questions", "numProfileQuestions"}, {"posts", "postsCount"}, {"views", "allTimePublicContentViews"}} {
		if n, ok := o.get(c.key).Int(); ok && n >= 0 {
			a.Counts = append(a.Counts, post.ExactCount(c.name, n))
		}
	}
	return a
}

// name puts the parts of a name in their order; Quora leaves spaces in them.
func name(names jsonx.Value) string {
	n := names.At(0)
	given, family := strings.TrimSpace(n.Get("givenName").String()), strings.TrimSpace(n.Get("familyName").String())
	if n.Get("reverseOrder").Bool() {
		given, family = family, given
	}
	return strings.TrimSpace(given + " " + family)
}

func question(s *store, id string, o object) post.Post {
	p := post.Post{ID: "question:" + id, Kind: post.KindQuestion, URL: link(o.text("url")), Title: readQText(o.get("title")).text, Outcome: post.OK}
	details := readQText(firstValue(o, "content", "details", "detailsQtextDocument"))
	p.Text, p.Links, p.Media, p.Mentions = details.text, details.links, details.media, details.mentions
	if asker := o.sub("asker"); !asker.isTrue("isAnon") {
		if uid := asker.text("uid"); isNumber(uid) {
			p.Account = account(append(append(object{}, asker...), s.thing("uid", uid)...))
		}
	}
	p.Created = micros(o.get("creationTime"))
	for _, c := range []struct{ name, key string }{{"answers", "answerCount"}, {"merged_answers", "decanonicalizedAnswerCount"}, {"ranked_answers", "mixRankedAnswersCount"}, {"followers", "followerCount"}, {"comments", "numDisplayComments"}, {"views", "numViews"}} {
		if n, ok := o.get(c.key).Int(); ok && n >= 0 {
			p.Counts = append(p.Counts, post.ExactCount(c.name, n))
		}
	}
	for _, list := range []string{"topics", "navigationTopics"} {
		for _, t := range o.get(list).Array() {
			if n := strings.TrimSpace(t.Get("name").String()); n != "" {
				p.Tags = appendNew(p.Tags, n)
			}
		}
	}
	if o.isTrue("isLocked") {
		p.Tags = appendNew(p.Tags, "locked")
	}
	p.Lang = o.sub("network").text("contentLanguageCode")
	if o.isTrue("isDeleted") {
		p.Outcome = post.Deleted
	}
	return p
}

func profile(id string, o object) post.Post {
	a := account(o)
	a.ID = id
	p := post.Post{ID: "user:" + id, Kind: post.KindAccount, URL: a.URL, Account: a, Title: a.Name, Outcome: post.OK}
	bio := readQText(firstValue(o, "description", "descriptionQtextDocument"))
	p.Text, p.Links, p.Mentions = bio.text, bio.links, bio.mentions
	if c := o.sub("profileCredential").text("translatedString", "description", "experience"); c != "" {
		p.Tags = append(p.Tags, "credential:"+c)
	}
	switch {
	case o.isTrue("isBanned", "isUserBanned"):
		p.Outcome = post.Suspended
	case o.isTrue("deactivated", "isDeactivated"):
		p.Outcome = post.Unavailable
	case o.isTrue("isDeleted"):
		p.Outcome = post.Deleted
	}
	return p
}

// link makes an address of Quora absolute.
func link(path string) string {
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") {
		u, err := url.Parse(site + path)
		if err != nil {
			return ""
		}
		return u.String()
	}
	if u, err := url.Parse(address(path)); err == nil && u.Host != "" {
		return u.String()
	}
	return ""
}

// micros reads microseconds since 1970; 0 is none.
func micros(v jsonx.Value) post.Time {
	n, ok := v.Int()
	if !ok || n < 1e15 || n > 7e15 { // 2001 to 2191
		return post.Time{}
	}
	t := time.UnixMicro(n).UTC()
	if _, err := json.Marshal(t); err != nil {
		return post.Time{}
	}
	return post.Exact(t, "")
}
