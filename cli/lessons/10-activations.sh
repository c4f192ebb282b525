#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# Activations: every one that is in the book, drawn with its derivative by the formulas that train it.
tonnx ops --html ops.html

# Each is written to an ONNX file, read back from it, and trained for 300 steps with weights that fit it (--init auto): on
# the 10,000 test images, and judged on others.
for act in relu leaky_relu:0.2 rrelu prelu elu selu celu gelu gelu_tanh swish:1.5 silu mish relu2 hard_tanh relu6 sigmoid \
    hard_sigmoid hard_swish tanh softplus softsign thresholded_relu; do
    tonnx new 784-64-64-10 --act $act --opset 24 --seed 1 -o act.onnx -q
    tonnx train act.onnx --data $test_images --target $test_labels --steps 300 -o act-trained.onnx -q
    echo "$act $(tonnx eval act-trained.onnx --data $images --target $labels --limit 5000 --json -q | tr -d '\n')"
done

# Gates, softmax and log-softmax, as PyTorch has written them: four classes, so fresh nets cost about ln 4 = 1.386.
for net in glu swiglu-two-linears ce-softmax-end nll-log-softmax-end; do
    set -- --data $samples/$net/x.npy --target $samples/$net/y.npy -q
    tonnx train $samples/$net/model.onnx "$@" --epochs 30 -o gate.onnx
    echo "$net $(tonnx eval $samples/$net/model.onnx "$@" | grep loss) -> $(tonnx eval gate.onnx "$@" | grep loss)"
done
