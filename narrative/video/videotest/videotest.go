// Package videotest makes videos with ffmpeg, for tests and measurements: clips of
// which no two show the same, and what re-uploaders do to a clip.
package videotest

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/narrative/image/imagetest"
)

// A Variant is one thing that is done to a clip.
type Variant struct {
	Name   string
	before []string // arguments before the input
	filter string
	after  []string // arguments before the output
}

// Variants are what re-uploaders do: encoding again, cropping, bars, another speed,
// cutting, mirroring, overlays. Those of a cut need a clip of six seconds.
var Variants = []Variant{
	{"encoded again", nil, "scale=320:-2", []string{"-crf", "34"}},
	{"small and coarse", nil, "scale=176:-2,fps=12", []string{"-crf", "38"}},
	{"cropped 5 %", nil, "crop=iw*.95:ih*.95", nil},
	{"cropped 10 %", nil, "crop=iw*.9:ih*.9", nil},
	{"cropped 20 %", nil, "crop=iw*.8:ih*.8", nil},
	{"cropped 12 % at the bottom", nil, "crop=iw:ih*.88:0:0", nil},
	{"black bars above and below", nil, "pad=iw:ih*1.35:0:(oh-ih)/2", nil},
	{"grey bars left and right", nil, "pad=iw*1.5:ih:(ow-iw)/2:0:gray", nil},
	{"white frame", nil, "pad=iw*1.2:ih*1.2:(ow-iw)/2:(oh-ih)/2:white", nil},
	{"bar with a logo", nil, "pad=iw:ih*1.2:0:ih*.2:navy,drawbox=x=iw*.1:y=ih*.03:w=iw*.3:h=ih*.09:color=yellow:t=fill", nil},
	{"logo in a corner", nil, "drawbox=x=iw*.75:y=ih*.05:w=iw*.2:h=ih*.12:color=red:t=fill", nil},
	{"1.25 times as fast", nil, "setpts=PTS/1.25", nil},
	{"1.5 times as fast", nil, "setpts=PTS/1.5", nil},
	{"0.8 times as fast", nil, "setpts=PTS/0.8", nil},
	{"cut: seconds 2 to 5", []string{"-ss", "2", "-t", "3"}, "null", nil},
	{"cut: the first 3 seconds", []string{"-t", "3"}, "null", nil},
	{"mirrored", nil, "hflip", nil},
	{"brighter, with more contrast", nil, "eq=brightness=.08:contrast=1.3", nil},
	{"faster, cropped, with bars", nil, "setpts=PTS/1.15,crop=iw*.94:ih*.94,pad=iw:ih*1.3:0:(oh-ih)/2", nil},
}

// Make writes the variant of the first ten seconds of a video file, 360 pixels wide,
// to another.
func (v Variant) Make(ctx context.Context, ffmpeg, from, to string) error {
	args := append([]string{"-t", "10"}, v.before...)
	args = append(args, "-i", from, "-vf", "scale=360:-2,"+v.filter+",crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0")
	return run(ctx, ffmpeg, nil, append(args, v.after...), to)
}

