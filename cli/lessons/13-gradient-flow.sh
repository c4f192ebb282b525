#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Gradient flow: how large a weight's gradient is, and how far a step moves the weight. Adam's first step is the rate in every
# element, so update:weight is the rate over the weight's RMS; near 1e-3 is healthy.
tonnx new 784-128-128-10 --act relu --seed 1 -o flow.onnx -q
tonnx inspect flow.onnx --data $images --target $labels --limit 2000 --json -q --html flow.html > flow.json
grep -E '"(rms|weight_rms|update_ratio)"' flow.json

# Which rate? The range test says from which one on the net learns, and from which one on it is torn apart.
tonnx lr-find flow.onnx --data $images --target $labels --optimizer sgd --html rates.html

# A healthy run, and the flow at its end.
tonnx train flow.onnx --data $images --target $labels --steps 1000 --steps-per-epoch 250 --html flow-run.html -o flow-trained.onnx -q
tonnx inspect flow-trained.onnx --data $images --target $labels --limit 2000 --json -q --html flow-trained.html > flow-trained.json
grep -E '"(rms|weight_rms|update_ratio)"' flow-trained.json
