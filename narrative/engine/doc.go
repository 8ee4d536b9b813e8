// Package engine joins the signals: it takes posts as the corpus has them, finds
// what links each to earlier ones, and keeps links, objects and narratives.
//
// All of it is derived. An Engine lies in a folder of its own:
//
//	text/              the index of package narrative/text
//	translations/      the index of package narrative/translate, where there are
//	                   dictionaries
//	images/            the index of package narrative/image
//	videos/            the index of package narrative/video
//	narratives.sqlite  what schema in store.go says
//
// # Order
//
// Posts are taken in the order in which the corpus took them in, and the answer
// depends on that order and on nothing else. A batch is first made durable in the
// indexes of the signals, then its rows are committed together with the cursor
// and with how much of each index belongs to them (text.Index.Mark). After a
// crash the indexes are cut back to that, so that what was half done is done
// again in the same way, and nothing that was committed is lost.
//
// Where several processes write to one archive at the same time, the corpus may
// take their segments in by turns; a corpus that is made anew takes them one
// after the other, and a text that two of them brought at nearly the same time
// may then be founded by the other.
//
// # What joins a narrative, and what is only shown
//
//	text          copies are one item; the links of package narrative/text decide
//	translation   where there are dictionaries: linked ones count as whole links, like
//	              edited copies; possible ones are only shown. With other
//	              dictionaries all is made anew
//	picture or    by its address: joins where the post has few words of its own
//	clip, link    (OwnWords), or where two different ones lead to one narrative
//	picture, clip by its captured bytes, where it shows the same: joins posts that
//	              have few words and are alone with their text. It is taken after
//	              the posts and laid over the narratives when they are read, so
//	              that they do not depend on when it was captured
//	hashtag       shown; never joins
//	trace         domains, contacts, analytics ids, EXIF: kept by the corpus,
//	              shown, never joins
//
// An object leads to the narrative of the first post that carried it, if that
// post's text founded one: what was itself drawn in by an object draws in nothing.
package engine
