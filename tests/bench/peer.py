"""A framework as a contestant, in a process of its own: prepares, says so, then trains for every line it reads.

usage: peer.py FOLDER ROW KIND THREADS       KIND: eager, compile, jax-jit, jax-scan, keras   (bench.py starts it)
       peer.py FOLDER ROW export             writes the weights, as state and as ONNX         (with PyTorch)
       peer.py FOLDER ROW judge              prints the losses of some steps in double        (with PyTorch)
"""
import json
import os
import sys
import time

from workloads import WORKLOADS

MODULES = {"eager": "peer_torch", "compile": "peer_torch", "export": "peer_torch", "judge": "peer_torch", "jax-jit": "peer_jax", "jax-scan": "peer_jax",
           "keras": "peer_keras"}


def serve(trainer, work):
    """`trainer.run(steps)` trains so many steps and returns a loss: of one step, that step's."""
    begin = time.perf_counter()
    began = trainer.run(1)
    started = time.perf_counter() - begin
    loss = began
    if work.checked > 1:
        trainer.run(work.checked - 2)
        loss = trainer.run(1)
    trainer.prepare(work.epochs * work.steps)
    print(json.dumps({"start": started, "loss": loss}), flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        trainer.run(int(line) * work.steps)
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


def main():
    folder, work, kind = sys.argv[1], next(w for w in WORKLOADS if w.row == sys.argv[2]), sys.argv[3]
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    if threads < len(os.sched_getaffinity(0)):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])  # XLA and TensorFlow size their pools by this
    module = __import__(MODULES[kind])
    if kind in ("export", "judge"):
        getattr(module, kind)(folder, work)
    else:
        serve(module.make(folder, work, kind, threads), work)


if __name__ == "__main__":
    main()
