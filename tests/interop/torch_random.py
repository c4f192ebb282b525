"""Random PyTorch modules through either exporter: tonnx predicts what ONNX Runtime predicts, gives the file back byte for
byte after a step of rate 0, and after one real step the file computes what the module computes after PyTorch's."""
import contextlib
import importlib.util
import logging
import os
import warnings

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

from common import worst
from peers import session
from random_modules import module

COUNT, DYNAMO_EVERY = 60, 6
HAS_DYNAMO = importlib.util.find_spec("onnxscript") is not None  # torch.export's exporter is written with it
RATE = 0.05
OPSETS = {False: (9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20), True: (18, 20, 21, 23)}


def run(suite):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    refused = 0
    for seed in range(COUNT):
        outcome = suite.guarded(f"seed-{seed}", one, seed, HAS_DYNAMO and seed % DYNAMO_EVERY == 0)
        refused += outcome is False
    logging.disable(logging.NOTSET)
    suite.note(f"{COUNT} modules drawn, {refused} of them refused by the exporter or ONNX Runtime"
               f"{'' if HAS_DYNAMO else '; TorchScript alone, as onnxscript is missing'}")
    suite.check("refused", refused <= COUNT // 3, f"{refused} of {COUNT} are refused")


@contextlib.contextmanager
def silence():
    """Nothing on stdout and stderr, also from C++: the exporter prints the graph that it could not export."""
    kept = [os.dup(stream) for stream in (1, 2)]
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    try:
        yield
    finally:
        for stream, copy in zip((1, 2), kept):
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nothing)


def exported(net, x, path, opset, dynamo):
    batch = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"input": {0: "batch"}}}
    with silence():
        torch.onnx.export(net, (x,), str(path), dynamo=dynamo, opset_version=opset, input_names=["input"], **batch)


def one(suite, case, seed, dynamo):
    net, dims, draw = module(seed)
    opset = draw.pick(*OPSETS[dynamo])
    words = f"{case} [{'dynamo' if dynamo else 'ts'} {opset} {' '.join(draw.words)}]"
    source = suite.path(case, "m.onnx")
    x = torch.randn(8, *dims)
    try:
        exported(net, x, source, opset, dynamo)
        runner = session(source)
        wanted = runner.run(None, {"input": x.numpy()})[0]
    except Exception:
        return False
    np.save(source.with_name("x.npy"), x.numpy())
    out = source.with_name("y.npy")
    suite.tonnx("predict", source, "--data", source.with_name("x.npy"), "-o", out)
    good, gap = worst(np.load(out), wanted, 1e-5, 1e-4)
    suite.check(f"{words} predict", good, f"off by {gap:.2e} from ONNX Runtime")
    return learned(suite, words, source, net, x, dynamo)


def target_of(net, x, seed=3):
    """(target, tonnx's name of the loss, the loss of the module's last dense layer's output)"""
    random = torch.Generator().manual_seed(seed)
    logits = net.logits(x)
    if net.tail.kind in ("softmax", "log-softmax"):
        y = torch.randint(logits.shape[1], (len(x),), generator=random)
        return y.numpy(), "cross-entropy", lambda z: F.cross_entropy(z, y)
    if net.tail.kind == "sigmoid":
        y = torch.randint(2, logits.shape, generator=random).float()
        return y.numpy(), "bce", lambda z: F.binary_cross_entropy_with_logits(z, y)
    y = torch.randn(logits.shape, generator=random)
    return y.numpy(), "mse", lambda z: F.mse_loss(z, y)


def learned(suite, words, source, net, x, dynamo):
    normed = any(isinstance(m, nn.BatchNorm1d) for m in net.modules())
    y, loss, measure = target_of(net, x)
    np.save(source.with_name("t.npy"), y)
    common = ["--data", source.with_name("x.npy"), "--target", source.with_name("t.npy"), "--loss", loss, "--batch", len(x),
              "--steps", 1, "--no-shuffle", "--dropout", "off", "--optimizer", "sgd",
              "--output", onnx.load(source).graph.output[0].name]
    if not normed:
        still = suite.path(words.split()[0], "still", source.name)
        suite.tonnx("train", source, "-o", still, "--lr", 0, *common)
        suite.check(f"{words} still", still.read_bytes() == source.read_bytes(), "a step of rate 0 wrote other bytes")
    moved = suite.path(words.split()[0], "moved", source.name)
    suite.tonnx("train", source, "-o", moved, "--lr", RATE, *common)
    # torch.export folds a batch norm and drops a zero bias; a module's RReLU draws its slopes anew
    other = dynamo and (normed or "zero bias" in words) or any(isinstance(m, nn.RReLU) for m in net.modules())
    if not other:
        found = session(moved).run(None, {"input": x.numpy()})[0]
        good, gap = worst(found, stepped(net, x, measure), 2e-5, 2e-4)
        suite.check(f"{words} trained", good, f"off by {gap:.2e} from the module after PyTorch's step")
    return True


def stepped(net, x, measure):
    """The module's first output after one step of SGD."""
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0
    optimizer = torch.optim.SGD(net.parameters(), RATE)
    measure(net.train().logits(x)).backward()
    optimizer.step()
    with torch.no_grad():
        found = net.eval()(x)
    return (found[0] if isinstance(found, tuple) else found).numpy()
