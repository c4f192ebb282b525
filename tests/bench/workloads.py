"""What is measured: a net, its loss, its optimizer, its batch; and the least time a step can take."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str
    dims: tuple
    loss: str        # cross-entropy or mse
    optimizer: str   # adam or sgd, without momentum
    rate: float
    batch: int
    samples: int     # a whole number of batches
    epochs: int      # timed at a stretch, by one contestant in one round
    checked: int     # after so many steps every contestant's loss agrees to a percent

    @property
    def layers(self):
        return list(zip(self.dims, self.dims[1:]))

    @property
    def parameters(self):
        return sum(k * n + n for k, n in self.layers)

    @property
    def flops(self):
        """Of a step's matrix products: y, dx and dw of each layer, but no dx for the first."""
        return 6 * self.batch * sum(k * n for k, n in self.layers) - 2 * self.batch * self.layers[0][0] * self.layers[0][1]

    @property
    def update_flops(self):
        """The update in units of multiply-adds that could have run instead: Adam takes about 6 cycles for 16 parameters where
        64 FLOP fit a cycle; SGD's single multiply-add hides behind its loads."""
        return 24 * self.parameters if self.optimizer == "adam" else 0

    @property
    def traffic(self):
        """Bytes of weights and moments a fused step moves where no cache holds them: the weights read forward and backward,
        then read and written by the update, and Adam's two moments read and written."""
        return (32 if self.optimizer == "adam" else 16) * self.parameters

    @property
    def held(self):
        """Bytes that live from step to step."""
        return (12 if self.optimizer == "adam" else 4) * self.parameters

    def floor(self, flops, bandwidth, cache):
        """(samples per second no program exceeds, what limits it): `flops` and `bandwidth` per second, `cache` bytes."""
        rows = 4 * self.batch * self.dims[0]
        compute = (self.flops + self.update_flops) / flops
        memory = (rows + (self.traffic if self.held > cache else 0)) / bandwidth
        return self.batch / max(compute, memory), "compute" if compute >= memory else "memory"


# A mean over 4096 outputs has small gradients: the third net needs a large rate for its loss to move at all.
WORKLOADS = [
    Workload("784-128-10 adam batch 32", (784, 128, 10), "cross-entropy", "adam", 1e-3, 32, 61440, 2, 200),
    Workload("784-128-10 adam batch 1024", (784, 128, 10), "cross-entropy", "adam", 1e-3, 1024, 61440, 4, 200),
    Workload("3x4096 sgd batch 256", (4096, 4096, 4096, 4096), "mse", "sgd", 30.0, 256, 2048, 1, 24),
]