func run(ctx context.Context, ffmpeg string, input []byte, args []string, to string) error {
	args = append(append([]string{"-nostdin", "-v", "error", "-y"}, args...), "-an", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1", to)
	if input != nil {
		args = args[1:]
	}
	cmd := exec.CommandContext(ctx, ffmpeg, args...)
	if input != nil {
		cmd.Stdin = bytes.NewReader(input)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ffmpeg %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// A Source is one kind of clip of which no two show the same.
type Source struct {
	Name string
	make func(ctx context.Context, ffmpeg string, seed uint64, to string) error
}

// Make writes a clip of eight seconds.
func (s Source) Make(ctx context.Context, ffmpeg string, seed uint64, to string) error {
	return s.make(ctx, ffmpeg, seed, to)
}

// Sources are all kinds. Of the test pictures of ffmpeg there is one clip each.
var Sources = append(generators(), shows()...)

// places are points at the edge of the Mandelbrot set, far from each other.
var places = [8][2]float64{{-0.743, 0.131}, {0.275, 0.006}, {-1.25, 0.02}, {-0.1011, 0.9563}, {-0.16, 1.0405}, {-1.768, 0.0017}, {0.3245, 0.0485}, {-0.5626, 0.6428}}

func generators() (list []Source) {
	for _, g := range []struct{ name, graph string }{
		{"mandelbrot", "mandelbrot=s=320x240:r=10:start_x=X:start_y=Y:start_scale=.02:end_scale=.0005"},
		{"game of life", "life=s=320x240:r=10:seed=SEED:ratio=.3:mold=20,scale=320:240"},
		{"colour gradients", "gradients=s=320x240:r=10:seed=SEED:n=8:speed=.02,eq=contrast=1.8"},
		{"cellular automaton", "cellauto=s=320x240:r=10:seed=SEED:rule=RULE"},
	} {
		list = append(list, Source{g.name, func(ctx context.Context, ffmpeg string, seed uint64, to string) error {
			graph := strings.NewReplacer(
				"SEED", fmt.Sprint(seed), "RULE", fmt.Sprint([]int{30, 110, 18, 90}[seed%4]),
				"X", fmt.Sprint(places[seed%8][0]), "Y", fmt.Sprint(places[seed%8][1]),
			).Replace(g.graph)
			return run(ctx, ffmpeg, nil, []string{"-f", "lavfi", "-t", "8", "-i", graph}, to)
		}})
	}
	return list
}

// shows are clips of drawn pictures, each for a second or two, and pans over one.
func shows() (list []Source) {
	for _, k := range imagetest.Kinds {
		list = append(list, Source{"show of pictures: " + k.Name, func(ctx context.Context, ffmpeg string, seed uint64, to string) error {
			var b bytes.Buffer
			for i := range uint64(5) {
				if err := png.Encode(&b, fit(k.Draw(1000+seed*5+i))); err != nil {
					return err
				}
			}
			return run(ctx, ffmpeg, b.Bytes(), []string{"-f", "image2pipe", "-framerate", "0.625", "-i", "-", "-r", "10"}, to)
		}})
	}
	return append(list, Source{"pan over a scene", func(ctx context.Context, ffmpeg string, seed uint64, to string) error {
		var b bytes.Buffer
		if err := png.Encode(&b, imagetest.Scene(3*(700+seed)+1)); err != nil {
			return err
		}
		pan := fmt.Sprintf("scale=960:-2,crop=320:240:x='(iw-320)*n/80':y='(ih-240)*%d/5'", seed%6)
		return run(ctx, ffmpeg, b.Bytes(), []string{"-f", "image2pipe", "-loop", "1", "-framerate", "10", "-t", "8", "-i", "-", "-vf", pan}, to)
	}})
}

// fit puts a picture on a canvas of one size, as all frames of a video must have.
func fit(m *image.Gray) *image.Gray {
	const w, h = 640, 480
	out := image.NewGray(image.Rect(0, 0, w, h))
	b := m.Bounds()
	f := max(float64(b.Dx())/w, float64(b.Dy())/h)
	dx, dy := (w-int(float64(b.Dx())/f))/2, (h-int(float64(b.Dy())/f))/2
	for y := dy; y < h-dy; y++ {
		for x := dx; x < w-dx; x++ {
			sx, sy := int(float64(x-dx)*f), int(float64(y-dy)*f)
			if image.Pt(sx, sy).In(b) {
				out.Pix[y*w+x] = m.GrayAt(sx, sy).Y
			}
		}
	}
	return out
}

// All writes n clips of each source into a folder and gives their files.
func All(ctx context.Context, ffmpeg, dir string, n int) (files []string, err error) {
	for _, s := range Sources {
		for seed := range uint64(n) {
			to := filepath.Join(dir, fmt.Sprintf("%s %d.mp4", strings.ReplaceAll(s.Name, ": ", " "), seed))
			if err := s.Make(ctx, ffmpeg, seed, to); err != nil {
				return files, err
			}
			files = append(files, to)
		}
	}
	return files, nil
}
