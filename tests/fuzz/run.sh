#!/bin/sh
# Fuzzes every reader (libFuzzer; address, undefined and leak sanitizers): one target each, protobuf-c compiled into it.
# usage: sh tests/fuzz/run.sh [SECONDS [TARGET…]]     60 seconds for each of all targets without arguments
# What is found lies in build/fuzz/found; the corpus grows in build/fuzz/corpus. Exit 1 where something was found.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:-60}
[ $# -eq 0 ] || shift

. tests/packages.sh
# shellcheck disable=SC2086
need $to_build $to_test clang libclang-rt-14-dev dpkg-dev || exit 1

# protobuf-c's source, by a list of packages of our own, so that the machine's stays as it is.
work=build/fuzz
mkdir -p $work/apt/lists/partial $work/apt/cache $work/corpus $work/found
protobuf_c=$(ls $work/protobuf-c-*/protobuf-c/protobuf-c.c 2> /dev/null)
if [ -z "$protobuf_c" ]; then
    . /etc/os-release
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $VERSION_CODENAME main" \
        > $work/apt/list
    apt="apt-get -qq -o APT::Sandbox::User=root -o Dir::Etc::SourceList=$PWD/$work/apt/list -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists=$PWD/$work/apt/lists -o Dir::Cache=$PWD/$work/apt/cache"
    # shellcheck disable=SC2086
    $apt update && (cd $work && $apt source protobuf-c > /dev/null) || exit 1
    protobuf_c=$(ls $work/protobuf-c-*/protobuf-c/protobuf-c.c) || exit 1
fi

cmake -S . -B $work/build -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug -DTONNX_TESTS=ON "-DTONNX_FUZZ=$PWD/$protobuf_c" \
    -DTONNX_SANITIZE=fuzzer-no-link,address,undefined > $work/log || { cat $work/log; exit 1; }
all=$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')
targets=${*:-$all}
# shellcheck disable=SC2046
cmake --build $work/build --target tonnx $(for t in $all; do echo "fuzz_$t"; done) > $work/log || { tail -n 40 $work/log; exit 1; }
python3 tests/fuzz/seeds.py --tonnx $work/build/tonnx --checkpoint $work/build/fuzz_checkpoint $work/seeds || exit 1

TMPDIR=$(mktemp -d /dev/shm/tonnx-fuzz-XXXXXX) || exit 1
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM
export ASAN_OPTIONS=quarantine_size_mb=16:allocator_may_return_null=1
failed=0
for t in $targets; do
    dictionary=tests/fuzz/dict/$t.dict
    [ -f "$dictionary" ] || dictionary=tests/fuzz/dict/onnx.dict
    mkdir -p "$work/corpus/$t"
    "$work/build/fuzz_$t" "-max_total_time=$seconds" -timeout=5 -rss_limit_mb=512 -max_len=8192 -print_final_stats=1 \
        "-dict=$dictionary" "-artifact_prefix=$work/found/$t-" "$work/corpus/$t" "$work/seeds/$t" "tests/fuzz/regressions/$t" \
        > "$work/$t.log" 2>&1
    status=$?
    [ $status -eq 0 ] || failed=1
    echo "$t: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$t.log") executions, $(grep -o 'cov: [0-9]*' "$work/$t.log" |
        tail -n 1) edges, $(ls "$work/found" | grep -c "^$t-") found$([ $status -eq 0 ] || echo " (see $work/$t.log)")"
done
exit $failed
