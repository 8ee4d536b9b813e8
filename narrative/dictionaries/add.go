package dictionaries

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refrain-archive/refrain/narrative/translate"
)

// AddOptions say what a file of the user's is, where it does not say so itself.
type AddOptions struct {
	Name        string // of the dictionary; empty is the file's name
	Lang        string // the language that is not English, ISO 639-1
	FromEnglish bool   // the headwords are English (dictd files only)
	Prose       bool   // as in translate.DictdForm
	Licence     string // as the user knows it
}

// Add takes in a file: a package of Sources, a dictionary in the compact form, the
// text of CC-CEDICT (also gzipped), a dictd .index file with its .dict or .dict.dz
// beside it, or a table of words and translations (ParseTable).
func (s Store) Add(file string, o AddOptions) (translate.Info, error) {
	info, err := s.add(file, o)
	if err != nil {
		return translate.Info{}, fmt.Errorf("adding the dictionary %s: %w", file, err)
	}
	return info, nil
}

func (s Store) add(file string, o AddOptions) (translate.Info, error) {
	data, err := readFile(file)
	if err != nil {
		return translate.Info{}, err
	}
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	sources := Sources()
	if i := slices.IndexFunc(sources, func(src Source) bool { return src.SHA256 == digest }); i >= 0 {
		return s.install(sources[i], file, false)
	}
	info := translate.Info{Name: o.Name, From: o.Lang, To: translate.English, Source: "file " + filepath.Base(file), SHA256: digest, Licence: o.Licence}
	if info.Name == "" {
		info.Name = nameOf(file)
	}
	if info.Licence == "" {
		info.Licence = "not stated"
	}
	if ext := filepath.Ext(file); ext == ".deb" || ext == ".tgz" {
		return translate.Info{}, fmt.Errorf("it has the SHA-256 %s, which is none of the packages that were tested (see `refrain data list --json`): unpack it, and add the dictionary in it", digest)
	}
	notice := fmt.Sprintf("Added from the file %s, SHA-256 %s. Licence: %s.\n", filepath.Base(file), digest, info.Licence)
	if head, err := translate.ReadInfo(bytes.NewReader(data)); err == nil {
		if err := new(translate.Dictionaries).Read(bytes.NewReader(data)); err != nil {
			return translate.Info{}, err
		}
		if err := checkName(head.Name); err != nil {
			return translate.Info{}, err
		}
		if err := os.MkdirAll(s.Dir, 0o755); err != nil {
			return translate.Info{}, err
		}
		notice = fmt.Sprintf("%sIt says of itself: %s, licence %s.\n", notice, head.Source, head.Licence)
		err := replace(filepath.Join(s.Dir, head.Name+noticeSuffix), []byte(notice))
		if err == nil {
			err = replace(filepath.Join(s.Dir, head.Name+translate.Extension), data)
		}
		return head, err
	}
	entries, err := parse(file, data, &info, &notice, o)
	if err != nil {
		return translate.Info{}, err
	}
	if info.From == "" || info.From == translate.English {
		return translate.Info{}, errors.New("say which language it is: --lang ru")
	}
	return info, s.put(&info, entries, notice)
}

func parse(file string, data []byte, info *translate.Info, notice *string, o AddOptions) ([]translate.Entry, error) {
	if strings.HasSuffix(file, ".index") {
		base := strings.TrimSuffix(file, ".index")
		for _, ext := range []string{".dict.dz", ".dict"} {
			f, err := os.Open(base + ext)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			defer f.Close()
			if o.Lang == "" {
				return nil, errors.New("say which language it is: --lang ru")
			}
			return translate.ParseDictd(bytes.NewReader(data), f, translate.DictdForm{Lang: o.Lang, FromEnglish: o.FromEnglish, Prose: o.Prose})
		}
		return nil, fmt.Errorf("neither %s.dict.dz nor %s.dict lies beside it", filepath.Base(base), filepath.Base(base))
	}
	if z, err := gzip.NewReader(bytes.NewReader(data)); err == nil {
		if data, err = io.ReadAll(io.LimitReader(z, maxMember+1)); err != nil {
			return nil, err
		}
		if len(data) > maxMember {
			return nil, fmt.Errorf("it unpacks to more than %d MiB", maxMember>>20)
		}
	}
	if isCEDICT(data) {
		info.From, info.Licence = translate.Chinese, "CC BY-SA 4.0"
		for _, line := range strings.SplitN(string(data[:min(len(data), 4096)]), "\n", 60) {
			if strings.HasPrefix(line, "#") {
				*notice += strings.TrimSpace(line) + "\n"
			}
		}
		return translate.ParseCEDICT(bytes.NewReader(data))
	}
	return translate.ParseTable(bytes.NewReader(data))
}

// isCEDICT: the first line that is no remark ends in a slash and has pinyin.
func isCEDICT(data []byte) bool {
	for _, line := range strings.SplitN(string(data[:min(len(data), 64<<10)]), "\n", 200) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		return strings.HasSuffix(line, "/") && strings.Contains(line, "] /") && !strings.Contains(line, "\t")
	}
	return false
}

func nameOf(file string) string {
	name := strings.ToLower(filepath.Base(file))
	for ext := filepath.Ext(name); ext != "" && len(ext) < len(name); ext = filepath.Ext(name) {
		name = strings.TrimSuffix(name, ext)
	}
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, name), "-_")
}
