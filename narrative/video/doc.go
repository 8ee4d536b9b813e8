// Package video finds videos that show the same, re-encoded, cut, cropped, framed,
// mirrored, sped up or slowed down, and says which seconds of one show which of the
// other.
//
// # How an asset goes in
//
//	rd, err := video.Find()                       // ErrNoFFmpeg: thumbnails alone
//	ix, err := video.Open(dir, video.Options{})
//	r, ok, err := ix.AddKnown(ctx, "x:1", sum)    // bytes not needed
//	if !ok {
//		clip, refused := rd.Read(ctx, payload)  // or rd.ReadFile(ctx, path)
//		r, err = ix.Add(ctx, "x:1", sum, clip, refused)
//	}
//	… r.Matches are the earlier videos; r.Group names the group of videos …
//	err = ix.Sync()                               // now it survives whatever happens
//
// sum is the SHA-256 of the payload. A Reader uses the ffmpeg of the machine and
// nothing else; without it a video is still found by the same bytes, if refused is
// ErrNoFFmpeg, and by its thumbnail, which is a picture of package image. Such an
// entry stays as it is when ffmpeg is installed later: build the index anew then.
// Pass no error that has nothing to do with the file, such as that of a context.
//
// # Method
//
// Of each second four frames are looked at, of all after the first 15 seconds two.
// Frames that stand still are one. What lies within bars that stand through the
// whole video is hashed with PDQ (package image), also mirrored; of up to 16 frames
// some parts are hashed too, so that crops are found.
//
// A query meets frames within 60 bits of its own. One such frame says little, so for
// each video that has some the line is sought, second t of one is second a·t + b of
// the other, that most frames lie on, nearest ones counting more: chance does not put
// frames in order. Match.Strength says how much is asked.
//
// # Files
//
// An index is a folder. clips.log is a log of files and their uses
// (internal/filelog), named RFVID01; uses have the kind 0. The payload of a file,
// with numbers as uvarints:
//
//	number of the clip that founded its group; its own if it did
//	milliseconds; width and height; 1 if thinned
//	the part within bars: left, top, right, bottom; zeros: all
//	why it could not be read; what ffmpeg said (each a length and text)
//	number of frames; each: milliseconds from the start, milliseconds that it
//	    stands, quality, hash (32 bytes), number of windows;
//	    each: code (a byte), hash
//
// In memory a hash takes 36 bytes, and 64 more in the look-up tables once there are
// 131,072 of them. A clip of 30 seconds of which every frame differs has 90 and 128
// of windows: 8 kB, 22 kB with tables.
package video
