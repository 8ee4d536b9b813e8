// Package config reads what the user configured: built-in defaults, then a YAML
// file, then REFRAIN_… environment variables; command-line flags go over all of
// them in cmd/refrain. The result is one plain value with a struct for each
// part of refrain. It imports none of the parts and keeps no global.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Config is everything that can be configured. The zero value of each field
// says what it means; Load fills the paths.
type Config struct {
	Contact string `yaml:"contact"` // e-mail address or web page that stands in the User-Agent; required to collect
	Archive string `yaml:"archive"` // folder, or s3://BUCKET/PREFIX; empty is "archive" in the user's data folder
	State   string `yaml:"state"`   // folder for what is derived: corpus, frontier, open segments; empty is "state" beside a local archive or in the data folder

	S3      S3                `yaml:"s3"`
	Keys    map[string]Key    `yaml:"keys"`    // by name: see `refrain platforms`
	Origins map[string]string `yaml:"origins"` // host or *.host → http://ADDRESS or https://ADDRESS: sends a platform's host elsewhere (demo, tests, a mirror)
	Crawl   Crawl             `yaml:"crawl"`
	Segment Segment           `yaml:"segment"`

	Blocklists []string `yaml:"blocklists"` // files of hashes of payloads that must not be shown or handed on: see package sensitive
}

// S3 says how to reach S3-compatible storage. Empty fields leave the choice to
// the environment and files that other S3 tools use.
type S3 struct {
	Endpoint  string `yaml:"endpoint"` // https://host[:port]; empty is AWS
	Region    string `yaml:"region"`   // empty is us-east-1 with an endpoint of your own
	PathStyle bool   `yaml:"path_style"`
	AccessKey string `yaml:"access_key"`
	SecretKey string `yaml:"secret_key"`
	LockDays  int    `yaml:"lock_days"` // object lock in COMPLIANCE mode for so many days; 0 is none
}

// Key is a credential for a platform.
type Key struct {
	ID     string `yaml:"id"`     // client id, where the platform has one
	Secret string `yaml:"secret"` // key, token or client secret
}

// Crawl says how to fetch.
type Crawl struct {
	Proxy      string              `yaml:"proxy"`       // http://, https:// or socks5://; empty is none (the environment's proxy is not used)
	SourceAddr string              `yaml:"source_addr"` // local address to send from; empty is the system's choice
	Pace       map[string]Duration `yaml:"pace"`        // least time between two requests to a host
	Workers    int                 `yaml:"workers"`     // requests and saves under way at the same time; 0 is 16
	PerHost    int                 `yaml:"per_host"`    // requests under way to one host at the same time; 0 is 1, more is for a mirror of your own
	Timeout    Duration            `yaml:"timeout"`     // for one answer; 0 is 60 s
	MaxBody    Size                `yaml:"max_body"`    // decoded bytes of a page; 0 is 32 MiB
	MaxAsset   Size                `yaml:"max_asset"`   // bytes of a picture or video; 0 is 2 GiB
	MaxWait    Duration            `yaml:"max_wait"`    // a host that asks to wait longer is left for a later run; 0 is 15 min
	Language   string              `yaml:"language"`    // Accept-Language; empty is en-US,en;q=0.9

	// Dedup says which answers are not stored again, because the same bytes are
	// stored already: DedupArchive (the default), DedupRun or DedupOff.
	Dedup    string `yaml:"dedup"`
	DedupMin Size   `yaml:"dedup_min"` // smaller answers are always stored; 0 is 512 bytes
}

// The values of Crawl.Dedup.
const (
	DedupArchive = "archive" // by this run or an earlier one into the archive
	DedupRun     = "run"     // by this run
	DedupOff     = "off"     // all are stored
)

// Segment says when a segment of the archive ends.
type Segment struct {
	MaxSize Size     `yaml:"max_size"` // 0 is 1 GB
	MaxAge  Duration `yaml:"max_age"`  // after its first record; 0 is 15 min
}

// Duration is a time.Duration written as "90s" or "15m".
type Duration time.Duration

// UnmarshalText reads 90s, 15m, 1h30m.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a time span: write 90s, 15m or 1h30m", text)
	}
	*d = Duration(v)
	return nil
}

