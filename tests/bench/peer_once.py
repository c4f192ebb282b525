"""Python libraries that do one thing over and over: says {} when it is ready, then does it N times for every line "N".

usage: peer_once.py onnxruntime MODEL X.npy THREADS BATCH | pandas FILE | numpy FILE | gzip FILE
"""
import json
import sys
import time


def onnxruntime(model, path, threads, batch):
    import numpy as np
    import onnxruntime as ort
    options, x, step = ort.SessionOptions(), np.load(path), int(batch)
    options.intra_op_num_threads = int(threads)
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: [session.run(None, {name: x[i:i + step]}) for i in range(0, len(x), step)]


def pandas(path):
    import pandas as pd
    return lambda: pd.read_csv(path, engine="c")


def numpy(path):
    import numpy as np
    return lambda: np.load(path)


def gzip(path):
    import gzip as gz
    import numpy as np
    return lambda: np.frombuffer(gz.open(path).read(), np.uint8)


def main():
    once = globals()[sys.argv[1]](*sys.argv[2:])
    once()
    print("{}", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        for _ in range(int(line)):
            once()
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    main()
