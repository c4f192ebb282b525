#!/bin/sh
# tonnx beside its peers on this machine: builds a release, fetches the peers into build/, measures, prints one table. The
# options are bench.py's; README.md says how it measures.
#   sh tests/bench/run.sh [--rows C1,C10] [--quick] [--rounds 5] [--threads 1,2] [--json numbers.json]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/release
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" --target tonnx tonnx_static >/dev/null
cc -O3 -march=native -ffp-contract=fast -pthread "$here/floor.c" -o "$root/build/bench-floor"
cc -O2 -I"$root" "$here/native.c" "$build/libtonnx.a" $(pkg-config --libs libprotobuf-c zlib libzip jansson) -lm -pthread \
    -o "$root/build/bench-native"

# venv NAME 'IMPORTS' PACKAGES...: made once; what cannot be had is left out, which bench.py says.
venv() {
    name=$root/build/bench-$1 imports=$2
    shift 2
    if ! "$name/bin/python" -c "import $imports" 2>/dev/null; then
        python3 -m venv "$name"
        "$name/bin/pip" install --quiet "$@" || true
    fi
}
venv venv 'torch, onnx, numpy, onnxruntime, pandas' torch==2.13.0 onnx numpy onnxruntime pandas
venv jax 'jax' jax numpy
venv tf 'keras, tensorflow' tensorflow-cpu numpy
exec "$root/build/bench-venv/bin/python" "$here/bench.py" --tonnx "$build/tonnx" --native "$root/build/bench-native" \
    --floor "$root/build/bench-floor" --jax "$root/build/bench-jax/bin/python" --keras "$root/build/bench-tf/bin/python" "$@"
