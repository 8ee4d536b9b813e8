package crawlertest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Imports checks that the collector in dir (usually ".") can do no I/O, keep no
// state and read no clock: it looks at the package's files, tests left out, for
// imports, clock functions and package variables that change. net/url is
// allowed, as are regular expressions and tables in package variables that
// nothing assigns to.
func Imports(t *testing.T, dir string) {
	t.Helper()
	faults, err := Impure(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Error(f)
	}
}

// Impure lists what Imports forbids in the package in dir, one "FILE:LINE:COL:
// what" each.
func Impure(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !isSource(e) {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	p := purity{fset: fset, vars: map[string]*ast.ValueSpec{}}
	for _, f := range files {
		p.collect(f)
	}
	for _, f := range files {
		p.check(f)
	}
	return p.faults, nil
}

func isSource(e fs.DirEntry) bool {
	return !e.IsDir() && strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
}

// forbidden reports whether a collector must not import path.
func forbidden(path string) bool {
	switch path {
	case "net", "os", "syscall", "unsafe", "plugin", "log", "log/slog", "expvar", "testing", "io/ioutil",
		"math/rand", "math/rand/v2", "crypto/rand", "database/sql", "runtime/debug":
		return true
	}
	for _, prefix := range []string{"net/http", "net/rpc", "net/smtp", "os/", "golang.org/x/net/http", "golang.org/x/net/websocket", "github.com/gocolly/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	const own = "github.com/refrain-archive/refrain/"
	if rest, ok := strings.CutPrefix(path, own); ok {
		for _, down := range []string{"post", "crawlers", "internal/"} {
			if rest == down || strings.HasPrefix(rest, down) && strings.HasSuffix(down, "/") {
				return false
			}
		}
		// Another collector, as blogspot reads feeds like feed does.
		if name, ok := strings.CutPrefix(rest, "crawlers/"); ok {
			switch name {
			case "polite", "frontier", "all", "crawlertest", "asset":
				return true
			}
			return false
		}
		return true
	}
	return false
}

type purity struct {
	fset   *token.FileSet
	vars   map[string]*ast.ValueSpec // package variables
	faults []string
}

func (p *purity) fault(at ast.Node, what string) {
	p.faults = append(p.faults, p.fset.Position(at.Pos()).String()+": "+what)
}

func (p *purity) collect(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for _, name := range v.Names {
				if name.Name != "_" {
					p.vars[name.Name] = v
				}
			}
			ast.Inspect(v, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && (x.Name == "atomic" || x.Name == "sync" && !strings.HasPrefix(s.Sel.Name, "Once")) {
						p.fault(v, "package variable "+v.Names[0].Name+" is made to change ("+x.Name+"."+s.Sel.Name+")")
						return false
					}
				}
				_, isFunc := n.(*ast.FuncLit)
				return !isFunc
			})
		}
	}
}

func (p *purity) check(f *ast.File) {
	timeName := ""
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if forbidden(path) {
			p.fault(i, "imports "+path)
		}
		if path == "time" {
			timeName = "time"
			if i.Name != nil {
				timeName = i.Name.Name
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch x := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok && timeName != "" && id.Name == timeName && id.Obj == nil {
				switch x.Sel.Name {
				case "Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Local", "LoadLocation":
					p.fault(x, "time."+x.Sel.Name)
				}
			}
		case *ast.AssignStmt:
			if x.Tok != token.DEFINE {
				for _, left := range x.Lhs {
					p.changes(left)
				}
			}
		case *ast.IncDecStmt:
			p.changes(x.X)
		case *ast.UnaryExpr:
			if x.Op == token.AND {
				p.changes(x.X)
			}
		case *ast.RangeStmt:
			if x.Tok == token.ASSIGN {
				p.changes(x.Key)
				p.changes(x.Value)
			}
		case *ast.CallExpr:
			if id, ok := x.Fun.(*ast.Ident); ok && id.Obj == nil && len(x.Args) > 0 {
				switch id.Name {
				case "delete", "clear", "copy":
					p.changes(x.Args[0])
				}
			}
		case *ast.GoStmt:
			p.fault(x, "starts a goroutine")
		}
		return true
	})
}

// changes notes e if it is a package variable or a part of one.
func (p *purity) changes(e ast.Expr) {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.Ident:
			spec, ok := p.vars[x.Name]
			// The parser resolves names within a file; a name of another file stays open.
			if ok && (x.Obj == nil || x.Obj.Decl == spec) {
				p.fault(x, "changes package variable "+x.Name)
			}
			return
		default:
			return
		}
	}
}
