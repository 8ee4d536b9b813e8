#!/bin/sh
# Runs every check of the project, and first installs what the tests use on a
# Debian machine: wget, openssl, npm, Chromium and ffmpeg from the distribution, an S3 server,
# staticcheck and npm packages in this folder (see setup.sh). Where something
# cannot be installed, the tests that need it are skipped and say so.
#
#	tools/test.sh              everything
#	tools/test.sh --no-install everything, with what is there
set -eu
cd "$(dirname "$0")/.."

install() {
	missing=
	for pair in wget:wget openssl:openssl npm:npm chromium:chromium ffmpeg:ffmpeg; do
		command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
	done
	if [ -n "$missing" ]; then
		root=
		[ "$(id -u)" = 0 ] || root=sudo
		echo "test: installing$missing"
		# shellcheck disable=SC2086
		if ! { $root apt-get update -q && $root apt-get install -y -q --no-install-recommends $missing; } >&2; then
			echo "test:$missing could not be installed: tests that need them will be skipped" >&2
		fi
	fi
	tools/setup.sh
}
[ "${1:-}" = --no-install ] || install

echo "test: formatting"
unformatted=$(git ls-files '*.go' | xargs gofmt -l)
[ -z "$unformatted" ] || { echo "gofmt would change: $unformatted" >&2; exit 1; }

echo "test: go vet"
go vet ./...

if [ -x tools/bin/staticcheck ]; then
	echo "test: staticcheck"
	tools/bin/staticcheck ./...
else
	echo "test: tools/bin/staticcheck is not there: skipped"
fi

echo "test: building for every system"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build -trimpath -o "$out/refrain" ./cmd/refrain
	echo "test: $target builds"
done

echo "test: go test"
go test ./...
