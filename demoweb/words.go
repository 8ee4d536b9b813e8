package demoweb

import "strings"

var (
	firstNames = strings.Fields("Ana Bela Caro Dina Elif Fadi Gita Hugo Ines Jonas Kaya Lena Milo Nora Oskar Pia Rafa Sana Tove Uma Vera Wim Yara Zeno")
	lastNames  = strings.Fields("Lima Berg Costa Dahl Eker Frost Grun Holm Ilves Jansa Kovar Lund Maro Nilo Orban Prado Quist Rossi Sand Tamm Urban Vidal Weiss Zorn")
	hobbies    = strings.Fields("baking chess cycling fishing gardens hiking knitting kites music painting pottery radio rowing sailing stamps trains weaving birds")
	places     = strings.Fields("Lanmouth Ostermark Vellisand Corrabay Highmere Tressel Norbeck Quayside Milldale Ferrow")
	groups     = strings.Fields("lanmouth corrabay harbourlife oldtrains smallgardens homebaking radioshack")
	openers    = []string{"Everyone should read this.", "Share before they take it down!", "I could not believe it when I heard.", "My neighbour sent me this today."}
	closers    = []string{"Pass it on.", "What do you think?", "The papers will not tell you.", "Follow for more."}
)

// The words that ordinary talk is put together from. There are many, so that two
// posts share hardly more than single words, as with people who do not copy.
var (
	nouns = strings.Fields(`kettle ferry lantern bicycle oven garden kite radio violin boat greenhouse teapot loom beehive sundial
		ladder curtain attic cellar piano blanket carpet window gutter chimney hedge orchard pond fence gate bench umbrella suitcase
		notebook pencil camera telescope compass anchor sail rope bucket barrel basket candle mirror clock drawer shelf stove pan
		spoon jar pickle cabbage pumpkin turnip plum pear quince walnut bread soup dumpling pancake cheese honey vinegar mustard
		neighbour cousin teacher postman fisherman baker cobbler gardener nephew grandmother librarian dentist choir orchestra team
		market station harbour library school bakery museum bridge tunnel lighthouse meadow forest hill river beach island village
		train tram bus lorry scooter wheelbarrow canoe puppy heron hedgehog sparrow goat donkey tortoise goose swan otter squirrel
		sweater scarf glove boot button zip thread needle pattern ribbon hammer chisel drill varnish plaster tile brick plank nail`)
	qualities = strings.Fields(`old new borrowed broken crooked rusty painted tiny enormous quiet noisy forgotten famous green crimson yellow purple
		wooden copper woollen paper velvet dusty shiny muddy frozen warm lukewarm bitter sweet salty crisp soft heavy hollow narrow
		stubborn gentle clumsy patient restless cheerful sleepy suspicious generous polite foreign local second-hand home-made
		leaking wobbly spotless striped dotted folded tangled polished unfinished splendid dreadful ordinary peculiar sturdy fragile`)
	deeds = strings.Fields(`mended painted found lost polished measured carried dismantled drew photographed watered planted dug weeded pickled
		baked boiled roasted peeled sliced knitted unravelled sewed patched washed ironed folded hid rescued adopted fed chased borrowed
		returned sold bought swapped won wrapped unwrapped labelled catalogued tuned rehearsed recorded whistled hummed read translated
		memorised misplaced discovered admired ignored criticised praised repaired sanded varnished glued nailed drilled lifted dropped
		balanced rolled pushed towed steered anchored launched`)
	whens = []string{"Yesterday", "On Sunday", "Before breakfast", "After the storm", "Last week", "Around noon", "Early on", "Late at night", "During the strike", "In the holidays",
		"While it rained", "At dawn", "On the way home", "Between two trains", "This autumn", "Half asleep", "For once", "Against all advice", "Without a plan", "With frozen fingers"}
	wheres = []string{"behind the", "under the", "beside the", "near the", "inside the", "on top of the", "across from the", "next to my", "far from the", "in front of her", "above our", "around their"}
	links  = []string{"and then", "but", "so", "although", "until", "because", "whereupon", "and finally", "just as", "since"}
	whos   = []string{"I", "we", "my sister", "the twins", "our landlord", "somebody", "he", "she", "they", "nobody I know", "the whole street", "an uncle of mine", "the new tenant", "both of us", "a stranger", "the children"}
	afters = []string{"Worth it.", "Never again.", "More tomorrow.", "Any advice?", "Pictures later.", "What a day!", "Sleep now.", "I blame the weather.", "Ask me next year.", "Not my best idea.", "Twice, in fact.", "Still smiling.",
		"Long story.", "My knees hurt.", "Tea first.", "That is all.", "Guess who laughed.", "Typical.", "Learned something.", "No regrets."}
)

// chatter is ordinary talk: paragraphs of two or three sentences.
func (g *generator) chatter(paragraphs int) string {
	var b strings.Builder
	for i := range paragraphs {
		if i > 0 {
			b.WriteString("\n\n")
		}
		for k := range 2 + g.rand.IntN(2) {
			if k > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(g.sentence())
		}
		if g.rand.IntN(3) == 0 {
			b.WriteString(" " + g.pick(afters))
		}
	}
	return b.String()
}

// thing is a noun with or without a quality.
func (g *generator) thing() string {
	if g.rand.IntN(3) == 0 {
		return g.pick(nouns)
	}
	return g.pick(qualities) + " " + g.pick(nouns)
}

// sentence is one sentence, of one or two clauses.
func (g *generator) sentence() string {
	article := func() string {
		return g.pick([]string{"the", "a", "my", "our", "that", "her", "his", "another", "one"})
	}
	clause := func() string {
		s := g.pick(whos) + " " + g.pick(deeds) + " " + article() + " " + g.thing()
		switch g.rand.IntN(4) {
		case 0:
			s += " " + g.pick(wheres) + " " + g.thing()
		case 1:
			s += " and " + article() + " " + g.thing()
		case 2:
			s += " in " + g.pick(places)
		}
		return s
	}
	s := clause()
	if g.rand.IntN(2) == 0 {
		s = g.pick(whens) + " " + s
	}
	if g.rand.IntN(2) == 0 {
		s += " " + g.pick(links) + " " + clause()
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func (g *generator) chatterTitle() string {
	s := g.thing()
	s = strings.ToUpper(s[:1]) + s[1:]
	switch g.rand.IntN(3) {
	case 0:
		return s + " and " + g.thing()
	case 1:
		return s + " in " + g.pick(places)
	}
	return s + ", " + g.pick(deeds) + " and " + g.pick(deeds)
}
