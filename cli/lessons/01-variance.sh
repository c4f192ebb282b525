#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Variance through one layer. y = W x: ten products of N(0,1) numbers are summed, each of variance 1. So y has the variance 10,
# the deviation √10 = 3.162.
tonnx new 10-200 --init normal:1 --seed 1 -o unit.onnx -q
deviation() { tonnx inspect "$1" --data gaussian:1000 --json -q | sed -n '/"activations"/,$p' | grep '"std"'; }
deviation unit.onnx

# Two hundred such units are the next layer's input: √10 · √200 = 44.7 leaves the second.
tonnx new 10-200-200 --act none --init normal:1 --seed 1 -o two.onnx -q
deviation two.onnx

# Weights of variance 1/fan_in (LeCun's) make up for the sum: 1 comes in, 1 goes out.
tonnx new 10-200-200 --act none --init lecun-normal --seed 1 -o scaled.onnx -q
deviation scaled.onnx
