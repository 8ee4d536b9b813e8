// Command refrain collects public posts from many platforms, keeps every
// exchange it read as evidence, and finds the stories that are told again and
// again by accounts that pretend not to know each other.
//
// Each verb stands in a file of its own name; this package is the only code
// that joins the parts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// version is set by the linker for releases: -X main.version=1.2.3.
var version = "0.1.0-dev"

func main() { os.Exit(program()) }

// program runs the command line of this process and gives its exit code.
func program() int {
	ownProcess = true
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer startProfile(os.Stderr)()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ended:
		case <-ctx.Done():
			select {
			case <-ended: // by itself, in the same moment
				return
			default:
			}
			stop() // a second Ctrl-C ends the program at once
			fmt.Fprintln(os.Stderr, "refrain: stopping when what is under way is finished; Ctrl-C again ends at once, and loses nothing that was saved")
		}
	}()
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	if fd := int(os.Stdout.Fd()); term.IsTerminal(fd) {
		s.colour = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
		if width, _, err := term.GetSize(fd); err == nil {
			s.width = width
		}
	}
	return run(ctx, os.Args[1:], s)
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is a terminal: progress may be redrawn
	width    int  // columns of the terminal that out is; 0 if it is none
	colour   bool // out is a terminal that is to show colours
}

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPartly = 3
	exitVerify = 4
)

// An exitError carries the exit code that an error ends the program with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage makes an error of what the user asked for: exit code 2.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// partly makes an error of work that was done in part: exit code 3.
func partly(format string, args ...any) error {
	return &exitError{exitPartly, fmt.Errorf(format, args...)}
}

// errReported ends the program with a code, when everything was said already.
var errReported = errors.New("reported")

const exitCodes = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done, 4 verification failed.`

type cli struct {
	globals

	Collect      collectCmd      `cmd:"" group:"Work" help:"Collect public posts now, from accounts, blogs, tags, posts or any page."`
	Import       importCmd       `cmd:"" group:"Work" help:"Take in the files of other tools: Zeeschuimer, twarc, Reddit dumps, WACZ, HAR, CSV and more."`
	Seeds        seedsCmd        `cmd:"" group:"Work" help:"Look what is in lists of seeds (text, CSV, XLSX); fetches nothing."`
	Search       searchCmd       `cmd:"" group:"Work" help:"Find posts."`
	Show         showCmd         `cmd:"" group:"Work" help:"Show everything we have of one post, account or URL."`
	Recheck      recheckCmd      `cmd:"" group:"Work" help:"Look whether posts still stand."`
	Serve        serveCmd        `cmd:"" group:"Work" help:"Show captured pages in a browser, as they were, without their scripts."`
	Export       exportCmd       `cmd:"" group:"Work" help:"Write selected posts with their captures as WACZ, or as a table."`
	Similar      similarCmd      `cmd:"" group:"Refrain" help:"Find the posts that carry a text, or link to an address."`
	Links        linksCmd        `cmd:"" group:"Refrain" help:"List which posts carry the same material and why, and open each link to both texts."`
	Narratives   narrativesCmd   `cmd:"" group:"Refrain" help:"List groups of posts that carry the same material; name, note, split and merge them."`
	Accounts     accountsCmd     `cmd:"" group:"Refrain" help:"List accounts, those of a narrative, and who appears together."`
	Coordination coordinationCmd `cmd:"" group:"Refrain" help:"Find accounts that share the same things at nearly the same time."`
	Extract      extractCmd      `cmd:"" group:"Files" help:"Read the posts in WARC, WACZ, HAR or saved files; writes JSON lines to standard output."`
	Verify       verifyCmd       `cmd:"" group:"Files" help:"Check WARC, WACZ and CDXJ files, or the whole archive, and say what each check proves."`
	Repair       repairCmd       `cmd:"" group:"Files" help:"Make a sound copy of a damaged WARC or WACZ file."`
	Delete       deleteCmd       `cmd:"" group:"Upkeep" help:"Delete payloads by legal duty, as a recorded act."`
	Index        indexCmd        `cmd:"" group:"Upkeep" help:"Bring the corpus up to date with the archive."`
	Rebuild      rebuildCmd      `cmd:"" group:"Upkeep" help:"Make the corpus anew from the archive alone."`
	Status       statusCmd       `cmd:"" group:"Upkeep" help:"Show what the archive and corpus hold."`
	Player       playerCmd       `cmd:"" group:"Upkeep" help:"Get ReplayWeb.page, for pages that need their scripts."`
	Platforms    platformsCmd    `cmd:"" group:"Upkeep" help:"Show what each collector gets, by which route, with or without a key."`
	Data         dataCmd         `cmd:"" group:"Upkeep" help:"Get and remove the dictionaries by which translations are linked."`
	Doctor       doctorCmd       `cmd:"" group:"Upkeep" help:"Check configuration, storage, clock and keys."`
	Demo         demoCmd         `cmd:"" group:"Work" help:"Start a made-up social web on this machine, collect it and show the result."`
	Version      versionCmd      `cmd:"" group:"Upkeep" help:"Print the version."`
}

// run is the program: it parses args, runs the verb, prints its error and gives
// the exit code.
func run(ctx context.Context, args []string, s streams) int {
	var c cli
	ended := -1
	parser, err := kong.New(&c,
		kong.Name("refrain"),
		kong.Description("Finds the refrain: the same story told again and again by accounts that pretend not to know each other.\n"+exitCodes),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { ended = code; panic(errReported) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
	if err != nil {
		fmt.Fprintln(s.err, "refrain:", err)
		return exitFailed
	}
	parsed, code := parse(ctx, parser, args, &ended, s)
	if parsed == nil {
		return code
	}
	a := &app{streams: s, globals: c.globals}
	err = parsed.Run(a)
	var exit *exitError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &exit):
		if !errors.Is(err, errReported) {
			fmt.Fprintln(s.err, "refrain:", err)
		}
		return exit.code
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(s.err, "refrain: stopped")
		return exitFailed
	}
	fmt.Fprintln(s.err, "refrain:", err)
	return exitFailed
}

// parse reads args. It gives nil and the exit code where the parser ended the
// program itself (--help) or refused args.
func parse(ctx context.Context, parser *kong.Kong, args []string, ended *int, s streams) (parsed *kong.Context, code int) {
	defer func() {
		if r := recover(); r != nil {
			if r != errReported {
				panic(r)
			}
			parsed, code = nil, *ended
		}
	}()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(s.err, "refrain: %v\n(refrain --help lists the verbs, refrain VERB --help shows one)\n", err)
		return nil, exitUsage
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return parsed, 0
}

type versionCmd struct{}

func (versionCmd) Run(_ context.Context, a *app) error {
	_, err := fmt.Fprintln(a.out, "refrain", version)
	return err
}
