"""Layers of several nodes, for random_mlps.py: activations, norms and gates as exporters spell them, and blocks that branch."""
import math

import numpy as np
from ml_dtypes import bfloat16
from onnx import TensorProto


def number(b, value):
    return b.constant(np.array(value, np.float32), "number", trained=False)


def either_way(b, op, one, other):
    return b.node(op, [one, other] if b.chance(0.5) else [other, one])


def gelu_erf(b, x, features):
    inner = b.node("Div", [x, number(b, math.sqrt(2))]) if b.chance(0.5) else b.node("Mul", [x, number(b, math.sqrt(0.5))])
    outer = either_way(b, "Add", b.node("Erf", [inner]), number(b, 1.0))
    if b.chance(0.5):
        return either_way(b, "Mul", either_way(b, "Mul", x, outer), number(b, 0.5))
    return either_way(b, "Mul", either_way(b, "Mul", x, number(b, 0.5)), outer)


def gelu_tanh(b, x, features):
    cube = b.node("Pow", [x, number(b, 3.0)]) if b.chance(0.5) else b.node("Mul", [b.node("Mul", [x, x]), x])
    inner = either_way(b, "Add", x, either_way(b, "Mul", cube, number(b, 0.044715)))
    outer = either_way(b, "Add", b.node("Tanh", [either_way(b, "Mul", inner, number(b, math.sqrt(2 / math.pi)))]), number(b, 1.0))
    return either_way(b, "Mul", either_way(b, "Mul", x, number(b, 0.5)), outer)


def silu(b, x, features):
    return either_way(b, "Mul", x, b.node("Sigmoid", [x]))


def swish(b, x, features):
    scaled = either_way(b, "Mul", x, number(b, float(b.random.uniform(0.5, 2))))
    return either_way(b, "Mul", x, b.node("Sigmoid", [scaled]))


def mish(b, x, features):
    return either_way(b, "Mul", x, b.node("Tanh", [b.node("Softplus", [x])]))


def relu(b, x, features):
    return either_way(b, "Max", x, number(b, 0.0))


def relu_squared(b, x, features):
    y = b.node("Relu", [x])
    return b.node("Mul", [y, y]) if b.chance(0.5) else b.node("Pow", [y, number(b, 2.0)])


def relu6(b, x, features):
    return b.node("Min", [b.node("Relu", [x]), number(b, 6.0)])


def leaky(b, x, features):
    return either_way(b, "Max", x, either_way(b, "Mul", x, number(b, 0.1)))


def softsign(b, x, features):
    return b.node("Div", [x, either_way(b, "Add", b.node("Abs", [x]), number(b, 1.0))])


def softplus(b, x, features):
    return b.node("Log", [either_way(b, "Add", b.node("Exp", [x]), number(b, 1.0))])


def hard_swish(b, x, features):
    return either_way(b, "Mul", x, b.node("HardSigmoid", [x], alpha=1 / 6, beta=0.5))


def sigmoid(b, x, features):
    return b.node("Div", [number(b, 1.0), either_way(b, "Add", b.node("Exp", [b.node("Neg", [x])]), number(b, 1.0))])


SPELLED = {gelu_erf: 9, gelu_tanh: 7, silu: 7, swish: 7, mish: 7, relu: 8, relu_squared: 7, relu6: 8, leaky: 8, softsign: 7,
           softplus: 7, hard_swish: 7, sigmoid: 7}


def spelled(b, x, features):
    """An activation in nodes, in one of the spellings that the opset allows."""
    of = b.pick(*[f for f, since in SPELLED.items() if since <= b.opset])
    b.words.append(f"{of.__name__} spelled")
    return of(b, x, features)


def reduce_mean(b, x):
    """Axes are an attribute below opset 18."""
    if b.opset < 18:
        return b.node("ReduceMean", [x], axes=[b.pick(1, -1)], keepdims=1)
    return b.node("ReduceMean", [x, b.constant(np.array([b.pick(1, -1)], np.int64), "axes", trained=False)], keepdims=1)


