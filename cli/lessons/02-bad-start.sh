#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# A badly initialised MLP: 784-128-10, tanh, all weights and biases drawn from N(0,1). PyTorch has written it.
bad=$samples/lesson2-all-normal-784-128-10/model.onnx

# Ten classes of which nothing is known cost ln 10 = 2.3026. This net is sure of itself, and wrong: it costs many times that.
tonnx eval $bad --data $images --target $labels --limit 5000 --json -q

# What is wrong with it, rule by rule, and the command that mends it. (It exits with 1: a script can ask.)
tonnx check $bad --data $images --target $labels --limit 5000 -q || echo "exit code $?"

# Plain gradient descent, ten times a hundred batches of 32. The first hundreds only shrink the logits.
tonnx train $bad --data $images --target $labels --optimizer sgd --lr 0.1 --batch 32 --steps-per-epoch 100 --epochs 10 \
    --log bad.jsonl --html bad.html -o bad-trained.onnx -q
grep train_loss bad.jsonl

# The cure that check names: weights that fit their layer. Glorot for tanh.
tonnx init $bad -o good.onnx -q
tonnx check good.onnx --data $images --target $labels --limit 5000 -q
tonnx eval good.onnx --data $images --target $labels --limit 5000 --json -q
tonnx train good.onnx --data $images --target $labels --optimizer sgd --lr 0.1 --batch 32 --steps-per-epoch 100 --epochs 10 \
    --log good.jsonl --html good.html -o good-trained.onnx -q
grep train_loss good.jsonl
