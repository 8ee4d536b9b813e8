package replay

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/refrain-archive/refrain/archive/wacz"
)

// ReplayWeb.page, the player of Webrecorder, runs the scripts of archived pages
// in the browser. It is not part of refrain: its licence (AGPL-3.0-or-later) is
// another, so the user fetches it, and it is served as it is.

// The version of the player that was tested, and the SHA-256 of its files.
const (
	PlayerPackage = "replaywebpage"
	PlayerVersion = "2.5.3"
	PlayerLicence = "AGPL-3.0-or-later, https://github.com/webrecorder/replayweb.page"
)

// playerFiles are the files of the npm package that are needed.
var playerFiles = map[string]string{
	"ui.js":   "ad95b260fa467a6c4799e669ad76ac8e7d5abefa71d1a2970ae6b63dc454a3c3",
	"sw.js":   "29a833e871e2f9b7f135f5b86bba0476b69ad975c129c2473ff5055f73f5a2d0",
	"LICENSE": "",
}

// maxPlayerFile is the most bytes that a file of the player may have; the
// largest has 1.2 MB.
const maxPlayerFile = 16 << 20

// UnpackPlayer takes the files of the player that are needed from its npm
// package (a .tgz) and puts them into dir, which is made. Files that are not
// those that were tested are an error, and then nothing is put there.
func UnpackPlayer(tgz io.Reader, dir string) error {
	z, err := gzip.NewReader(tgz)
	if err != nil {
		return fmt.Errorf("read the player's package: it is no .tgz: %w", err)
	}
	found := map[string][]byte{}
	for r := tar.NewReader(io.LimitReader(z, 256<<20)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("read the player's package: %w", err)
		}
		name, ok := strings.CutPrefix(h.Name, "package/")
		if _, wanted := playerFiles[name]; !ok || !wanted || h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(r, maxPlayerFile+1))
		if err != nil {
			return fmt.Errorf("read the player's package: %s: %w", name, err)
		}
		if len(data) > maxPlayerFile {
			return fmt.Errorf("read the player's package: %s has more than %d bytes", name, maxPlayerFile)
		}
		found[name] = data
	}
	names := slices.Sorted(maps.Keys(playerFiles))
	for _, name := range names {
		if found[name] == nil {
			return fmt.Errorf("the package has no %s: is it %s %s?", name, PlayerPackage, PlayerVersion)
		}
	}
	for _, name := range names {
		if err := checkPlayerFile(name, found[name], playerFiles[name]); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the player's folder: %w", err)
	}
	for name, data := range found {
		temporary := filepath.Join(dir, name+".part")
		if err := os.WriteFile(temporary, data, 0o644); err != nil {
			return fmt.Errorf("write the player: %w", err)
		}
		if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("write the player: %w", err)
		}
	}
	return nil
}

func checkPlayerFile(name string, data []byte, want string) error {
	sum := sha256.Sum256(data)
	if got := hex.EncodeToString(sum[:]); want != "" && got != want {
		return fmt.Errorf("%s has the SHA-256 %s; the one that was tested, of %s %s, has %s", name, got, PlayerPackage, PlayerVersion, want)
	}
	return nil
}

// A Player serves ReplayWeb.page and WACZ files for it. Archived scripts run in
// its origin: it needs a listener of its own, and has nothing that they could
// reach but what it shows.
type Player struct {
	o     PlayerOptions
	files map[string][]byte
	waczs []playerFile
}

// PlayerOptions is what a Player is made from.
type PlayerOptions struct {
	Dir       string   // where UnpackPlayer put the player; required
	WACZ      []string // paths of the files that are offered
	LocalOnly bool     // as Options.LocalOnly

	// AllowOrigin is the origin of pages elsewhere that may read the WACZ files
	// (CORS), "*" for all. Empty: none but the player's own.
	AllowOrigin string
}

type playerFile struct{ Name, path string }

