#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Dying ReLU: one large step pushes a unit's bias so low that no sample ever wakes it again. Its slope is 0 there, so it stays.
tonnx new 784-64-64-10 --act relu --seed 1 -o alive.onnx -q
tonnx new 784-64-64-10 --act leaky_relu:0.1 --seed 1 -o leaky.onnx -q
tonnx new 784-64-64-10 --act elu --seed 1 -o elu.onnx -q
dead() { tonnx inspect "$1" --data $images --limit 2000 --json -q --html "${1%.onnx}.html" | grep '"dead_units"'; }
dead alive.onnx

# A sensible rate leaves (nearly) all units alive; one that is twenty times as large does not. The log counts them, epoch by epoch.
for rate in 0.1 2; do
    tonnx train alive.onnx --data $images --target $labels --optimizer sgd --lr $rate --epochs 5 --steps-per-epoch 100 \
        --stats-every 100 --log relu-$rate.jsonl --html relu-$rate-run.html -o relu-$rate.onnx -q
    echo "rate $rate:" $(grep '"stats"' relu-$rate.jsonl | grep -oE '"(epoch|dead_units)":[0-9]+' | tr -d '"')
    dead relu-$rate.onnx
done

# Where the other side has a slope too, none dies: leaky ReLU, ELU (and PReLU, RReLU, SiLU …).
for act in leaky elu; do
    tonnx train $act.onnx --data $images --target $labels --optimizer sgd --lr 2 --clip-norm 1 --steps 500 -o $act-2.onnx -q
    dead $act-2.onnx
done
