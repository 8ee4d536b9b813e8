// Package demoweb is a made-up social web on one loopback address: invented
// people and posts behind the host names and answer shapes of real platforms,
// with a small operation hidden among ordinary accounts. The demonstration, the
// end-to-end tests and anyone who wants to try refrain without touching a real
// site use it.
//
// It shares no code with the collectors or the linker, so that it cannot be
// wrong in the same way as they are. It does not reproduce how a platform
// looks, only what it answers.
package demoweb

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// The platforms that the web speaks, by the names of refrain's registry.
const (
	Blogspot    = "blogspot"
	Facebook    = "facebook"
	Instagram   = "instagram"
	LiveJournal = "livejournal"
	Medium      = "medium"
	Pinterest   = "pinterest"
	Quora       = "quora"
	Reddit      = "reddit"
	TikTok      = "tiktok"
	Tumblr      = "tumblr"
	Vimeo       = "vimeo"
	X           = "x"
	YouTube     = "youtube"
)

// A World is all accounts and posts. It is a function of its seed.
type World struct {
	Accounts []*Account
	Posts    []*Post            // oldest first
	Pictures map[string]Picture // uploads by file name
	Clips    map[string]Clip
}

// An Account is one invented account.
type Account struct {
	Platform  string
	Handle    string
	ID        string
	Name      string
	Created   time.Time
	Operation bool     // acts for the operation: the ground truth
	Avatar    string   // name of its picture
	State     string   // "", suspended, private: what a visitor is answered
	posts     []*Post  // newest first
	groups    []string // subreddits it posts in
}

// A Post is one invented post.
type Post struct {
	Account  *Account
	ID       string // as the platform numbers its posts
	Title    string
	Text     string // paragraphs parted by an empty line
	Time     time.Time
	Edited   time.Time
	Group    string // subreddit
	Link     string
	Tags     []string
	Image    string // name of a picture on the made-up image host of the platform
	Clip     string // name of a film; "" for none
	Likes    int
	Of       *Post  // the post that it openly reblogs or crossposts
	Story    string // narrative that it carries: the ground truth; "" for ordinary posts
	Lang     string // of a story's post
	How      string // how it got the story's words: one of the How constants, or two
	Comments []*Comment
}

// A Comment is one invented comment.
type Comment struct {
	ID     string
	Author string
	Text   string
	Time   time.Time
	Parent *Comment // nil: the post itself
}

// Day is the day on which the made-up web was last written to.
var Day = time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)

// Size says how big a World is. The zero Size is the demonstration's.
type Size struct {
	Ordinary  int // ordinary accounts of each platform whose accounts can be listed, half of it on each of the others; 0 is 24
	Operation int // accounts of the operation, in the same way; 0 is 4
	Posts     int // ordinary posts of an account, half of it on the others; 0 is 8
}

// NewWorld makes a World.
func NewWorld(seed uint64, size Size) *World {
	if size.Ordinary == 0 {
		size.Ordinary = 24
	}
	if size.Operation == 0 {
		size.Operation = 4
	}
	if size.Posts == 0 {
		size.Posts = 8
	}
	g := &generator{rand: rand.New(rand.NewPCG(seed, 0x7265667261696e)), world: &World{Pictures: map[string]Picture{}, Clips: map[string]Clip{}}, handles: map[string]bool{}}
	for _, platform := range []string{Blogspot, LiveJournal, Medium, Reddit, Tumblr} {
		for range size.Ordinary {
			g.ordinary(platform, size.Posts)
		}
		for range size.Operation {
			g.account(platform, true)
		}
	}
	// The others show a visitor little; fewer accounts do.
	for _, platform := range []string{Facebook, Instagram, Pinterest, Quora, TikTok, Vimeo, X, YouTube} {
		for range (size.Ordinary + 1) / 2 {
			g.ordinary(platform, max(1, size.Posts/2))
		}
		for range (size.Operation + 1) / 2 {
			g.account(platform, true)
		}
	}
	g.operation(size.Posts)
	g.ordinaryTalk()
	g.conversation()
	g.states()
	g.seeded()
	g.number()
	return g.world
}

type generator struct {
	rand    *rand.Rand
	world   *World
	handles map[string]bool
}

