// Package image finds the same picture again after it was re-encoded or resized.
//
// A picture is decoded within hard bounds (Decode), reduced to grey with its
// longer side at most 512 pixels (Grey), and hashed with PDQ (Grey.PDQ), the
// 256-bit perceptual hash that the ThreatExchange project defines. A Set finds
// the hashes near another.
//
// A hash is written as 64 hexadecimal digits, the order of the reference
// implementations: bit 16·i+j belongs to the coefficient of row i and column j
// of the 16×16 transform, and bit 255 is the highest bit of the first digit.
//
// EXIF orientation is not applied: platforms that strip it turn the pixels first.
package image
