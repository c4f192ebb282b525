#!/bin/sh
# Everything that must pass: release and asan builds with warnings as errors, their tests, and the interop tests.
# usage: sh tests/run.sh [--torch]     --torch: also the tests that need PyTorch; CI=true: interop must be possible
set -u
cd "$(dirname "$0")/.." || exit 1
torch=""
case "${1:-}" in
"") ;;
--torch) torch=--torch ;;
*) echo "usage: sh tests/run.sh [--torch]" >&2; exit 2 ;;
esac

. tests/packages.sh
# shellcheck disable=SC2086
need $to_build $for_vulkan $to_test g++ libvulkan1 mesa-vulkan-drivers vulkan-validationlayers python3-venv dataset-fashion-mnist || exit 1

passed=0
failed=0
mkdir -p build
log=build/run.log

# Adds the counts that a test program printed last: ctest's "… tests failed out of N" (which it leaves out where none did), or
# "P passed, F failed".
count() {
    line=$(grep -E 'tests passed.* out of [0-9]+|^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
    case "$line" in
    *"out of"*)
        bad=$(echo "$line" | sed -n 's/.* \([0-9]*\) tests* failed.*/\1/p')
        all=${line##*out of }
        passed=$((passed + all - ${bad:-0}))
        failed=$((failed + ${bad:-0}))
        ;;
    *passed*)
        passed=$((passed + ${line%% passed*}))
        bad=${line##*, }
        failed=$((failed + ${bad%% failed*}))
        ;;
    *) failed=$((failed + 1)) ;; # it died before it could count
    esac
}

build_and_test() {
    echo "== $1"
    if ! cmake -S . -B "build/$1" -G Ninja -DTONNX_WERROR=ON -DTONNX_TESTS=ON $2 > "$log" 2>&1 ||
        ! cmake --build "build/$1" > "$log" 2>&1; then
        grep -E 'error|warning|FAILED' "$log" | head -n 40
        echo "$1 does not build"
        failed=$((failed + 1))
        return
    fi
    ctest --test-dir "build/$1" -j "$(nproc)" --output-on-failure > "$log" 2>&1
    grep -vE '^ *Start|Passed' "$log"
    count
}

build_and_test release "-DCMAKE_BUILD_TYPE=Release"
build_and_test asan "-DCMAKE_BUILD_TYPE=Debug -DTONNX_SANITIZE=address,undefined"

# A venv in build/venv, by whichever python3 can make one; $python is empty where none can, or packages cannot be had.
make_venv() {
    python=build/venv/bin/python
    wanted="onnx onnxruntime numpy"
    [ -z "$torch" ] || wanted="$wanted torch==2.13.0 onnxscript"
    if ! $python -c "import onnx, onnxruntime, numpy" 2> /dev/null || { [ -n "$torch" ] && ! $python -c "import torch, onnxscript" 2> /dev/null; }; then
        for candidate in /usr/bin/python3 python3; do
            $python -m pip --version > /dev/null 2>&1 && break
            rm -rf build/venv
            $candidate -m venv build/venv > "$log" 2>&1 && break
        done
        # shellcheck disable=SC2086
        $python -m pip install --quiet --disable-pip-version-check $wanted > "$log" 2>&1 || python=""
    fi
}

echo "== interop"
make_venv
if [ -n "$python" ]; then
    $python tests/interop/run.py --tonnx build/release/tonnx $torch > "$log" 2>&1
    cat "$log"
    count
elif [ "${CI:-}" = true ]; then
    echo "interop: onnx and onnxruntime cannot be had from PyPI, and CI needs them: $(tail -n 1 "$log")"
    failed=$((failed + 1))
else
    echo "interop: skipped, onnx and onnxruntime cannot be had from PyPI: $(tail -n 1 "$log")"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
