#!/usr/bin/env python3
"""Makes the .npz files beside it with NumPy and Python's zipfile. The features are those in tests/test_npz.c."""
import io
import pathlib
import zipfile

import numpy as np

FOLDER = pathlib.Path(__file__).parent
x = (np.random.default_rng(3).integers(-40, 40, (5, 3)) / 8).astype(np.float32)
y = np.array([0, 2, 1, 1, 0])


class Pipe(io.RawIOBase):
    """No seeking back: sizes and checksums follow the bytes, in data descriptors."""

    def __init__(self):
        super().__init__()
        self.bytes = b""

    def writable(self):
        return True

    def write(self, more):
        self.bytes += bytes(more)
        return len(more)


np.savez(FOLDER / "stored.npz", x=x, y=y)
np.savez_compressed(FOLDER / "deflated.npz", y=y, x=np.asfortranarray(x.astype(">f8")), extra=np.arange(4))
np.savez(FOLDER / "several.npz", inputs=x.astype(np.float16), labels=y.astype(np.uint8), wide=np.stack([y, y], 1).astype(np.float32))
np.savez(FOLDER / "unnamed.npz", x)
pipe = Pipe()
with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, array in (("x", x), ("y", y)):
        bytes_of = io.BytesIO()
        np.save(bytes_of, array)
        archive.writestr(zipfile.ZipInfo(name + ".npy"), bytes_of.getvalue(), zipfile.ZIP_DEFLATED)
(FOLDER / "streamed.npz").write_bytes(pipe.bytes)
