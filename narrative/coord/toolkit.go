package coord

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

// A Message is one post in the terms of the QUT toolkit.
type Message struct {
	ID     string // unique; a second message of one id is left out, as in the toolkit; empty is an error
	User   string // empty is an error
	Repost string // id of the message that this one reposts; "" where it is none
	Text   string
	Links  []string
	Time   float64 // seconds since 1970 UTC; fractions count
}

// A Kind is one of the toolkit's networks.
type Kind string

// The networks of Toolkit.
const (
	CoRetweet Kind = "co_retweet" // reposts of one message
	CoTweet   Kind = "co_tweet"   // messages of one text that are not reposts
	CoLink    Kind = "co_link"    // messages with one link that are not reposts
	CoPost    Kind = "co_post"    // any two messages
)

// ToolkitOptions are the settings of Toolkit. The zero value is a window of 0 s
// and every edge without loops.
type ToolkitOptions struct {
	Window    time.Duration // inclusive, in both directions
	MinWeight int           // edges below it are left out
	Loops     bool          // keep edges from a user to itself
}

// A Directed edge says how many messages of From have a partner by To.
type Directed struct {
	From, To string
	Weight   int
}

// Toolkit gives a network as QUT-Digital-Observatory's
// coordination-network-toolkit defines it, ordered by From, then To.
//
// The weight of (u, v) is the number of different messages of u for which v has
// another message with the same key at most Window before or after. The key is
// the reposted message for CoRetweet, the text for CoTweet, any link for CoLink,
// and nothing for CoPost, which asks only for the time. Texts are compared in
// lower case, without the words that start with @, and with one space between
// words; a text with no words left has no key. Links are compared as they are
// given. A message is never its own partner, so a loop needs two messages.
//
// Not here: co_similarity (Jaccard over word sets), for which narrative links
// take the place; give their ids to Detect as objects.
func Toolkit(messages iter.Seq[Message], kind Kind, o ToolkitOptions) ([]Directed, error) {
	if o.Window < 0 {
		return nil, fmt.Errorf("coord: ToolkitOptions.Window is %v: give 0 or more", o.Window)
	}
	w := &toolkit{users: map[string]int{}, keys: map[string]int{}}
	ids := map[string]struct{}{}
	count := 0
	for m := range messages {
		count++
		switch {
		case m.ID == "" || m.User == "":
			return nil, fmt.Errorf("coord: message %d (id %q, user %q): give an id and a user", count-1, m.ID, m.User)
		case math.IsNaN(m.Time) || math.IsInf(m.Time, 0):
			return nil, fmt.Errorf("coord: message %q: time is %v: give seconds since 1970", m.ID, m.Time)
		}
		if _, again := ids[m.ID]; again {
			continue
		}
		ids[m.ID] = struct{}{}
		keys, err := messageKeys(m, kind)
		if err != nil {
			return nil, err
		}
		w.add(m, keys)
	}
	return w.edges(o), nil
}

func messageKeys(m Message, kind Kind) ([]string, error) {
	switch kind {
	case CoRetweet:
		if m.Repost == "" {
			return nil, nil
		}
		return []string{m.Repost}, nil
	case CoTweet:
		words := slices.DeleteFunc(strings.Fields(strings.ToLower(m.Text)), func(w string) bool { return w[0] == '@' })
		if m.Repost != "" || len(words) == 0 {
			return nil, nil
		}
		return []string{strings.Join(words, " ")}, nil
	case CoLink:
		if m.Repost != "" {
			return nil, nil
		}
		links := slices.DeleteFunc(slices.Clone(m.Links), func(l string) bool { return l == "" })
		slices.Sort(links)
		return slices.Compact(links), nil
	case CoPost:
		return []string{""}, nil
	}
	return nil, fmt.Errorf("coord: no network of kind %q: give %s, %s, %s or %s", kind, CoRetweet, CoTweet, CoLink, CoPost)
}

type toolkit struct {
	users    map[string]int
	names    []string
	keys     map[string]int
	groups   [][]mention // by key
	messages []toolkitMessage
}

type toolkitMessage struct {
	user int
	time float64
	keys []int
}

// mention is a message under one of its keys.
type mention struct {
	message, user int
	time          float64
}

func (w *toolkit) add(m Message, keys []string) {
	u, ok := w.users[m.User]
	if !ok {
		u = len(w.names)
		w.users[m.User] = u
		w.names = append(w.names, m.User)
	}
	msg := toolkitMessage{user: u, time: m.Time}
	for _, key := range keys {
		k, ok := w.keys[key]
		if !ok {
			k = len(w.groups)
			w.keys[key] = k
			w.groups = append(w.groups, nil)
		}
		w.groups[k] = append(w.groups[k], mention{len(w.messages), u, m.Time})
		msg.keys = append(msg.keys, k)
	}
	w.messages = append(w.messages, msg)
}

func (w *toolkit) edges(o ToolkitOptions) []Directed {
	for _, g := range w.groups {
		slices.SortStableFunc(g, func(a, b mention) int { return cmp.Compare(a.time, b.time) })
	}
	window := o.Window.Seconds()
	weights := map[[2]int]int{}
	counted := make([]int, len(w.names)) // 1 + the last message that counted a partner of the user
	for i, m := range w.messages {
		for _, k := range m.keys {
			g := w.groups[k]
			from, _ := slices.BinarySearchFunc(g, m.time-window, func(x mention, t float64) int { return cmp.Compare(x.time, t) })
			for _, x := range g[from:] {
				if x.time > m.time+window {
					break
				}
				if x.message == i || counted[x.user] == i+1 || (x.user == m.user && !o.Loops) {
					continue
				}
				counted[x.user] = i + 1
				weights[[2]int{m.user, x.user}]++
			}
		}
	}
	var list []Directed
	for k, weight := range weights {
		if weight >= o.MinWeight {
			list = append(list, Directed{w.names[k[0]], w.names[k[1]], weight})
		}
	}
	slices.SortFunc(list, func(a, b Directed) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return list
}
