"""Keras on TensorFlow: model.fit without shuffling, many batches per call of the compiled step (steps_per_execution)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf


class Trainer:
    def __init__(self, folder, work, threads):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        state, self.work, self.at = np.load(f"{folder}/state.npz"), work, 0
        layers = [keras.layers.Dense(n, activation="relu" if i + 1 < len(work.layers) else None)
                  for i, (_, n) in enumerate(work.layers)]
        self.net = keras.Sequential([keras.Input((work.dims[0],)), *layers])
        for layer, n in zip(layers, sorted({key.split(".")[0] for key in state}, key=int)):
            layer.set_weights([state[f"{n}.weight"].T, state[f"{n}.bias"]])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if work.loss == "cross-entropy" else "mse"
        optimizer = {"adam": lambda: keras.optimizers.Adam(work.rate, epsilon=1e-8),
                     "adamw": lambda: keras.optimizers.AdamW(work.rate, weight_decay=0.01, epsilon=1e-8),
                     "sgd": lambda: keras.optimizers.SGD(work.rate)}[work.optimizer]()
        self.net.compile(optimizer=optimizer, loss=loss, steps_per_execution=min(64, work.steps))
        self.x, self.y = np.load(f"{folder}/x.npy"), np.load(f"{folder}/y.npy")
        self.whole = self.rows(0, work.steps)

    def rows(self, first, last):
        batch = self.work.batch
        data = tf.data.Dataset.from_tensor_slices((self.x[first * batch:last * batch], self.y[first * batch:last * batch]))
        return data.batch(batch).prefetch(4)

    def run(self, steps):
        """Stretches within an epoch. The loss is the last stretch's mean."""
        loss = None
        while steps:
            count = min(steps, self.work.steps - self.at)
            data = self.whole if count == self.work.steps else self.rows(self.at, self.at + count)
            loss = self.net.fit(data, epochs=1, shuffle=False, verbose=0).history["loss"][-1]
            self.at, steps = (self.at + count) % self.work.steps, steps - count
        return loss

    def prepare(self, steps):
        if self.at:
            self.run(self.work.steps - self.at)
        self.run(steps)


def make(folder, work, kind, threads):
    return Trainer(folder, work, threads)