func (g *generator) pick(list []string) string { return list[g.rand.IntN(len(list))] }

func (g *generator) account(platform string, operation bool) *Account {
	a := &Account{Platform: platform, Operation: operation}
	for a.Handle == "" || g.handles[platform+a.Handle] {
		first, last := g.pick(firstNames), g.pick(lastNames)
		a.Name = first + " " + last
		a.Handle = strings.ToLower(first + last)
		switch {
		case operation: // a batch with a pattern, as such accounts have
			a.Handle = strings.ToLower(first) + fmt.Sprintf("%05d", g.rand.IntN(100000))
		case g.rand.IntN(2) == 0:
			a.Handle = strings.ToLower(g.pick(hobbies) + "with" + first)
		}
	}
	g.handles[platform+a.Handle] = true
	a.Created = Day.AddDate(0, 0, -400-g.rand.IntN(3000)).Add(time.Duration(g.rand.IntN(86400)) * time.Second)
	if operation {
		a.Created = time.Date(2026, 9, 14, 1+g.rand.IntN(8), g.rand.IntN(60), g.rand.IntN(60), 0, time.UTC)
	}
	a.Avatar = fmt.Sprintf("face%08x.png", g.rand.Uint32())
	if operation { // a few pictures for all
		a.Avatar = fmt.Sprintf("face%d.png", g.rand.IntN(4))
	}
	a.ID = fmt.Sprintf("%d", 100000000+g.rand.IntN(900000000))
	a.groups = []string{g.pick(groups), g.pick(groups)}
	g.world.Accounts = append(g.world.Accounts, a)
	return a
}

func (g *generator) ordinary(platform string, posts int) {
	a := g.account(platform, false)
	at := Day.Add(-time.Duration(g.rand.IntN(72)) * time.Hour)
	for range posts {
		at = at.Add(-time.Duration(6+g.rand.IntN(90)) * time.Hour).Add(-time.Duration(g.rand.IntN(3600)) * time.Second)
		p := g.post(a, at, g.chatterTitle(), g.chatter(2+g.rand.IntN(3)))
		p.Tags = []string{g.pick(hobbies), g.pick(places)}
		if g.rand.IntN(3) == 0 {
			p.Link = "https://harbour-times.example/" + Slug(g.pickStory().title)
		}
	}
}

func (g *generator) post(a *Account, at time.Time, title, text string) *Post {
	p := &Post{Account: a, Time: at.Truncate(time.Second), Title: title, Text: text, Group: g.pick(a.groups), Likes: g.rand.IntN(60)}
	if g.rand.IntN(4) == 0 {
		p.Image = g.newPicture(fmt.Sprintf("snapshot %d", g.rand.Uint64()), Edit{Quality: 60})
	}
	if g.rand.IntN(12) == 0 {
		p.Edited = p.Time.Add(time.Duration(1+g.rand.IntN(40)) * time.Hour)
		if p.Edited.After(Day) {
			p.Edited = time.Time{}
		}
	}
	for range g.rand.IntN(4) {
		c := &Comment{Author: strings.ToLower(g.pick(firstNames) + g.pick(lastNames)), Text: g.chatter(1), Time: p.Time.Add(time.Duration(1+g.rand.IntN(600)) * time.Minute).Truncate(time.Second)}
		if n := len(p.Comments); n > 0 && g.rand.IntN(2) == 0 {
			c.Parent = p.Comments[g.rand.IntN(n)]
			if !c.Time.After(c.Parent.Time) {
				c.Time = c.Parent.Time.Add(time.Minute)
			}
		}
		p.Comments = append(p.Comments, c)
	}
	g.world.Posts = append(g.world.Posts, p)
	return p
}

// conversation lets ordinary accounts of Tumblr and Reddit pass on posts openly.
func (g *generator) conversation() {
	for _, platform := range []string{Tumblr, Reddit} {
		var here []*Post
		for _, p := range g.world.Posts {
			if p.Account.Platform == platform {
				here = append(here, p)
			}
		}
		for i := 0; i < len(here); i += 9 {
			of := here[i]
			var a *Account
			for _, candidate := range g.world.Accounts {
				if candidate.Platform == platform && candidate != of.Account && !candidate.Operation && g.rand.IntN(4) == 0 {
					a = candidate
				}
			}
			if a == nil || of.Of != nil {
				continue
			}
			p := g.post(a, of.Time.Add(time.Duration(30+g.rand.IntN(1000))*time.Minute), of.Title, g.chatter(1))
			p.Of, p.Edited, p.Image = of, time.Time{}, ""
		}
	}
}

