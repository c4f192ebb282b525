#!/bin/sh
# Static analysis of format, runtime, converters, vulkan and cli: cppcheck, then gcc -fanalyzer (some minutes).
# usage: sh tests/analysis.sh     exit 1 where something is found that tests/analysis/*.txt does not explain
set -u
cd "$(dirname "$0")/.." || exit 1

. tests/packages.sh
# shellcheck disable=SC2086
need $to_build $for_vulkan cppcheck || exit 1
work=build/analysis
mkdir -p $work
failed=0

cppcheck -q --std=c11 --enable=warning,performance,portability --suppressions-list=tests/analysis/cppcheck.txt \
    --error-exitcode=1 -I . format runtime converters vulkan cli > $work/cppcheck.log 2>&1 || failed=1
cat $work/cppcheck.log
echo "cppcheck: $(grep -cE ': (error|warning|performance|portability):' $work/cppcheck.log) unexplained"

# Each file is compiled again: ninja says nothing new about one that it has already.
rm -rf $work/build
cmake -S . -B $work/build -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DTONNX_TESTS=OFF -DCMAKE_C_FLAGS=-fanalyzer > $work/log &&
    cmake --build $work/build --target tonnx > $work/log 2>&1 || { tail -n 20 $work/log; exit 1; }
# "FILE: MESSAGE", without the line, which moves
grep -E 'warning: .*\[-Wanalyzer' $work/log | sed -E "s|^$PWD/||; s|^(\.\./)+||; s/:[0-9]+:[0-9]+: warning: /: /; s/ \[CWE.*//" | LC_ALL=C sort -u > $work/found
grep -vE "^(#|$)" tests/analysis/fanalyzer.txt | LC_ALL=C sort -u > $work/explained
LC_ALL=C comm -23 $work/found $work/explained > $work/new
LC_ALL=C comm -13 $work/found $work/explained | sed 's/^/no longer found: /'
cat $work/new
echo "gcc -fanalyzer: $(wc -l < $work/new) unexplained, $(wc -l < $work/explained) explained"
[ -s $work/new ] && failed=1
exit $failed
