#!/bin/sh
# Line and branch coverage of the tests, by gcc and gcovr: of format/, of its readers, of everything.
# usage: sh tests/coverage.sh [CTEST OPTIONS]     details in build/coverage/report.txt
set -u
cd "$(dirname "$0")/.." || exit 1

. tests/packages.sh
# shellcheck disable=SC2086
need $to_build $for_vulkan $to_test libvulkan1 mesa-vulkan-drivers gcovr || exit 1
work=build/coverage
mkdir -p $work
cmake -S . -B $work -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DTONNX_TESTS=ON "-DCMAKE_C_FLAGS=--coverage -O1 -fprofile-update=atomic" > $work/log &&
    cmake --build $work > $work/log 2>&1 || { tail -n 20 $work/log; exit 1; }
find $work -name '*.gcda' -delete
ctest --test-dir $work -j "$(nproc)" "$@" | tail -n 12

# One pass over the counters, three tables out of it. Branches that only an exception would take do not count.
gcovr -r . --object-directory $work --exclude-throw-branches --json -o $work/all.json $work > $work/log 2>&1 || { tail $work/log; exit 1; }
gcovr -r . -a $work/all.json -f 'format/' --txt $work/format-lines.txt
gcovr -r . -a $work/all.json -f 'format/' --branches --txt $work/report.txt
show() {
    echo "$1: $(gcovr -r . -a $work/all.json $2 -s --txt /dev/null | tr '\n' ' ')"
}
show "format/data (readers)" "-f format/data/"
show "format/" "-f format/"
show "all" "-f format/ -f runtime/ -f converters/ -f vulkan/ -f cli/"
