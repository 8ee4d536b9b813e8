// Package quora reads public questions and answers of quora.com and its language
// sites.
//
// # Endpoints
//
//	GET https://www.quora.com/{QUESTION-SLUG}                    a question with its first answers
//	GET https://www.quora.com/{QUESTION-SLUG}/answer/{AUTHOR}    one answer; also /answers/{AID}
//	GET https://www.quora.com/profile/{NAME}                     a profile, without its answers
//	GET https://www.quora.com/topic/{TOPIC}                      a topic, without its questions
//	GET https://{SPACE}.quora.com/{POST-SLUG}                    a post of a Space
//	GET https://qr.ae/{CODE}                                     a short link: a redirect
//
// All is HTML; feeds ended in May 2017. Language sites (es.quora.com, …) are
// sites of their own, not translations. Further answers come from POST /graphql
// with a form key, which is not used; ?page=2 is ignored and gives the first
// items again.
//
// Cloudflare decides by address and client who is served: in measurements of
// July and September 2026 plain HTTP clients were served never or seldom, and an
// address that had made some 15 fetches was refused for longer than 45 minutes.
// So each address is asked for once, slowly, under our own name; a challenge is
// recorded as such and nothing is done against it. Quora is above all a platform
// for import: pages saved from a browser are read with the same fidelity.
//
// # The page since 2020
//
// The body is an empty root; the data stands in scripts:
//
//	window.ansFrontendGlobals.data.inlineQueryResults.results["HASH"].push("{\"data\":…}")
//
// and is decoded three times: the string literal of the script, the JSON in it,
// and titles and contents, which are JSON documents of their own:
// {"sections":[{"type","spans":[{"text","modifiers"}],"quoted"}]}. One HASH gets
// several pushes: the first holds the object, later ones parts of it with label
// and path. Objects are gathered by their native id, wherever they stand. Pages
// of 2020 to 2022 assign the string instead of pushing it.
//
// Also read: pages saved without scripts (answer_timestamp, spacing_log_ and
// puppeteer_test_ classes), ld+json of type QAPage, and the class-based pages of
// 2015, whose exact times stand in a script ("epoch_us").
//
// # What a post is
//
// An answer has the decimal aid as its ID. Questions, accounts, Space posts and
// comments count in number ranges of their own, so their IDs carry the kind:
// question:QID, user:UID, post:PID, comment:CID. Where a saved page shows no aid,
// the ID is the path of the answer's address.
//
// An answer replies to its own question (reply_to, also Thread). A page shows
// answers of other questions that Quora merged into it: they keep their own
// question and carry the tag merged_into:question:QID. Times are microseconds;
// updatedTime 0 means never edited; a question has no time. Counts: upvotes,
// views, shares, comments; of a question answers, merged_answers,
// ranked_answers, followers and comments. Tags: topics of a question;
// machine_answer, anonymous, translated, collapsed, locked; credential:WORDS of
// an answer's author. An anonymous author is no account. The text of an answer
// that the page marks as not open to the viewer (viewerHasAccess false, Quora+)
// is not taken, though the page may carry it.
//
// A question's page is ok_partial wherever answerCount is above the number of
// answers on the page, which is nearly always.
//
// # Not collected
//
// Further answers, comments' text beyond those on the page, related questions,
// advertisements, followers, search.
package quora

import (
	"time"

	"github.com/refrain-archive/refrain/crawlers"
)

const (
	platform  = "quora"
	routeHTML = "html"

	site      = "https://www.quora.com"
	shortener = "https://qr.ae/"
)

// Collector reads quora.com. Its zero value is ready to use.
type Collector struct{}

// New gives the collector of quora.com.
func New() crawlers.Collector { return Collector{} }

// About is the platform's data sheet.
func (Collector) About() crawlers.About {
	return crawlers.About{
		Platform: platform,
		Title:    "Quora",
		Reader:   1,
		Collects: "questions with the answers on their page, single answers, Space posts and profiles; above all from saved pages",
		Seeds: []string{
			"https://www.quora.com/What-is-a-good-example",
			"https://www.quora.com/What-is-a-good-example/answer/Example-Author-1",
			"https://www.quora.com/What-is-a-good-example/answers/1234567",
			"https://www.quora.com/profile/Example-Author-1",
			"https://www.quora.com/topic/Examples",
			"https://examplespace.quora.com/",
			"https://examplespace.quora.com/A-post-of-a-Space",
			"https://qr.ae/AbCdEf",
		},
		Routes: []crawlers.Route{{
			Name:  routeHTML,
			Gives: "one page, where Quora serves it: a question with 3 to 12 of its answers, or one answer",
			Every: 60 * time.Second, Robots: true,
		}},
		Hosts: []string{"quora.com", "*.quora.com", "qr.ae"},
		Limits: []string{
			"most requests get a Cloudflare challenge: it is recorded, not passed; save the page in a browser and import it",
			"a question's page carries 3 to 12 of its answers; further ones come from a private interface that is not used",
			"profiles, topics and Spaces list nothing without that interface",
			"questions have no time",
		},
		Checked: "2026-11-23",
	}
}
