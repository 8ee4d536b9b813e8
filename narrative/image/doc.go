// Package image finds the same picture again after it was re-encoded, resized,
// cropped, framed, captioned, turned or mirrored.
//
// # How an asset goes in
//
// The bytes of a file, as the archive has them, and the key of the post (or
// account) that showed it:
//
//	ix, err := image.Open(dir, image.Options{})
//	r, ok, err := ix.AddKnown(ctx, image.Use{Key: "x:1", Kind: image.Shown}, sum) // bytes not needed
//	if !ok { r, err = ix.Add(ctx, image.Doc{Key: "x:1", Data: data}) }
//	… r.Matches are the earlier pictures; r.Group names the group of pictures …
//	err = ix.Sync() // now it survives whatever happens
//
// sum is the SHA-256 of the payload, which the asset line of the archive has. The
// same bytes are read and hashed once, however many posts show them. What cannot
// be read as a picture is kept by its digest: the same bytes are the same file in
// any format. Stills of videos go in as Thumbnail, portraits of accounts as Avatar;
// all kinds are found together, and Index.Uses says which is which.
//
// # Method
//
// A picture is decoded within hard bounds (Decode), reduced to grey with its
// longer side at most 512 pixels (Grey), and hashed with PDQ (Grey.PDQ), the
// 256-bit perceptual hash that the ThreatExchange project defines. PDQ survives
// re-encoding and scaling but not a crop of more than about 3 %, so an Index
// keeps the hashes of several views of each picture: the whole, the whole
// without its uniform borders or caption bars, and windows cut from either. A
// query, with a few views of its own, then meets the one that shows what it
// shows. The hashes of turned and mirrored copies follow from the coefficients of
// the query: whole and trimmed in all eight turns, windows mirrored too.
//
// Hashes only find candidates. Pictures of one kind (screenshots of posts, slides,
// charts) are laid out alike and come near each other in some view, so a small copy
// of each picture is kept, 128 pixels long, and the query is laid over it as the
// views say, fitted, and compared in squares of 8 pixels; see LinkThreshold.
//
// # Files
//
// An index is a folder. pictures.log is a log of files and their uses
// (internal/filelog), named RFIMG01; the kind of a use is a Kind. The payload of a
// file, with numbers as uvarints:
//
//	number of the picture that founded its group; its own if it did
//	width and height of the file, of the grey picture (four numbers)
//	the trimmed part: left, top, right, bottom in the grey picture; zeros: none
//	format; why it could not be read (each a length and text)
//	number of views; each: code, quality, hash (1 + 1 + 32 bytes)
//	JPEG of the small copy, to the end
//
// There is no snapshot: the log holds the hashes themselves, and opening reads them.
// lock is locked while the index is open.
//
// In memory a view takes 34 bytes, and 64 more in the look-up tables from 4,000
// pictures on: 1.1 to 2.2 kB a picture without, 3.1 to 6.3 kB with them (a picture
// with borders has twice the views). On disk it is about 4 kB.
//
// A hash is written as 64 hexadecimal digits, the order of the reference
// implementations: bit 16·i+j belongs to the coefficient of row i and column j
// of the 16×16 transform, and bit 255 is the highest bit of the first digit.
//
// EXIF orientation is not applied when a picture is read; a copy whose pixels were
// turned instead is found as a turned one.
package image
