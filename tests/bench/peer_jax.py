"""JAX: the step as one jitted function with donated buffers, called once a step (jit) or scanned over many (scan)."""
import functools

import jax
import jax.numpy as jnp
import numpy as np


def adam(work, state, gradients):
    weights, first, second, taken = state
    taken = taken + 1
    first = jax.tree.map(lambda m, g: m + 0.1 * (g - m), first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate, root = work.rate / (1 - 0.9**taken), jnp.sqrt(1 - 0.999**taken)
    decay = 1 - 0.01 * work.rate if work.optimizer == "adamw" else 1
    weights = jax.tree.map(lambda w, m, v: decay * w - rate * m / (jnp.sqrt(v) / root + 1e-8), weights, first, second)
    return weights, first, second, taken


def update(work, state, gradients):
    if work.optimizer == "sgd":
        return (jax.tree.map(lambda w, g: w - work.rate * g, state[0], gradients), *state[1:])
    return adam(work, state, gradients)


def loss_of(work, weights, x, y):
    for i, (w, b) in enumerate(weights):
        x = (jax.nn.relu(x) if i else x) @ w + b
    if work.loss == "mse":
        return jnp.mean((x - y) ** 2)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], axis=1))


class Trainer:
    def __init__(self, folder, work, scanned):
        state, self.work, self.at, self.scanned = np.load(f"{folder}/state.npz"), work, 0, scanned
        names = sorted({key.split(".")[0] for key in state}, key=int)
        weights = [(jnp.array(state[f"{n}.weight"].T), jnp.array(state[f"{n}.bias"])) for n in names]
        still = [] if work.optimizer == "sgd" else [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
        self.state = (weights, *still, jnp.float32(0))
        x, y = np.load(f"{folder}/x.npy"), np.load(f"{folder}/y.npy")
        self.x = jnp.array(x).reshape(work.steps, work.batch, -1)
        self.y = jnp.array(y.astype(np.int32) if y.ndim == 1 else y).reshape(work.steps, work.batch, *y.shape[1:])

        def step(state, batch):
            loss, gradients = jax.value_and_grad(functools.partial(loss_of, work))(state[0], *batch)
            return update(work, state, gradients), loss

        def walk(state, x, y):
            return jax.lax.scan(step, state, (x, y))

        self.step = jax.jit(step, donate_argnums=0)
        self.walk = jax.jit(walk, donate_argnums=0)
        self.batches = [(self.x[i], self.y[i]) for i in range(0 if scanned else work.steps)]

    def run(self, steps):
        if self.scanned:
            return self.scan(steps)
        for _ in range(steps):
            self.state, loss = self.step(self.state, self.batches[self.at])
            self.at = (self.at + 1) % self.work.steps
        return float(loss)

    def scan(self, steps):
        """Whole epochs where they fit, so that one compiled length serves; what is left in a scan of its own."""
        while steps:
            count = min(steps, self.work.steps - self.at)
            self.state, losses = self.walk(self.state, self.x[self.at:self.at + count], self.y[self.at:self.at + count])
            self.at, steps = (self.at + count) % self.work.steps, steps - count
        return float(losses[-1])

    def prepare(self, steps):
        """Compiles the length that is timed: from the start of an epoch to its end."""
        if self.at:
            self.run(self.work.steps - self.at)
        self.run(steps)


def make(folder, work, kind, threads):
    return Trainer(folder, work, kind == "jax-scan")
