package demoweb

import "slices"

// Remove takes a post out of the world, as its author would: listings leave it
// out, and its address answers as the platform does for what is not there. Not
// while the world is served.
func (w *World) Remove(p *Post) {
	w.Posts = slices.DeleteFunc(w.Posts, func(other *Post) bool { return other == p })
	p.Account.posts = slices.DeleteFunc(p.Account.posts, func(other *Post) bool { return other == p })
}