// NewPlayer makes a Player. Files of the player other than those that were
// tested are an error.
func NewPlayer(o PlayerOptions) (*Player, error) {
	p := &Player{o: o, files: map[string][]byte{}}
	for name, want := range playerFiles {
		data, err := os.ReadFile(filepath.Join(o.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no %s in %s: `refrain player fetch` gets the player", name, o.Dir)
		}
		if err != nil {
			return nil, fmt.Errorf("read the player: %w", err)
		}
		if err := checkPlayerFile(name, data, want); err != nil {
			return nil, fmt.Errorf("the player in %s: %w", o.Dir, err)
		}
		p.files[name] = data
	}
	for _, file := range o.WACZ {
		name := filepath.Base(file)
		if slices.ContainsFunc(p.waczs, func(f playerFile) bool { return f.Name == name }) {
			return nil, fmt.Errorf("two WACZ files are called %s: rename one", name)
		}
		p.waczs = append(p.waczs, playerFile{name, file})
	}
	return p, nil
}

// playerPolicy keeps the player, and what runs in it, from every other server.
const playerPolicy = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; base-uri 'self'; form-action 'self'; object-src 'none'"

var playerPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Name}}</title>
<style>html,body{margin:0;height:100%}replay-web-page{display:block;width:100%;height:100%}</style>
<script src="/replay/ui.js"></script></head>
<body><replay-web-page source="/wacz/{{.Name}}" replayBase="/replay/" embed="default" deepLink="true"{{with .URL}} url="{{.}}"{{end}}></replay-web-page></body>
</html>
`))

var playerList = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>WACZ files</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}</style></head>
<body><h1>WACZ files</h1>
<ul>{{range .}}<li><a href="/play/{{.Name}}">{{.Name}}</a></li>{{else}}<li>none: name them after <code>refrain serve --player DIR</code></li>{{end}}</ul>
<p>Shown by ReplayWeb.page, which runs the scripts of archived pages. It is software of Webrecorder under the <a href="/LICENSE">AGPL-3.0-or-later</a> and no part of refrain; its source is at github.com/webrecorder/replayweb.page.</p>
</body></html>
`))

// ServeHTTP answers. All routes stand here.
func (p *Player) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	setPolicy(h, playerPolicy)
	switch {
	case p.o.LocalOnly && !localHost(r.Host):
		http.Error(w, "This server is for its own machine: open it as http://localhost or http://127.0.0.1.", http.StatusMisdirectedRequest)
		return
	case r.Method == http.MethodOptions && strings.HasPrefix(r.URL.Path, "/wacz/"):
		p.cors(h)
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "An archive can be read only.", http.StatusMethodNotAllowed)
		return
	}
	switch dir, name := path.Split(r.URL.Path); {
	case r.URL.Path == "/":
		p.page(w, playerList, p.waczs)
	case r.URL.Path == "/replay/":
		h.Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<!DOCTYPE html><meta charset="utf-8"><script src="/replay/ui.js"></script><replay-app-main></replay-app-main>`) //nolint:errcheck // the reader went away
	case (dir == "/" || dir == "/replay/") && p.files[name] != nil:
		kind := "text/javascript; charset=utf-8"
		if name == "LICENSE" {
			kind = "text/plain; charset=utf-8"
		}
		h.Set("Content-Type", kind)
		h.Set("Cache-Control", "no-cache")
		w.Write(p.files[name]) //nolint:errcheck // the reader went away
	case dir == "/play/":
		if f := p.find(name); f != nil {
			url, _ := firstPage(f.path)
			p.page(w, playerPage, map[string]string{"Name": name, "URL": url})
			return
		}
		http.NotFound(w, r)
	case dir == "/wacz/":
		if f := p.find(name); f != nil {
			p.wacz(w, r, f.path)
			return
		}
		http.NotFound(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (p *Player) page(w http.ResponseWriter, t *template.Template, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	t.Execute(w, data) //nolint:errcheck // the reader went away
}

func (p *Player) find(name string) *playerFile {
	for i := range p.waczs {
		if p.waczs[i].Name == name {
			return &p.waczs[i]
		}
	}
	return nil
}

// cors lets pages of another origin read a WACZ, where that is wanted.
func (p *Player) cors(h http.Header) {
	if p.o.AllowOrigin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", p.o.AllowOrigin)
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "*")
	h.Set("Access-Control-Expose-Headers", "Content-Range, Content-Length, Content-Encoding, Accept-Ranges")
	h.Set("Access-Control-Max-Age", "600")
}

// wacz gives a WACZ, or the parts of it that the player asks for.
func (p *Player) wacz(w http.ResponseWriter, r *http.Request, file string) {
	f, err := os.Open(file)
	if err != nil {
		http.Error(w, "The file cannot be opened: "+err.Error(), http.StatusNotFound)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		http.Error(w, "The file cannot be read: "+err.Error(), http.StatusInternalServerError)
		return
	}
	p.cors(w.Header())
	w.Header().Set("Content-Type", "application/wacz")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// firstPage gives the URL of the page that a WACZ is opened at.
func firstPage(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	z, err := wacz.Open(f, info.Size())
	if err != nil {
		return "", err
	}
	if about, err := z.Package(); err == nil && about.MainPageURL != "" {
		return about.MainPageURL, nil
	}
	for page, err := range z.Pages() {
		return page.URL, err
	}
	return "", nil
}
