#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Saturation. The weights are N(0,1), and so are 784 features: what enters tanh has a deviation of √785 = 28.02 (the bias is the
# 785th). |tanh| > 0.99 from 2.647 on: all but P(|z| < 2.647 / 28.02) = 7.5 % of the units stand at their ends.
bad=$samples/lesson2-all-normal-784-128-10/model.onnx
tonnx inspect $bad --data gaussian:2000 --json -q | grep -E '"(saturated|saturated_units|dead_units)"'

# On real images, as a picture: a row is a sample, a column a unit, white is saturated. No gradient passes where it is white,
# as 1 − tanh² is nearly 0; a column that is white throughout is a dead unit.
tonnx inspect $bad --data $images --target $labels --limit 2000 --json -q --html saturated.html |
    grep -E '"(saturated|saturated_units|dead_units)"'

# Glorot's weights leave tanh its slope, and gradients their way.
tonnx init $bad -o unsaturated.onnx -q
tonnx inspect unsaturated.onnx --data $images --target $labels --limit 2000 --json -q --html unsaturated.html |
    grep -E '"(saturated|saturated_units|dead_units)"'
