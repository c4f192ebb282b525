"""What this machine is, and the most it can do."""
import json
import platform
from pathlib import Path

from contest import call


def processor():
    try:
        return next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def last_cache():
    """Bytes of the greatest cache that the system reports; 32 MiB where it does not."""
    sizes = [int(p.read_text().strip().rstrip("K")) << 10 for p in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
             if p.read_text().strip().endswith("K")]
    return max(sizes, default=32 << 20)


class Floor:
    """The machine's best, over all rounds: what it can do is the most it was seen to do."""

    def __init__(self, path, threads):
        self.path, self.threads, self.best, self.cache = path, threads, {}, last_cache()
        self.measure()

    def measure(self):
        seen = json.loads(call(self.path, self.threads))
        self.isa = seen["isa"]
        for run in seen["runs"]:
            flops, bandwidth = self.best.get(run["threads"], (0, 0))
            self.best[run["threads"]] = (max(flops, run["flops"]), max(bandwidth, run["bandwidth"]))

    @property
    def flops(self):
        return self.best[self.threads][0]

    @property
    def bandwidth(self):
        return self.best[self.threads][1]

    def lines(self):
        return [f"{threads} thread{'s' if threads > 1 else ''}: {flops / 1e9:.0f} GFLOP/s, {bandwidth / 1e9:.1f} GB/s"
                for threads, (flops, bandwidth) in sorted(self.best.items())]
