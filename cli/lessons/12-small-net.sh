#!/bin/sh
. "$(dirname "$0")/lesson.sh"
# A small net with everything: 9-16-8-1, ELU, a sigmoid at the end, He's uniform weights, with and without batch norm.
x="--data $samples/bce-sigmoid-end-9-16-8-1/x.npy --target $samples/bce-sigmoid-end-9-16-8-1/y.npy"
tonnx new 9-16-8-1 --act elu --output-act sigmoid --init he-uniform --seed 1 -o small.onnx
tonnx new 9-16-8-1 --act elu --output-act sigmoid --init he-uniform --norm batch --seed 1 -o small-bn.onnx
tonnx inspect small-bn.onnx

# Two classes of which nothing is known cost ln 2 = 0.6931.
for net in small small-bn; do
    tonnx eval $net.onnx $x -q
    tonnx train $net.onnx $x --optimizer sgd --lr 0.1 --momentum 0.9 --batch 32 --epochs 30 --html $net.html -o $net-trained.onnx -q
    tonnx eval $net-trained.onnx $x -q
done
