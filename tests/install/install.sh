#!/bin/sh
# Installs a build into a temporary prefix and builds and runs a stranger's program against it: with pkg-config, with
# CMake's package, shared and static, as C and as C++. Then looks at what the library exports.
# usage: install.sh SOURCE BUILD FIXTURE [FLAGS]      FIXTURE: a folder with model.onnx, x.npy, y.npy; FLAGS: of the sanitizers
set -eu
source=$1 build=$2 fixture=$3 flags=${4:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" > "$work/log"
lib=$(dirname "$(find "$prefix" -name libtonnx.so)")

mkdir "$work/run"
cp "$fixture/model.onnx" "$work/run/mlp.onnx"
cp "$fixture/x.npy" "$fixture/y.npy" "$work/run"
check() {
    rm -f "$work/run/trained.onnx"
    (cd "$work/run" && LD_LIBRARY_PATH=$lib "$2" 2> "$work/said") || { cat "$work/said"; echo "FAIL: $1 does not run"; exit 1; }
    test -s "$work/run/trained.onnx" || { echo "FAIL: $1 wrote nothing"; exit 1; }
    "$prefix/bin/tonnx" diff "$work/run/mlp.onnx" "$work/run/trained.onnx" > /dev/null && { echo "FAIL: $1 trained nothing"; exit 1; }
    echo "ok $1"
}

# pkg-config: finds its folders from where it lies
pc=pkg-config
PKG_CONFIG_PATH=$lib/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046,SC2086
${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror -Wno-unused-parameter $flags -o "$work/c" "$source/tests/install/program.c" \
    $($pc --cflags --libs tonnx)
check "C with pkg-config" "$work/c"
cp "$source/tests/install/program.c" "$work/program.cpp"
# shellcheck disable=SC2046,SC2086
${CXX:-c++} -std=c++17 -Wall -Wextra -Werror $flags -o "$work/cxx" "$work/program.cpp" $($pc --cflags --libs tonnx)
check "C++ with pkg-config" "$work/cxx"

mkdir "$work/stranger"
cp "$source/tests/install/program.c" "$source/tests/install/CMakeLists.txt" "$work/stranger"
cmake -G Ninja -S "$work/stranger" -B "$work/stranger/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_FLAGS="$flags" \
    -DCMAKE_CXX_FLAGS="$flags" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
cmake --build "$work/stranger/build" > "$work/log" 2>&1 || { cat "$work/log"; exit 1; }
for target in shared static cxx; do check "find_package, $target" "$work/stranger/build/$target"; done

test -s "$prefix/share/man/man1/tonnx.1" || { echo "FAIL: no man page"; exit 1; }
find "$prefix/include" -name '*_impl.h' | grep . && { echo "FAIL: internal headers are installed"; exit 1; }
nm -D --defined-only "$lib/libtonnx.so" | awk '$2 != "A" { print $3 }' > "$work/symbols"
grep -vE '^tonnx_[a-z][a-z0-9_]*@@TONNX_[0-9.]+$' "$work/symbols" && { echo "FAIL: exported beyond tonnx_*, or without a version"; exit 1; }
grep -E '^tonnx__' "$work/symbols" && { echo "FAIL: internal symbols are exported"; exit 1; }
echo "ok $(wc -l < "$work/symbols") exported symbols"
