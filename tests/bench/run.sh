#!/bin/sh
# tonnx train beside PyTorch on this machine. Builds a release and measures; the options are bench.py's. See README.md.
#   sh tests/bench/run.sh [--rounds 7] [--only 784] [--threads 1,2] [--json numbers.json]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/release
venv=$root/build/bench-venv
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE

cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" --target tonnx >/dev/null
cc -O3 -march=native -ffp-contract=fast -pthread "$here/floor.c" -o "$root/build/floor"

if ! "$venv/bin/python" -c 'import torch, onnx, numpy' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet torch==2.13.0 onnx numpy
fi
exec "$venv/bin/python" "$here/bench.py" --tonnx "$build/tonnx" --floor "$root/build/floor" "$@"
