# What every lesson begins with: the command on the PATH, a folder to work in, the data, and the script itself as it runs.
set -eu
clone=$(cd "$(dirname "$0")/../.." && pwd)
PATH="${TONNX_BIN:-$clone/build/release}:$PATH"
work="${LESSONS:-$clone/build/lessons}"
mkdir -p "$work" && cd "$work"
fashion=/usr/share/datasets/fashion-mnist # Debian's dataset-fashion-mnist; cli/quickstart.sh installs it and builds tonnx
images=$fashion/train-images-idx3-ubyte.gz
labels=$fashion/train-labels-idx1-ubyte.gz
test_images=$fashion/t10k-images-idx3-ubyte.gz
test_labels=$fashion/t10k-labels-idx1-ubyte.gz
samples=$clone/tests/data/train # small sets with models that PyTorch has written
set -v
