package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func load(t *testing.T, file string, environ ...string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "refrain.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Load(path, Environment{Environ: func() []string { return environ }, Getenv: func(string) string { return "" }, Data: "/data"})
	return c, err
}

func TestLoad(t *testing.T) {
	c, err := load(t, `
contact: desk@news.example
keys: {reddit: {id: abc, secret: s1}}
origins: {"*.tumblr.com": "http://127.0.0.1:8080"}
crawl: {pace: {www.reddit.com: 65s}, max_body: 32MiB, timeout: 1m30s}
segment: {max_size: 1GB}
`, "REFRAIN_KEYS_REDDIT_SECRET=s2", "REFRAIN_CRAWL_WORKERS=3", "REFRAIN_S3_PATH_STYLE=true", "OTHER=1", "REFRAIN_CONFIG=x")
	if err != nil {
		t.Fatal(err)
	}
	if c.Keys["reddit"] != (Key{ID: "abc", Secret: "s2"}) {
		t.Errorf("the environment does not go over the file: %+v", c.Keys)
	}
	if c.Crawl.Workers != 3 || !c.S3.PathStyle || c.Crawl.MaxBody != 32<<20 || c.Segment.MaxSize != 1e9 || time.Duration(c.Crawl.Timeout) != 90*time.Second || time.Duration(c.Crawl.Pace["www.reddit.com"]) != 65*time.Second {
		t.Errorf("%+v", c)
	}
	if c.Archive != filepath.Join("/data", "archive") || c.State != filepath.Join("/data", "archive")+".state" {
		t.Errorf("paths %s %s", c.Archive, c.State)
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		name, file, environ, want string
	}{
		{"not YAML", "contact: [", "", "refrain.yaml"},
		{"a binary file", "\x00\xff\xfe", "", "refrain.yaml"},
		{"unknown field", "contcat: a@b.example", "", "contcat"},
		{"contact", "contact: me", "", "neither an e-mail address nor a web page"},
		{"span", "crawl: {timeout: soon}", "", "write 90s"},
		{"size", "crawl: {max_body: big}", "", "write 32MiB"},
		{"origin", "origins: {a.example: 127.0.0.1}", "", "write http://HOST:PORT"},
		{"proxy", "", "REFRAIN_CRAWL_PROXY=ftp://x", "crawl.proxy"},
		{"key variable", "", "REFRAIN_KEYS_REDDIT=x", "REFRAIN_KEYS_NAME_SECRET"},
		{"number", "", "REFRAIN_CRAWL_WORKERS=many", "not a number"},
		{"workers", "crawl: {workers: -1}", "", "crawl.workers"},
		{"per host", "crawl: {per_host: -1}", "", "crawl.per_host"},
		{"dedup", "crawl: {dedup: never}", "", "crawl.dedup"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := load(t, test.file, test.environ)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
	if _, _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), Environment{}); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestStateFor(t *testing.T) {
	for archive, want := range map[string]string{
		"/a/case1/":        "/a/case1.state",
		"s3://Bucket/x/y/": "/data/s3-bucket_x_y.state",
	} {
		got, err := StateFor(archive, Environment{Data: "/data"})
		if err != nil || filepath.ToSlash(got) != want {
			t.Errorf("StateFor(%s) = %s, %v", archive, got, err)
		}
	}
}
