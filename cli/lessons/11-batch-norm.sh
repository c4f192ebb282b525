#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Batch normalization: four hidden layers of sigmoids, which hardly learn by themselves; before or after the activation.
tonnx new 784-64-64-64-64-10 --act sigmoid --seed 1 -o plain.onnx -q
tonnx new 784-64-64-64-64-10 --act sigmoid --norm batch --norm-place before --seed 1 -o before.onnx -q
tonnx new 784-64-64-64-64-10 --act sigmoid --norm batch --norm-place after --seed 1 -o after.onnx -q

# The same data, the same steps. With normalised activations the gradient reaches the first layer, and the net learns.
for net in plain before after; do
    tonnx train $net.onnx --data $images --target $labels --optimizer sgd --lr 0.1 --steps 1000 --steps-per-epoch 250 \
        --log $net.jsonl --html $net-run.html -o $net-trained.onnx -q
    echo "$net $(grep train_loss $net.jsonl | tail -n 1)"
done

# Training normalises with each batch's own statistics, and keeps running ones; prediction uses these, so one sample alone
# gets the answer that it gets among others.
tonnx predict before-trained.onnx --data $images --limit 1 -q
tonnx predict before-trained.onnx --data $images --limit 2 -q
