// Package image finds the same picture again after it was re-encoded, resized,
// cropped, framed or captioned.
//
// A picture is decoded within hard bounds (Decode), reduced to grey with its
// longer side at most 512 pixels (Grey), and hashed with PDQ (Grey.PDQ), the
// 256-bit perceptual hash that the ThreatExchange project defines. PDQ survives
// re-encoding and scaling but not a crop of more than about 3 %, so an Index
// keeps the hashes of several views of each picture: the whole, the whole
// without its uniform borders or caption bars, and windows cut from either. A
// query, with a few views of its own, then meets the one that shows what it
// shows, and Match says which. Below the Index, a Set finds the hashes near
// another; both live in memory, and keeping them is the caller's part.
//
// A hash is written as 64 hexadecimal digits, the order of the reference
// implementations: bit 16·i+j belongs to the coefficient of row i and column j
// of the 16×16 transform, and bit 255 is the highest bit of the first digit.
//
// EXIF orientation is not applied: platforms that strip it turn the pixels
// first. Turned and mirrored copies are not found.
package image
