package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A graph is a network to be written as GraphML (http://graphml.graphdrawing.org),
// which Gephi, yEd, NetworkX and igraph read.
type graph struct {
	directed   bool
	nodeFields []graphField
	edgeFields []graphField
	nodes      []graphNode
	edges      []graphEdge
}

// A graphField is an attribute of nodes or edges: its type is string, int, double
// or boolean.
type graphField struct{ name, kind string }

type graphNode struct {
	id     string
	values []any // by field; nil is left out
}

type graphEdge struct {
	from, to string
	values   []any
}

// write writes the network. Characters that may not stand in XML are replaced.
func (g graph) write(w io.Writer) error {
	b := bufio.NewWriter(w)
	text := func(s string) string {
		var out strings.Builder
		_ = xml.EscapeText(&out, []byte(s)) // a strings.Builder takes all
		return out.String()
	}
	fmt.Fprint(b, xml.Header, `<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">`, "\n")
	for _, of := range []struct {
		name   string
		fields []graphField
	}{{"node", g.nodeFields}, {"edge", g.edgeFields}} {
		for i, f := range of.fields {
			fmt.Fprintf(b, "  <key id=\"%c%d\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>\n", of.name[0], i, of.name, text(f.name), f.kind)
		}
	}
	fmt.Fprintf(b, "  <graph edgedefault=\"%s\">\n", map[bool]string{true: "directed", false: "undirected"}[g.directed])
	data := func(letter byte, values []any) {
		for i, v := range values {
			if v != nil {
				fmt.Fprintf(b, "<data key=\"%c%d\">%s</data>", letter, i, text(fmt.Sprint(v)))
			}
		}
	}
	for _, n := range g.nodes {
		fmt.Fprintf(b, "    <node id=\"%s\">", text(n.id))
		data('n', n.values)
		fmt.Fprint(b, "</node>\n")
	}
	for _, e := range g.edges {
		fmt.Fprintf(b, "    <edge source=\"%s\" target=\"%s\">", text(e.from), text(e.to))
		data('e', e.values)
		fmt.Fprint(b, "</edge>\n")
	}
	fmt.Fprint(b, "  </graph>\n</graphml>\n")
	return b.Flush()
}

// writeGraph writes a network into a file that is not there yet, or to standard
// output.
func (a *app) writeGraph(name string, g graph) (err error) {
	if name == "-" {
		return g.write(a.out)
	}
	if _, err := os.Lstat(name); err == nil {
		return usage("%s is there already: choose another name", name)
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".refrain-*")
	if err != nil {
		return err
	}
	err = errors.Join(g.write(f), f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), name) // replaces nothing
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	a.say("%s: %s, %s", name, plural(int64(len(g.nodes)), "node"), plural(int64(len(g.edges)), "edge"))
	return nil
}