// Size is a number of bytes written as "32MiB", "1GB" or plain digits.
type Size int64

// UnmarshalText reads 1048576, 512KiB, 32MiB, 1GiB, 1KB, 1MB, 1GB.
func (s *Size) UnmarshalText(text []byte) error {
	v := strings.TrimSpace(string(text))
	unit := int64(1)
	for _, u := range []struct {
		suffix string
		factor int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}} {
		if rest, ok := strings.CutSuffix(v, u.suffix); ok {
			v, unit = strings.TrimSpace(rest), u.factor
			break
		}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is not a size: write 32MiB, 1GB or a number of bytes", text)
	}
	*s = Size(n * unit)
	return nil
}

// An Environment is where Load looks.
type Environment struct {
	Getenv  func(string) string // nil is os.Getenv
	Environ func() []string     // nil is os.Environ
	Data    string              // the user's data folder; empty is the system's
}

// Load reads the configuration. file is the path the user gave; if empty,
// REFRAIN_CONFIG, then refrain.yaml in the current folder, then in the user's
// configuration folder is read where it exists. It gives the path read, empty
// if none.
func Load(file string, env Environment) (Config, string, error) {
	if env.Getenv == nil {
		env.Getenv = os.Getenv
	}
	if env.Environ == nil {
		env.Environ = os.Environ
	}
	var c Config
	path, err := c.readFile(file, env)
	if err != nil {
		return Config{}, "", err
	}
	if err := c.readEnvironment(env.Environ()); err != nil {
		return Config{}, path, err
	}
	if err := c.fillPaths(env); err != nil {
		return Config{}, path, err
	}
	if err := c.check(); err != nil {
		if path != "" {
			err = fmt.Errorf("configuration %s: %w", path, err)
		}
		return Config{}, path, err
	}
	return c, path, nil
}

func (c *Config) readFile(file string, env Environment) (string, error) {
	candidates := []string{file}
	if file == "" {
		file = env.Getenv("REFRAIN_CONFIG")
		candidates = []string{file}
	}
	if file == "" {
		candidates = []string{"refrain.yaml"}
		if dir, err := os.UserConfigDir(); err == nil {
			candidates = append(candidates, filepath.Join(dir, "refrain", "refrain.yaml"))
		}
	}
	for _, path := range candidates {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) && file == "" {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("read the configuration: %w", err)
		}
		if len(bytes.TrimSpace(data)) == 0 {
			return path, nil
		}
		if err := yaml.UnmarshalWithOptions(data, c, yaml.Strict()); err != nil {
			return "", fmt.Errorf("configuration %s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, false)))
		}
		return path, nil
	}
	return "", nil
}

// readEnvironment takes REFRAIN_CONTACT, REFRAIN_CRAWL_PROXY,
// REFRAIN_KEYS_REDDIT_SECRET and so on: the path of a field in capitals.
func (c *Config) readEnvironment(environ []string) error {
	sort.Strings(environ)
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		path, ok := strings.CutPrefix(name, "REFRAIN_")
		if !ok || value == "" {
			continue
		}
		if rest, ok := strings.CutPrefix(path, "KEYS_"); ok {
			if err := c.keyFromEnvironment(name, rest, value); err != nil {
				return err
			}
			continue
		}
		if err := setField(reflect.ValueOf(c).Elem(), strings.ToLower(path), value); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return nil
}

func (c *Config) keyFromEnvironment(variable, path, value string) error {
	i := strings.LastIndexByte(path, '_')
	if i < 0 {
		return fmt.Errorf("environment variable %s: write REFRAIN_KEYS_NAME_SECRET or REFRAIN_KEYS_NAME_ID", variable)
	}
	if c.Keys == nil {
		c.Keys = map[string]Key{}
	}
	name := strings.ToLower(path[:i])
	key := c.Keys[name]
	switch path[i+1:] {
	case "ID":
		key.ID = value
	case "SECRET":
		key.Secret = value
	default:
		return fmt.Errorf("environment variable %s: write REFRAIN_KEYS_NAME_SECRET or REFRAIN_KEYS_NAME_ID", variable)
	}
	c.Keys[name] = key
	return nil
}

