#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# SELU's conditions. Standardised input, LeCun's normal weights, one layer after the other, no dropout, no norm: then mean 0 and
# deviation 1 draw the signal back to themselves. check tests each. Here all hold:
deep=64$(printf '%.0s-64' $(seq 9))-10
tonnx new $deep --act selu --init lecun-normal --seed 1 -o selu.onnx -q
tonnx check selu.onnx

# Other weights: He's have twice the variance.
tonnx new $deep --act selu --init he-normal --seed 1 -o he.onnx -q
tonnx check he.onnx || echo "exit code $?"

# Dropout and batch norm.
tonnx new $deep --act selu --dropout 0.1 --norm batch --seed 1 -o mixed.onnx -q
tonnx check mixed.onnx

# A branch: a net with residual sums, which PyTorch has written.
tonnx check $clone/tests/data/lessons/residual-selu.onnx

# Images are not standardised; the cure writes mean and deviation into the model, in front of the first layer.
tonnx new 784-64-64-64-10 --act selu --seed 1 -o images.onnx -q
tonnx check images.onnx --data $images --target $labels --limit 5000 -q
tonnx train images.onnx --data $images --target $labels --limit 5000 --scale standard -o images-fixed.onnx -q
tonnx check images-fixed.onnx --data $images --target $labels --limit 5000 -q