def scale_shift(b, x, features, shift=True):
    x = either_way(b, "Mul", x, b.constant(b.vector(features, 1), "scale"))
    return either_way(b, "Add", x, b.constant(b.vector(features), "shift")) if shift else x


def row_norm(b, x, features):
    """LayerNormalization or RMSNormalization, as one node from the opset on that has it, or in nodes."""
    rms = b.chance(0.5)
    epsilon = float(b.pick(1e-5, 1e-3))
    b.words.append("RMSNorm" if rms else "LayerNorm")
    if b.opset >= (23 if rms else 17) and b.chance(0.6):
        b.words.append("op")
        inputs = [x, b.constant(b.vector(features, 1), "scale")]
        if not rms and b.chance(0.7):
            inputs.append(b.constant(b.vector(features), "shift"))
        return b.node("RMSNormalization" if rms else "LayerNormalization", inputs, axis=b.pick(1, -1), epsilon=epsilon)
    if not rms:
        x = b.node("Sub", [x, reduce_mean(b, x)])
    square = b.node("Mul", [x, x]) if b.chance(0.5) else b.node("Pow", [x, number(b, 2.0)])
    root = b.node("Sqrt", [either_way(b, "Add", reduce_mean(b, square), number(b, epsilon))])
    x = b.node("Div", [x, root]) if b.chance(0.6) else either_way(b, "Mul", x, b.node("Reciprocal", [root]))
    return scale_shift(b, x, features, shift=not rms)


def affine(b, x, features):
    """A batch norm that an exporter folded: Mul and Add by rows."""
    b.words.append("affine")
    return scale_shift(b, x, features)


def halves(b, x, features):
    """The two halves of 2·features columns, by Split or by Slice."""
    first, second = b.name("half"), b.name("half")
    if b.chance(0.5):
        if b.opset < 13:
            b.node("Split", [x], [first, second], axis=1, split=[features, features])
        else:
            widths = b.constant(np.array([features, features], np.int64), "widths", trained=False)
            b.node("Split", [x, widths], [first, second], axis=b.pick(1, -1))
        return first, second
    for name, start in ((first, 0), (second, features)):
        if b.opset < 10:
            b.node("Slice", [x], [name], axes=[1], starts=[start], ends=[start + features])
        else:
            bounds = [b.constant(np.array([v], np.int64), "bound", trained=False) for v in (start, start + features, 1)]
            b.node("Slice", [x, *bounds], [name])
    return first, second


def gate(b, x, features, dense):
    """GLU, and SwiGLU with one wide layer."""
    value, other = halves(b, dense(b, x, features, 2 * features), features)
    b.words.append("gate")
    return either_way(b, "Mul", value, b.node("Sigmoid", [other]) if b.chance(0.5) else silu(b, other, features))


def residual(b, x, features, dense):
    """x + f(x), or x − f(x)."""
    b.words.append("residual")
    y = b.node(b.pick("Relu", "Tanh"), [dense(b, x, features, features)])
    return either_way(b, "Add", x, y) if b.chance(0.8) else b.node("Sub", [x, y])


def concat(b, x, features, dense):
    """(x, f(x)) side by side, and back to the width it was."""
    b.words.append("concat")
    extra = int(b.random.integers(1, 9))
    y = b.node("Tanh", [dense(b, x, features, extra)])
    parts, width = ([x, y] if b.chance(0.5) else [y, x]), features + extra
    return dense(b, b.node("Concat", parts, axis=b.pick(1, -1) if b.opset >= 11 else 1), width, features)


def stored(b, array, name, tensors):
    """A float constant in another type of storage and a Cast to float; None where this one is stored as float."""
    kind = b.pick(np.float64, np.float16, *([bfloat16] if b.opset >= 13 else []))
    if not b.chance(0.1):
        return None
    b.words.append(np.dtype(kind).name)
    tensors.append((array.astype(kind), name + "_stored"))
    return b.node("Cast", [name + "_stored"], to=TensorProto.FLOAT)