// seeded makes sure that the subreddit among the seeds has a post.
func (g *generator) seeded() {
	for _, p := range g.world.Posts {
		if p.Account.Platform == Reddit {
			p.Group = seedGroup
			return
		}
	}
}

// states gives each platform an account that is not there any more.
func (g *generator) states() {
	for i, platform := range []string{Blogspot, LiveJournal, Medium, Reddit, Tumblr} {
		a := g.account(platform, false)
		a.State = []string{"removed", "suspended", "suspended", "suspended", "login"}[i]
		a.Handle = "gone" + a.Handle
	}
}

// number orders the posts and gives them ids in the manner of their platform,
// rising with time.
func (g *generator) number() {
	slices.SortStableFunc(g.world.Posts, func(a, b *Post) int { return a.Time.Compare(b.Time) })
	for i, p := range g.world.Posts {
		n := int64(i)
		switch p.Account.Platform {
		case Blogspot:
			p.ID = fmt.Sprint(4400000000000000000 + n*1000003)
		case LiveJournal:
			p.ID = fmt.Sprint(n*256 + 1000 + int64(len(p.Text)%255))
		case Medium:
			p.ID = fmt.Sprintf("%012x", 0x4d0000000000+n*7919)
		case Reddit:
			p.ID = "1" + base36(50000000+n*17)
		case Tumblr:
			p.ID = fmt.Sprint(767000000000000000 + n*10007)
		case Facebook:
			p.ID = fmt.Sprint(1520000000000000 + n*100003)
		case Instagram: // the number holds the moment of the upload
			p.ID = fmt.Sprint((p.Time.UnixMilli()-4000-1314220021721)<<23 | n%(1<<23))
		case Pinterest:
			p.ID = fmt.Sprint(106890191000000000 + n*10009)
		case Quora:
			p.ID = fmt.Sprint(1470000000 + n)
		case TikTok: // seconds in the upper half
			p.ID = fmt.Sprint((p.Time.Unix()-5)<<32 | n)
		case Vimeo:
			p.ID = fmt.Sprint(910000000 + n*101)
		case X: // milliseconds since X's own beginning
			p.ID = fmt.Sprint((p.Time.UnixMilli()-1288834974657)<<22 | n%(1<<22))
		case YouTube:
			p.ID = videoID(n)
		}
		for k, c := range p.Comments {
			switch p.Account.Platform {
			case Blogspot:
				c.ID = fmt.Sprint(5500000000000000000 + n*1000 + int64(k))
			case Reddit:
				c.ID = "m" + base36(60000000+n*100+int64(k))
			default:
				c.ID = fmt.Sprint(9000000 + n*100 + int64(k))
			}
		}
		slices.SortStableFunc(p.Comments, func(a, b *Comment) int { return a.Time.Compare(b.Time) })
		p.Account.posts = append([]*Post{p}, p.Account.posts...)
	}
}

func base36(n int64) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	s := ""
	for ; n > 0; n /= 36 {
		s = string(digits[n%36]) + s
	}
	return s
}

// videoID gives eleven letters for a number.
func videoID(n int64) string {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, "video", n)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:11]
}

// Slug is the part of an address that a title becomes.
func Slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "post"
}

// byHandle finds an account, nil if there is none.
func (w *World) byHandle(platform, handle string) *Account {
	for _, a := range w.Accounts {
		if a.Platform == platform && strings.EqualFold(a.Handle, handle) {
			return a
		}
	}
	return nil
}

// postByID finds a post of a platform, nil if there is none.
func (w *World) postByID(platform, id string) *Post {
	for _, p := range w.Posts {
		if p.Account.Platform == platform && p.ID == id {
			return p
		}
	}
	return nil
}

// Posts of an account, newest first.
func (a *Account) Posts() []*Post { return a.posts }
