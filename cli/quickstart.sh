#!/bin/sh
# From a bare Debian 12 to a trained model: installs what is missing, builds, and does the main job on real data.
# usage: sh cli/quickstart.sh      from any folder, as often as you like; everything it makes lies under build/
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
show() {
    say "\$ $*"
    "$@"
}

# --- what is missing, from Debian
. tests/packages.sh
# shellcheck disable=SC2086
need $to_build dataset-fashion-mnist

# --- the build
say "building tonnx into build/release"
mkdir -p build
cmake -S . -B build/release -G Ninja -DCMAKE_BUILD_TYPE=Release -DTONNX_TESTS=OFF > build/log.txt 2>&1 ||
    { cat build/log.txt; rm -f build/log.txt; exit 1; }
cmake --build build/release > build/log.txt 2>&1 || { cat build/log.txt; rm -f build/log.txt; exit 1; }
rm -f build/log.txt

# --- the main job
tonnx=build/release/tonnx
model=tests/data/quickstart/mlp-784-128-10.onnx
trained=build/fashion-mlp.onnx
data=/usr/share/datasets/fashion-mnist
images=$data/t10k-images-idx3-ubyte.gz
labels=$data/t10k-labels-idx1-ubyte.gz

show $tonnx inspect $model
show $tonnx train $model --data $data/train-images-idx3-ubyte.gz --target $data/train-labels-idx1-ubyte.gz \
    --val $images --val-target $labels --epochs 8 --batch 64 --lr 0.002 --schedule cosine -o $trained
show $tonnx eval $trained --data $images --target $labels
show $tonnx diff $model $trained || [ $? -eq 1 ] # 1: they differ, as they should

accuracy=$($tonnx eval $trained --data $images --target $labels --json --quiet | sed 's/.*"accuracy": *\([0-9.]*\).*/\1/')
if ! awk "BEGIN { exit !($accuracy >= 0.87) }"; then
    echo "quickstart: test accuracy $accuracy is below 0.87" >&2
    exit 1
fi
say "wrote $trained: PyTorch's model, trained to $accuracy on the test images. Try next: $tonnx train --help"
