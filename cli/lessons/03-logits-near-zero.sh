#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Half of the cure of lesson 2: only the last layer is scaled down, here all the way, so that no class is preferred.
bad=$samples/lesson2-all-normal-784-128-10/model.onnx
tonnx init $bad --layer 'fc2*' --scheme zeros -o near.onnx

# The loss before the first step is ln 10 = 2.3026 to the last digit: all ten classes get the probability 1/10.
tonnx eval near.onnx --data $images --target $labels --limit 5000 --json -q

# The easy part of the descent, in which lesson 2 only shrank its logits, is skipped.
tonnx train near.onnx --data $images --target $labels --optimizer sgd --lr 0.1 --batch 32 --steps-per-epoch 100 --epochs 10 \
    --log near.jsonl --html near.html -o near-trained.onnx -q
grep train_loss near.jsonl
