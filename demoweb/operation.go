package demoweb

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// The ground truth of how a post got its words.
const (
	HowCopy       = "copy"
	HowCut        = "cut"
	HowPadded     = "padded"
	HowReordered  = "reordered"
	HowLookalike  = "look-alike letters"
	HowInvisible  = "invisible characters"
	HowTypos      = "typing errors"
	HowReworded   = "words changed"
	HowPart       = "part of a thread"
	HowQuoted     = "quoted"     // by someone ordinary, who says something about it
	HowTranslated = "translated" // and then changed in one of the other ways, or not
)

// operation lets the operation's accounts tell each story in waves. The team
// works in three shifts of an office eight hours east of Greenwich, Monday to
// Friday, with breaks for lunch and dinner; a shift tells a story within twenty
// minutes, the next one some hours later. In between each account posts talk of
// its own, by the same clock.
// posts is Size.Posts: a small world has one round.
func (g *generator) operation(posts int) {
	var team []*Account
	for _, a := range g.world.Accounts {
		if a.Operation {
			team = append(team, a)
		}
	}
	shifts := make([][]*Account, 3)
	for i, k := range g.rand.Perm(len(team)) {
		shifts[i%3] = append(shifts[i%3], team[k])
	}
	var names []string
	for _, st := range stories {
		if !slices.Contains(names, st.name) {
			names = append(names, st.name)
		}
	}
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC) // a Monday
	rounds := 4                                           // each story comes up again every second week
	if posts < 8 {
		rounds = 1 + posts/4
	}
	for wave := range rounds * len(names) {
		name := names[wave%len(names)]
		day := start.AddDate(0, 0, wave/5*7+wave%5+wave/len(names)*7)
		for s, shift := range shifts {
			if (wave+s)%7 == 6 {
				continue // a shift has other work now and then
			}
			begin := day.Add([]time.Duration{70 * time.Minute, 330 * time.Minute, 680 * time.Minute}[s]) // 9:10, 13:30 and 19:20 there
			begin = begin.Add(time.Duration(g.rand.IntN(40)) * time.Minute)
			for i, a := range shift {
				if g.rand.IntN(5) == 0 {
					continue // not everyone carries every story
				}
				g.tell(a, name, begin.Add(time.Duration(i)*40*time.Second+time.Duration(g.rand.IntN(600))*time.Second))
			}
		}
	}
	for _, a := range team {
		for range 2*posts - 2 {
			g.post(a, g.officeTime(start), g.chatterTitle(), g.chatter(1+g.rand.IntN(2)))
		}
	}
}

// officeTime is a moment of a working day between start and Day: 9 to 12, 13 to
// 18 or 19 to 21 by the office's clock.
func (g *generator) officeTime(start time.Time) time.Time {
	for {
		day := start.AddDate(0, 0, g.rand.IntN(int(Day.Sub(start).Hours()/24)-1))
		if d := day.Weekday(); d == time.Saturday || d == time.Sunday {
			continue
		}
		minute := 60 + g.rand.IntN(12*60) // UTC
		if h := minute / 60; h == 4 || h == 10 {
			continue // lunch and dinner there
		}
		return day.Add(time.Duration(minute)*time.Minute + time.Duration(g.rand.IntN(60))*time.Second)
	}
}

// tell lets an account tell a story at a time.
func (g *generator) tell(a *Account, name string, at time.Time) {
	var versions []story
	for _, st := range stories {
		if st.name == name {
			versions = append(versions, st)
		}
	}
	st := versions[0]
	if len(versions) > 1 && g.rand.IntN(3) == 0 {
		st = versions[1]
	}
	text, how := g.retell(st, a.Platform)
	p := g.post(a, at, st.title, text)
	p.Story, p.Lang, p.How, p.Tags, p.Edited = st.name, st.lang, how, st.tags, time.Time{}
	p.Image = g.newPicture("scene of "+st.name, g.newEdit())
	switch a.Platform {
	case X, Instagram, Tumblr:
		if g.rand.IntN(3) == 0 {
			p.Clip = g.newClip("film of " + st.name)
		}
	}
	if g.rand.IntN(3) == 0 {
		p.Link = "https://harbour-times.example/" + Slug(versions[0].title) + g.tracking()
	}
}

// tracking is what a link picks up on its way through a platform.
func (g *generator) tracking() string {
	return g.pick([]string{"", "?utm_source=social&utm_medium=post", "?fbclid=IwAR0demo" + base36(g.rand.Int64N(1<<40)), "#read"})
}

