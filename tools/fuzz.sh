#!/bin/sh
# Runs every fuzz target for a while, one after the other, and ends with the first
# that finds something. `go test` replays what they found before.
#
#	tools/fuzz.sh            every target for 60 s
#	tools/fuzz.sh 10s        every target for 10 s
#	tools/fuzz.sh 60s ./crawlers/...   those of some packages
set -eu
cd "$(dirname "$0")/.."
time=${1:-60s}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- ./...
for package in $(go list "$@"); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "fuzz: $package $target for $time"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1x "$package" | tail -2
	done
done
