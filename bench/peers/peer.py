"""A contestant that is not avcu, in a process of its own.

    peer.py NAME check|train|infer|read SHAPE DIR SECONDS

reads inputs and initial weights from DIR and prints a JSON object a line: losses, seconds of steps, versions.
"""
import importlib
import json
import sys
import time

from safetensors import safe_open

CHECK_STEPS = 10


def say(**what):
    print(json.dumps(what), flush=True)


def load(path):
    """The tensors of a safetensors file as arrays of numpy, whose own memory is on large pages, and its model description."""
    with safe_open(path, "np") as f:
        return {k: f.get_tensor(k).copy() for k in f.keys()}, json.loads((f.metadata() or {}).get("model", "{}"))


def timed(seconds, step):
    """Prints the seconds of each step after warming up: at least three, until the given time is spent."""
    begin = time.perf_counter()
    warm = i = 0
    spent = 0.0
    while True:
        start = time.perf_counter()
        step(i)
        took = time.perf_counter() - start
        if warm < 2 or (warm == i and seconds > 0 and time.perf_counter() - begin < 1):
            warm = i + 1
        else:
            say(seconds=took)
            spent += took
            if spent >= seconds and i >= warm + 2:
                return
        i += 1


def main(name, job, shape, folder, seconds):
    if job == "read":
        import read_peer

        return read_peer.run(say, name, shape, folder)
    arrays, config = load(f"{folder}/{shape}-inputs.safetensors")
    weights, _ = load(f"{folder}/{shape}-weights.safetensors")
    batches = [
        ([arrays[f"features.{b}.{m}"] for m in range(len(config["Dims"]))], arrays[f"offsets.{b}"], arrays[f"labels.{b}"])
        for b in range(config["Batches"])
    ]
    del arrays
    library = importlib.import_module(name.split("-")[0] + "_peer")
    say(versions=library.versions())
    if job == "check":
        peer = library.Peer(name, dict(config), weights)
        say(eval=peer.evaluate(peer.batch(*batches[0])))
        peer = library.Peer(name, config | {"DropRate": 0}, weights)
        for step in range(CHECK_STEPS):
            say(loss=peer.step(peer.batch(*batches[step % len(batches)])))
        return
    peer = library.Peer(name, config, weights)
    del weights
    ready = [peer.batch(*b) for b in batches]
    run = peer.step if job == "train" else peer.infer
    timed(seconds, lambda i: run(ready[i % len(ready)]))


if __name__ == "__main__":
    main(*sys.argv[1:5], float(sys.argv[5]))
