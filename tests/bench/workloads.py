"""What is measured: the rows of the table, and for training the least time a step can take."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Workload:
    """A training row."""
    row: str
    name: str
    dims: tuple
    loss: str        # cross-entropy or mse
    optimizer: str   # adam, adamw, or sgd without momentum
    rate: float
    batch: int
    samples: int     # a whole number of batches
    epochs: int      # timed at a stretch, by one contestant in one round
    checked: int     # after so many steps every contestant's loss agrees to a percent
    peers: tuple     # kinds of peer.py
    judged: int = 0     # so many steps in double agree between PyTorch and our reference backend: where the net doubles rounding
                        # errors so fast that after some steps floats agree with nobody, not even with themselves
    norm: bool = False  # batch norm between a hidden layer and its ReLU
    reach: dict = field(default_factory=dict)  # group of peers: how many times faster than its best
    share: float = 0    # of the floor, to reach

    @property
    def layers(self):
        return list(zip(self.dims, self.dims[1:]))

    @property
    def steps(self):
        return self.samples // self.batch

    @property
    def parameters(self):
        return sum(k * n + n for k, n in self.layers) + (2 * sum(self.dims[1:-1]) if self.norm else 0)

    @property
    def flops(self):
        """Of a step's matrix products: y, dx and dw of each layer, but no dx for the first."""
        return 6 * self.batch * sum(k * n for k, n in self.layers) - 2 * self.batch * self.layers[0][0] * self.layers[0][1]

    @property
    def update_flops(self):
        """The update in units of multiply-adds that could have run instead: Adam takes about 6 cycles for 16 parameters where
        64 FLOP fit a cycle; SGD's single multiply-add hides behind its loads."""
        return 0 if self.optimizer == "sgd" else 24 * self.parameters

    @property
    def traffic(self):
        """Bytes of weights and moments a fused step moves where no cache holds them: the weights read forward and backward,
        then read and written by the update, and Adam's two moments read and written."""
        return (16 if self.optimizer == "sgd" else 32) * self.parameters

    @property
    def held(self):
        """Bytes that live from step to step."""
        return (4 if self.optimizer == "sgd" else 12) * self.parameters

    def floor(self, flops, bandwidth, cache):
        """(seconds that no step goes below, what limits it): `flops` and `bandwidth` per second, `cache` bytes."""
        rows = 4 * self.batch * self.dims[0]
        compute = (self.flops + self.update_flops) / flops
        memory = (rows + (self.traffic if self.held > cache else 0)) / bandwidth
        return max(compute, memory), "compute" if compute >= memory else "memory"


TORCH, JAX, KERAS = ("eager", "compile"), ("jax-jit", "jax-scan"), ("keras",)
GROUPS = {"eager": "PyTorch", "compile": "PyTorch", "jax-jit": "JAX", "jax-scan": "JAX", "keras": "Keras"}
SMALL, BIG = (784, 128, 10), (4096, 4096, 4096, 4096)
DEEP = (64,) * 31 + (10,)

# A mean over 4096 outputs has small gradients: C4 needs a large rate for its loss to move at all.
WORKLOADS = [
    Workload("C1", "784-128-10 ReLU, cross-entropy, Adam, batch 32", SMALL, "cross-entropy", "adam", 1e-3, 32, 61440, 2, 200,
             TORCH + JAX + KERAS, reach={"PyTorch": 8, "JAX": 4, "Keras": 25}, share=0.60),
    Workload("C2", "the same, batch 1024", SMALL, "cross-entropy", "adam", 1e-3, 1024, 61440, 4, 200,
             TORCH + JAX + KERAS, reach={"any": 1.9}, share=0.80),
    Workload("C4", "4096-4096-4096-4096, MSE, SGD, batch 256", BIG, "mse", "sgd", 30.0, 256, 1024, 1, 12,
             TORCH + JAX, reach={"any": 1.5}, share=0.85),
    Workload("C5", "the same, Adam, batch 32", BIG, "mse", "adam", 1e-5, 32, 256, 1, 16,
             TORCH + JAX, reach={"any": 3}, share=0.70),
    Workload("C7", "784-500-10, AdamW, batch 500", (784, 500, 10), "cross-entropy", "adamw", 1e-3, 500, 60000, 2, 200,
             TORCH + JAX + KERAS, reach={"any": 1.8}),
    Workload("C11", "30 layers of 64 with batch norm and ReLU, Adam, batch 64", DEEP, "cross-entropy", "adam", 1e-3, 64, 6400, 2,
             1, TORCH, judged=3, norm=True, reach={"any": 8}),
]
