#!/bin/bash
# One run of the benchmark: builds everything, runs refrain beside its peers on
# the same site, and prints the table. See README.md.
#
#   bench/run.sh [-posts 1000] [-rounds 3] [-only 'wget ours-list'] [-site-args '…'] [-timeout 10m] [-profile DIR]
set -eu
posts=1000 rounds=3 only='' site_args='' timeout=10m profile=''
while [ $# -gt 0 ]; do
	case $1 in
	-posts) posts=$2 ;; -rounds) rounds=$2 ;; -only) only=$2 ;; -site-args) site_args=$2 ;; -timeout) timeout=$2 ;; -profile) profile=$2 ;;
	*) sed -n 's/^# \{0,1\}//p' "$0" | head -5 >&2; exit 2 ;;
	esac
	shift 2
done
here=$(cd "$(dirname "$0")" && pwd)
harness=$here/../../shared/bench # beside the checkout
[ -d "$harness/site" ] || { echo "bench: the site and the runner are missing: $harness" >&2; exit 1; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/refrain-bench-XXXXXX")
trap 'rm -rf "$tmp"' EXIT
export CGO_ENABLED=0
(cd "$harness/site" && go build -o "$tmp/site" .) # not -trimpath: the corpus lies beside the toolchain
(cd "$harness/run" && go build -o "$tmp/run" .)
(cd "$here/.." && go build -o "$tmp/refrain" ./cmd/refrain && go build -o "$tmp/jsoncrawl" ./bench/cmd/jsoncrawl && go build -o "$tmp/colly" ./bench/colly)

# ours BASE OUT LIST PATTERN ARGUMENTS…: refrain collect on the part of the list
# that matches PATTERN, or with - on the arguments alone.
cat >"$tmp/ours" <<'EOF'
#!/bin/bash
set -eu
base=${1%/} out=$2 list=$3 pattern=$4
shift 4
host=${base#http://}
cat >"$out/refrain.yaml" <<YAML
contact: bench@example.org
archive: $out/archive
origins: {"${host%%:*}": "$base"}
crawl: {pace: {"*": 0s}, workers: 16, per_host: 8}
YAML
if [ "$pattern" != - ]; then
	grep -E "$pattern" "$list" >"$out/seeds.txt"
	set -- --seeds "$out/seeds.txt" "$@"
fi
exec "$(dirname "$0")/refrain" collect --quiet --config "$out/refrain.yaml" "$@"
EOF
chmod +x "$tmp/ours"

peers=()
peer() { # NAME COMMAND
	case " ${only:-$1} " in *" $1 "*) ;; *) return ;; esac
	local command=$2
	if [ -n "$profile" ]; then
		mkdir -p "$profile"
		command="env REFRAIN_CPUPROFILE=$(cd "$profile" && pwd)/$1.prof $command"
	fi
	peers+=(-peer "$1=$command")
}
peer wget "wget -q -r -l inf -p -e robots=off --warc-file={OUT}/w --warc-cdx --delete-after -P {OUT}/f {BASE}/"
peer colly "$tmp/colly {BASE}/"
peer ours-follow "$tmp/ours {BASE} {OUT} {LIST} - --follow 100 --media {BASE}/"
peer ours-follow-links "$tmp/ours {BASE} {OUT} {LIST} - --follow 100 --links-only {BASE}/"
peer ours-list "$tmp/ours {BASE} {OUT} {LIST} ."
peer ours-html "$tmp/ours {BASE} {OUT} {LIST} /p/[0-9]+$"
peer ours-links "$tmp/ours {BASE} {OUT} {LIST} /p/[0-9]+$ --links-only"
peer ours-images "$tmp/ours {BASE} {OUT} {LIST} /img/"
peer ours-assets "$tmp/jsoncrawl -base {BASE} -out {OUT} -pictures {LIST}"
peer ours-json "$tmp/jsoncrawl -base {BASE} -out {OUT} -posts $posts"
peer ours-json-empty "$tmp/jsoncrawl -base {BASE} -out {OUT} -from 1000000000 -posts 75000"

echo "commit $(git -C "$here" rev-parse --short HEAD), $(go version | cut -d' ' -f3-4), $(uname -sm), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), $(nproc) cores, $(wget --version | head -1), load $(cut -d' ' -f1-3 /proc/loadavg)"
"$tmp/run" crawl -site "$tmp/site" -site-args "-addr 127.0.0.2:0 $site_args" -posts "$posts" -rounds "$rounds" -timeout "$timeout" -tmp "$tmp" "${peers[@]}"
echo "load at the end $(cut -d' ' -f1-3 /proc/loadavg)"
