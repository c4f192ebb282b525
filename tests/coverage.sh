#!/bin/sh
# Line and branch coverage of the tests, by gcc and gcovr: of format/, of its readers, of everything.
# usage: sh tests/coverage.sh [CTEST OPTIONS]     details in build/coverage/report.txt
set -u
cd "$(dirname "$0")/.." || exit 1

. tests/packages.sh
# shellcheck disable=SC2086
need $to_build $for_vulkan $to_test libvulkan1 mesa-vulkan-drivers gcovr || exit 1
work=build/coverage
rm -rf $work # objects of an older source would give a function two places, which gcovr refuses to lay together
mkdir -p $work
cmake -S . -B $work -G Ninja -DCMAKE_C_COMPILER=gcc -DCMAKE_BUILD_TYPE=Debug -DTONNX_TESTS=ON "-DCMAKE_C_FLAGS=--coverage -O1 -fprofile-update=atomic" > $work/log &&
    cmake --build $work > $work/log 2>&1 || { tail -n 20 $work/log; exit 1; }
# A build that counts is slow, more so on a busy machine; the suites' time limits guard against a hang only.
# What counts cannot be installed, and cannot write its counters where a test forbids large files.
GCOV_ERROR_FILE=/dev/null CK_TIMEOUT_MULTIPLIER=20 ctest --test-dir $work --timeout 7200 -E '^install$' -j "$(nproc)" "$@" > $work/tests
passed=$?
tail -n 12 $work/tests

# One pass over the counters, the tables out of it. Branches that only an exception would take do not count, nor does a
# header that defines one function anew for every instruction set, which gcovr cannot lay together.
gcovr -r . --object-directory $work --exclude-throw-branches -f format/ -f runtime/ -f converters/ -f vulkan/ -f cli/ \
    -e runtime/cpu/kernel_vec.h --json -o $work/all.json $work > $work/log 2>&1 || { tail $work/log; exit 1; }
gcovr -r . -a $work/all.json -f 'format/' --txt $work/format-lines.txt
gcovr -r . -a $work/all.json -f 'format/' --branches --txt $work/report.txt
show() { # the table is not /dev/null: gcovr deletes what it is to write to
    echo "$1: $(gcovr -r . -a $work/all.json $2 -s --txt $work/table.txt | tr '\n' ' ')"
}
show "readers" "-f format/data/(?!rows|.*_write) -f format/(read|scan|check|wire|sparse|tensor_data|external|json_read|checkpoint_read)(_(graph|tensor))?\.c"
show "format/" "-f format/"
show "all" "-f ."
[ $passed -eq 0 ] || echo "not every test passed: $work/tests"
exit $passed
