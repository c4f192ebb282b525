#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Depth. Fifty layers of 100 units and a head, on unit-normal samples. What one layer does to the signal, fifty do fifty times.
deep=100
for layer in $(seq 50); do deep=$deep-100; done
deep=$deep-10
look() { tonnx inspect "$1".onnx --data gaussian:500 --json -q --html "$1".html > "$1".json; }

# tanh with Glorot's weights holds its order. Sigmoid's slope is 1/4 at most: after fifty layers its gradient is gone.
tonnx new $deep --act tanh --init glorot-uniform --seed 1 -o tanh.onnx -q; look tanh
tonnx new $deep --act sigmoid --init glorot-uniform --seed 1 -o sigmoid.onnx -q; look sigmoid

# ReLU halves the variance: He's weights have twice the variance to make up for it. With LeCun's, fifty halvings are 2^-25 in
# the deviation.
tonnx new $deep --act relu --init he-normal --seed 1 -o he.onnx -q; look he
tonnx new $deep --act relu --init lecun-normal --seed 1 -o lecun.onnx -q; look lecun

# SELU with LeCun's weights draws mean and deviation to 0 and 1, and keeps them there, layer after layer.
tonnx new $deep --act selu --init lecun-normal --seed 1 -o selu.onnx -q; look selu

# The deviation of what leaves the 50th layer before the head, and the gradient's RMS in the first.
for net in tanh sigmoid he lecun selu; do
    echo "$net: signal $(grep '"std"' $net.json | tail -n 2 | head -n 1), gradient $(grep -m 1 '"rms"' $net.json)"
done