// setField sets the field whose yaml path, joined by "_", is path. Variables
// that name no field belong to others (REFRAIN_CONFIG, tests) and are left.
func setField(v reflect.Value, path, value string) error {
	t := v.Type()
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("yaml")
		field := v.Field(i)
		if rest, ok := strings.CutPrefix(path, tag+"_"); ok && field.Kind() == reflect.Struct {
			if err := setField(field, rest, value); err != nil {
				return err
			}
		}
		if path != tag {
			continue
		}
		if u, ok := field.Addr().Interface().(interface{ UnmarshalText([]byte) error }); ok {
			return u.UnmarshalText([]byte(value))
		}
		switch field.Kind() {
		case reflect.String:
			field.SetString(value)
		case reflect.Bool:
			b, err := strconv.ParseBool(value)
			if err != nil {
				return fmt.Errorf("%q is neither true nor false", value)
			}
			field.SetBool(b)
		case reflect.Int:
			n, err := strconv.Atoi(value)
			if err != nil {
				return fmt.Errorf("%q is not a number", value)
			}
			field.SetInt(int64(n))
		default:
			return errors.New("this can only be set in the configuration file")
		}
	}
	return nil
}

// DataDir is the user's data folder for refrain. A nil getenv is os.Getenv.
func DataDir(getenv func(string) string) (string, error) {
	if getenv == nil {
		getenv = os.Getenv
	}
	if dir := getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "refrain"), nil
	}
	if dir := getenv("LOCALAPPDATA"); dir != "" {
		return filepath.Join(dir, "refrain"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find your data folder (give --archive DIR instead): %w", err)
	}
	return filepath.Join(home, ".local", "share", "refrain"), nil
}

func (c *Config) fillPaths(env Environment) error {
	if c.Archive != "" && c.State != "" {
		return nil
	}
	data := env.Data
	if data == "" && c.Archive == "" {
		dir, err := DataDir(env.Getenv)
		if err != nil {
			return err
		}
		data = dir
	}
	if c.Archive == "" {
		c.Archive = filepath.Join(data, "archive")
	}
	if c.State == "" {
		state, err := StateFor(c.Archive, env)
		if err != nil {
			return err
		}
		c.State = state
	}
	return nil
}

// StateFor is the state folder that belongs to an archive where none is
// configured: beside a local archive, in the data folder for one on S3.
func StateFor(archive string, env Environment) (string, error) {
	bucket, isS3 := strings.CutPrefix(archive, "s3://")
	if !isS3 {
		return strings.TrimRight(filepath.Clean(archive), `/\`) + ".state", nil
	}
	getenv := env.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	data := env.Data
	if data == "" {
		dir, err := DataDir(getenv)
		if err != nil {
			return "", err
		}
		data = dir
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, strings.ToLower(strings.Trim(bucket, "/")))
	return filepath.Join(data, "s3-"+name+".state"), nil
}

func (c *Config) check() error {
	if c.Contact != "" {
		if _, err := mail.ParseAddress(c.Contact); err != nil {
			u, err := url.Parse(c.Contact)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
				return fmt.Errorf("contact: %q is neither an e-mail address nor a web page: sites must be able to reach you", c.Contact)
			}
		}
	}
	for host, to := range c.Origins {
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" && u.Path != "/" {
			return fmt.Errorf("origins: %s: %q is not an address: write http://HOST:PORT or https://HOST:PORT", host, to)
		}
	}
	if c.Crawl.Proxy != "" {
		u, err := url.Parse(c.Crawl.Proxy)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" {
			return errors.New("crawl.proxy: write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT")
		}
	}
	if c.Crawl.Workers < 0 {
		return fmt.Errorf("crawl.workers: %d is less than 0", c.Crawl.Workers)
	}
	if c.Crawl.PerHost < 0 {
		return fmt.Errorf("crawl.per_host: %d is less than 0", c.Crawl.PerHost)
	}
	switch c.Crawl.Dedup {
	case "", DedupArchive, DedupRun, DedupOff:
	default:
		return fmt.Errorf("crawl.dedup: %q is none of %s, %s, %s", c.Crawl.Dedup, DedupArchive, DedupRun, DedupOff)
	}
	if c.S3.LockDays < 0 {
		return fmt.Errorf("s3.lock_days: %d is less than 0", c.S3.LockDays)
	}
	return nil
}
