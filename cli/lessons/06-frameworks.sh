#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# What the frameworks do. PyTorch's Linear draws weight and bias evenly within 1/√fan_in (kaiming_uniform_ with a = √5): 1/28 and
# 1/√128. Keras' Dense draws Glorot's √(6 / (fan_in + fan_out)), and its bias is zero. inspect knows
# both, and whatever else is drawn: the second table names the closest scheme, with its z-score.
spread() { tonnx inspect $1 -q | grep -E '^(parameter|fc)' | grep -v Gemm; }
tonnx new 784-128-10 --init torch-default --seed 1 -o mlp.onnx -q && spread mlp.onnx
tonnx new 784-128-10 --init keras-default --seed 1 -o mlp.onnx -q && spread mlp.onnx

# Keras' VarianceScaling(scale=2, mode="fan_avg", distribution="uniform"); its he_normal and lecun_normal are cut at two deviations.
drawn() { tonnx init mlp.onnx "$@" -o drawn.onnx -q && spread drawn.onnx | grep fc1.weight; }
drawn --scheme variance-scaling:2:fan-avg:uniform
drawn --scheme he-normal --distribution truncated
drawn --scheme lecun-normal --distribution truncated

# PyTorch's very bits: torch.manual_seed(0); nn.Linear(2, 4). Without biases the columns of W are the answers to (1,0) and (0,1).
printf '1,0\n0,1\n' > columns.csv
columns() { tonnx init small.onnx --bias zeros "$@" --seed 0 -o drawn.onnx -q; tonnx predict drawn.onnx --data columns.csv -q; }
tonnx new 2-4 -o small.onnx -q
columns --scheme torch-default --rng torch

# torch.manual_seed(0); nn.init.kaiming_uniform_(weight): the same draws, √6 times as wide. With the layer's own default drawn first,
# as constructing it does. And kaiming_uniform_(weight, 0.2, nonlinearity="leaky_relu").
columns --scheme kaiming-uniform --rng torch
columns --scheme kaiming-uniform --rng torch-after-default
columns --scheme kaiming-uniform --nonlinearity leaky_relu:0.2 --rng torch
