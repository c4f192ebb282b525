"""Contestants, and how they take turns."""
import json
import os
import statistics
import subprocess
import sys
import time

# A kernel chosen by the environment would measure something that users do not get.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}


def call(*arguments):
    """stdout of a command that must succeed."""
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


class Contestant:
    """Something that can be timed. `times`: seconds a unit (a step, a row, a file), one per turn."""

    def __init__(self, name, threads=1, group=None):
        self.name, self.threads, self.group, self.times, self.loss, self.start = name, threads, group or name, [], None, None

    @property
    def title(self):
        return f"{self.name}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def measure(self):
        self.times.append(self.turn())

    @property
    def median(self):
        return statistics.median(self.times)

    def close(self):
        """Nothing is held."""


class Server(Contestant):
    """A process that waits for its turn (its threads sleep meanwhile): it says a line of JSON when it is ready, then answers
    every line N with the seconds that N times its work took. `units` are in one time."""

    def __init__(self, name, command, units, times=0, **more):
        super().__init__(name, **more)
        self.units, self.count = units, times
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=ENVIRONMENT)
        ready = self.read()
        self.loss, self.start = ready.get("loss"), ready.get("start")
        if not times:  # about a fifth of a second a turn
            self.count = 1
            self.count = max(1, round(0.2 / self.turn() / units))

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.title}: ended with {self.process.wait()}")
        return json.loads(line)

    def turn(self):
        print(self.count, file=self.process.stdin, flush=True)
        return self.read()["seconds"] / self.count / self.units

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Command(Contestant):
    """A command from its start to its end, `count` times a turn."""

    def __init__(self, name, command, count, **more):
        super().__init__(name, **more)
        self.command, self.count = [str(c) for c in command], count
        self.turn()  # the files are in the page cache from here on

    def turn(self):
        times = []
        for _ in range(self.count):
            begin = time.perf_counter()
            _, status = os.waitpid(os.posix_spawn(self.command[0], self.command, ENVIRONMENT), 0)
            times.append(time.perf_counter() - begin)
            if status:
                sys.exit(f"{' '.join(self.command)}: status {status}")
        return statistics.median(times)


def take_turns(fields, rounds, between=lambda: None):
    """Every contestant once a round, every other round backwards. Of a contestant's numbers of threads, one that was slower
    by a quarter in each of the first two rounds is left out of the others."""
    for turn in range(rounds):
        between()
        for field in fields if turn % 2 == 0 else reversed(fields):
            field.measure()
        if turn == 1 and rounds > 2:
            for field in [f for f in fields if hopeless(f, fields)]:
                field.close()
                fields.remove(field)
    for field in fields:
        field.close()


def hopeless(field, fields):
    same = [f for f in fields if f.name == field.name and f is not field]
    return any(max(f.times) * 1.25 < min(field.times) for f in same)


def best(fields, group):
    return min((f for f in fields if group in (f.group, f.name)), key=lambda f: f.median)
