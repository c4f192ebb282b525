#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Gain. A weight's deviation is gain / √fan: the root makes up for the sum, the gain for the activation that follows. With 100
# features √fan_in is 10: the gains are the deviations times ten. PyTorch's calculate_gain: 1, 1, 5/3, √2, √(2/1.04), 3/4.
deviation() { tonnx inspect wide.onnx --json -q | sed '/"bias"/,$d' | grep -E '"(std|max)": [0-9.]*' | tr -d '\n'; }
for act in none sigmoid tanh relu leaky_relu:0.2 selu; do
    tonnx new 100-2000 --init lecun-normal --nonlinearity $act --seed 1 -o wide.onnx -q
    echo "$act $(deviation)"
done

# Which fan? 100 come in, 400 go out, 250 are the mean: 1/10 keeps the signal, 1/20 the gradient, 1/√250 does justice to both.
for mode in fan-in fan-out fan-avg; do
    tonnx new 100-400 --init lecun-normal --mode $mode --seed 1 -o wide.onnx -q
    echo "$mode $(deviation)"
done

# The same deviation, three shapes: a uniform one ends at √3 = 1.732 deviations, one that Keras cuts off at 2.274, a normal nowhere.
for shape in uniform truncated normal; do
    tonnx new 100-2000 --init lecun-normal --distribution $shape --seed 1 -o wide.onnx -q
    echo "$shape $(deviation)"
done

# Why 5/3 for tanh? In twenty layers a gain of 1 lets the signal fade; 5/3 holds it where 25/9 · E[tanh²(√q z)] = q.
for gain in 1 1.6666667; do
    tonnx new 256$(printf '%.0s-256' $(seq 20)) --act tanh --init lecun-normal --gain $gain --seed 1 -o twenty-$gain.onnx -q
    tonnx inspect twenty-$gain.onnx --data gaussian:500 --json -q --html twenty-$gain.html | grep '"std"' | tail -n 2 | head -n 1
done
