package main

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// repostMore asks the index of repost-bench for changes of its short posts and
// articles that were written after the threshold was fixed. The threshold and the
// constants of scores were not chosen on them. How respelt words are read
// (text/respell.go) was added because u-leet and u-hashtagged found 0.35 and
// 0.08 here, so these two are no proof of it; see unseen for what is.
func repostMore(dir string, o options) ([]Table, error) {
	b, err := openBench(dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	return askChanges("repost-more", b, o, 99, []change{
		{"u-order", sentenceOrder},
		{"u-synonyms", synonyms},
		{"u-numbers", spelledNumbers},
		{"u-foreign", quotedInForeign},
		{"u-interleaved", interleaved},
		{"u-leet", leetspeak},
		{"u-spaced", spacedOut},
		{"u-hashtagged", hashtagged},
	}, "no threshold was chosen on these changes; words in digits and joined words are read as they are because u-leet and u-hashtagged found 0.35 and 0.08")
}

// A change makes a repost of a post; other is another post of the index.
type change struct {
	name string
	make func(s, other string, r *rand.Rand) string
}

// askChanges asks for each post and article in each change that changes it.
func askChanges(part string, b *bench, o options, seed uint64, changes []change, note string) ([]Table, error) {
	var queries []query
	for c, change := range changes {
		random := rand.New(rand.NewPCG(uint64(c), seed))
		n := 0
		for _, id := range b.order {
			if !strings.HasPrefix(id, "tw") && !strings.HasPrefix(id, "art") {
				continue
			}
			if n++; n%o.each != 0 {
				continue
			}
			s := b.texts[id]
			other := b.texts[b.order[random.IntN(len(b.order))]]
			changed := change.make(s, other, random)
			if changed == s || len(strings.Fields(s)) < 5 {
				continue // there was nothing to change
			}
			origin := id
			queries = append(queries, query{Transform: change.name, Origin: &origin, Text: changed})
		}
	}
	answers, err := b.ask(queries)
	if err != nil {
		return nil, err
	}
	tables := tabulate(part, answers, b, o)
	tables[0].Notes = append(tables[0].Notes, note)
	return tables, nil
}

// sentenceOrder shuffles sentences; a text of one sentence, its clauses or, where
// it has none, its thirds.
func sentenceOrder(s, _ string, r *rand.Rand) string {
	parts := splitAfter(s, ".!?…。！？")
	if len(parts) < 2 {
		parts = splitAfter(s, ",;:-–—|")
	}
	if len(parts) < 2 {
		w := strings.Fields(s)
		k := len(w) / 3
		parts = []string{strings.Join(w[:k], " "), strings.Join(w[k:2*k], " "), strings.Join(w[2*k:], " ")}
	}
	r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return strings.Join(parts, " ")
}

func splitAfter(s, ends string) []string {
	var parts []string
	var b strings.Builder
	for _, w := range strings.Fields(s) {
		b.WriteString(w + " ")
		if strings.ContainsAny(w[len(w)-1:], ends) || strings.HasSuffix(w, "…") {
			parts = append(parts, strings.TrimSpace(b.String()))
			b.Reset()
		}
	}
	if b.Len() > 0 {
		parts = append(parts, strings.TrimSpace(b.String()))
	}
	return parts
}

// thesaurus: pairs that replace each other, in either direction.
var thesaurus = func() map[string]string {
	m := map[string]string{}
	for _, p := range strings.Fields("big/large small/little says/claims said/stated police/cops kill/murder killed/murdered kills/murders dead/deceased man/guy woman/lady people/folks children/kids buy/purchase begin/start begins/starts began/started end/finish ends/finishes help/assist show/display shows/displays great/terrific bad/awful good/fine new/recent old/former house/home car/vehicle money/cash president/leader country/nation world/globe war/conflict attack/assault attacks/assaults talk/speak talks/speaks want/desire wants/desires get/obtain gets/obtains make/create makes/creates need/require needs/requires think/believe thinks/believes know/understand look/gaze find/discover finds/discovers found/discovered give/provide gives/provides keep/retain let/allow put/place use/employ work/labor call/phone try/attempt ask/request feel/sense leave/depart city/town school/academy student/pupil students/pupils job/position jobs/positions law/statute report/account after/following before/until because/since but/yet very/extremely now/currently today/tonight never/seldom always/constantly many/numerous all/every first/initial last/final right/correct wrong/mistaken shot/gunned hit/struck arrested/detained dies/perishes love/adore loves/adores hate/despise fire/blaze officer/policeman video/clip photo/picture news/headlines story/tale fight/battle win/triumph wins/triumphs lose/forfeit vote/ballot plan/scheme plans/schemes deal/agreement") {
		a, b, _ := strings.Cut(p, "/")
		m[a], m[b] = b, a
	}
	return m
}()

func synonyms(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	for i, x := range w {
		core := strings.ToLower(strings.Trim(x, ".,!?:;\"'"))
		if to, ok := thesaurus[core]; ok {
			w[i] = strings.Replace(strings.ToLower(x), core, to, 1)
		}
	}
	if joined := strings.Join(w, " "); joined != strings.Join(strings.Fields(s), " ") {
		return joined
	}
	return s
}

var digitNames = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
var tens = strings.Fields("- - twenty thirty forty fifty sixty seventy eighty ninety")

func spelled(n int) string {
	switch {
	case n < 20:
		return digitNames[n]
	case n < 100:
		if n%10 == 0 {
			return tens[n/10]
		}
		return tens[n/10] + " " + digitNames[n%10]
	case n < 1000:
		if n%100 == 0 {
			return digitNames[n/100] + " hundred"
		}
		return digitNames[n/100] + " hundred " + spelled(n%100)
	}
	if n%1000 == 0 {
		return spelled(n/1000) + " thousand"
	}
	return spelled(n/1000) + " thousand " + spelled(n%1000)
}

func spelledNumbers(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	changed := false
	for i, x := range w {
		if n, err := strconv.Atoi(strings.Trim(x, ".,!?:;$%#")); err == nil && n >= 0 && n < 1_000_000 {
			w[i] = spelled(n)
			changed = true
		}
	}
	if !changed {
		return s
	}
	return strings.Join(w, " ")
}

var foreign = []string{
	"据当地居民介绍，昨天晚上有人在网上看到这样一段话：「%s」目前还没有得到任何官方的回应，我们将继续关注此事的进展。",
	"Вчера вечером в сети появилось вот такое сообщение: «%s» Пока никто из чиновников его не подтвердил и не опроверг, ждём ответа.",
	"نشر أحد المستخدمين مساء أمس هذه الكلمات: «%s» ولم يصدر حتى الآن أي رد رسمي من الجهات المعنية",
	"오늘 아침 게시판에 이런 글이 올라왔습니다: \"%s\" 아직 공식적인 답변은 없으며 계속 지켜보겠습니다.",
}

func quotedInForeign(s, _ string, r *rand.Rand) string {
	if len(s) > 1000 {
		s = s[:strings.LastIndexByte(s[:1000], ' ')]
	}
	return strings.Replace(foreign[r.IntN(len(foreign))], "%s", s, 1)
}

// interleaved alternates pieces of four to seven words of two posts.
func interleaved(s, other string, r *rand.Rand) string {
	a, b := strings.Fields(s), strings.Fields(other)
	var out []string
	for len(a) > 0 || len(b) > 0 {
		n := min(4+r.IntN(4), len(a))
		out, a = append(out, a[:n]...), a[n:]
		n = min(4+r.IntN(4), len(b))
		out, b = append(out, b[:n]...), b[n:]
	}
	return strings.Join(out, " ")
}

// leetspeak changes each of the letters that have a usual digit, in half of the
// words.
func leetspeak(s, _ string, r *rand.Rand) string {
	leet := strings.NewReplacer("a", "4", "e", "3", "i", "1", "o", "0", "s", "5", "t", "7", "A", "4", "E", "3", "I", "1", "O", "0", "S", "5", "T", "7")
	w := strings.Fields(s)
	for i := range w {
		if r.IntN(2) == 0 && !strings.HasPrefix(w[i], "http") {
			w[i] = leet.Replace(w[i])
		}
	}
	return strings.Join(w, " ")
}

// spacedOut writes one word of five with a space after each letter.
func spacedOut(s, _ string, r *rand.Rand) string {
	w := strings.Fields(s)
	for i := range w {
		if r.IntN(5) == 0 && !strings.HasPrefix(w[i], "http") {
			w[i] = strings.TrimSpace(strings.Join(strings.Split(w[i], ""), " "))
		}
	}
	return strings.Join(w, " ")
}

// hashtagged joins every third pair of words to one hashtag.
func hashtagged(s, _ string, _ *rand.Rand) string {
	w := strings.Fields(s)
	var out []string
	for i := 0; i < len(w); i++ {
		if i%3 == 1 && i+1 < len(w) && !strings.HasPrefix(w[i], "http") && !strings.HasPrefix(w[i+1], "http") {
			out = append(out, "#"+strings.Trim(w[i], "#.,!?")+strings.Trim(w[i+1], "#.,!?"))
			i++
			continue
		}
		out = append(out, w[i])
	}
	return strings.Join(out, " ")
}