// retell gives a story in one of the ways in which operations pass things on.
func (g *generator) retell(st story, platform string) (text, how string) {
	paragraphs := strings.Split(st.text, "\n\n")
	switch g.rand.IntN(10) {
	case 0:
		how = HowCut
		paragraphs = paragraphs[:1+g.rand.IntN(len(paragraphs)-1)]
	case 1:
		how = HowPadded
		paragraphs = append([]string{g.pick(openers)}, paragraphs...)
	case 2:
		how = HowPadded
		paragraphs = append(slices.Clone(paragraphs), g.pick(closers))
	case 3:
		how = HowReordered
		paragraphs = slices.Clone(paragraphs)
		slices.Reverse(paragraphs)
	case 4:
		how = HowPart
		k := g.rand.IntN(len(paragraphs))
		paragraphs = []string{string(rune('1'+k)) + "/" + string(rune('0'+len(paragraphs))) + " " + paragraphs[k]}
	case 5:
		if st.lang == "en" {
			how = HowLookalike
			paragraphs = g.each(paragraphs, g.lookalikes)
			break
		}
		fallthrough
	case 6:
		how = HowInvisible
		paragraphs = g.each(paragraphs, g.invisible)
	case 7:
		if st.lang == "zh" {
			how = HowCopy
			break
		}
		how = HowTypos
		paragraphs = g.each(paragraphs, g.typos)
	case 8:
		if st.lang == "en" {
			how = HowReworded
			paragraphs = g.each(paragraphs, g.reword)
			break
		}
		fallthrough
	default:
		how = HowCopy
	}
	if st.lang != "en" {
		how = HowTranslated + ", " + how
	}
	return strings.Join(paragraphs, "\n\n"), how
}

func (g *generator) each(paragraphs []string, f func(string) string) []string {
	out := make([]string, len(paragraphs))
	for i, p := range paragraphs {
		out[i] = f(p)
	}
	return out
}

var cyrillic = map[rune]rune{'a': 'а', 'e': 'е', 'o': 'о', 'p': 'р', 'c': 'с', 'x': 'х', 'y': 'у', 'i': 'і'}

func (g *generator) lookalikes(s string) string {
	return strings.Map(func(r rune) rune {
		if to, ok := cyrillic[r]; ok && g.rand.IntN(4) == 0 {
			return to
		}
		return r
	}, s)
}

func (g *generator) invisible(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
		if unicode.IsLetter(r) && g.rand.IntN(12) == 0 {
			b.WriteRune([]rune{'\u200b', '\u200c', '\u2060', '\u00ad'}[g.rand.IntN(4)])
		}
	}
	return b.String()
}

// typos spoils about every twelfth word.
func (g *generator) typos(s string) string {
	words := strings.Split(s, " ")
	for i, w := range words {
		r := []rune(w)
		if len(r) < 5 || g.rand.IntN(12) != 0 {
			continue
		}
		k := 1 + g.rand.IntN(len(r)-3)
		if g.rand.IntN(2) == 0 {
			r[k], r[k+1] = r[k+1], r[k]
		} else {
			r = slices.Delete(r, k, k+1)
		}
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

var otherWords = strings.NewReplacer("secret", "hidden", "lorry", "truck", "paper", "document", "worker", "man", "evening", "night", "photograph", "picture", "children", "kids",
	"profits", "gains", "bought", "purchased", "burned down", "went up in flames", "signs", "issues", "mayor", "head of the town", "sacks", "bags", "spring", "April", "border", "frontier",
	"machine", "device", "cellar", "basement", "village", "hamlet", "aloud", "openly", "empty", "unused", "nurse", "sister", "governor", "prefect", "rented", "borrowed")

// reword puts other words for some.
func (g *generator) reword(s string) string { return otherWords.Replace(s) }

// ordinaryTalk lets ordinary accounts have their part in it: some quote a story
// to say that it is wrong, some speak of its topic in their own words, and some
// pass on what people pass on, at any hour.
func (g *generator) ordinaryTalk() {
	var people []*Account
	for _, a := range g.world.Accounts {
		if !a.Operation && a.State == "" {
			people = append(people, a)
		}
	}
	anyTime := func() time.Time {
		return time.Date(2026, 10, 6, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.rand.IntN(44*24*60)) * time.Minute)
	}
	for name, lines := range sorted(talk) {
		for _, line := range lines {
			g.post(people[g.rand.IntN(len(people))], anyTime(), "About the "+name, line)
		}
	}
	for _, st := range stories {
		if st.lang != "en" {
			continue
		}
		first := firstParagraph(st.text)
		p := g.post(people[g.rand.IntN(len(people))], anyTime(), "Not true", "This is going round: \u201c"+first+"\u201d I asked at the town hall, and there is nothing in it. Please think before you share.")
		p.Story, p.Lang, p.How = st.name, "en", HowQuoted
	}
	for _, m := range memes {
		for range 4 + len(people)/20 {
			p := g.post(people[g.rand.IntN(len(people))], anyTime(), m.title, m.text)
			p.Story, p.Lang, p.How, p.Tags = m.name, m.lang, HowCopy, m.tags
			p.Image = g.newPicture("scene of "+m.name, g.newEdit())
		}
	}
}

// sorted walks through a map in the order of its keys.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}
