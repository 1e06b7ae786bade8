#!/usr/bin/env python3
"""Checks that Paddle, NumPy and pickle read what avcu wrote, value for value.

    read_back.py WRITTEN EXPECTED.npz

WRITTEN is a folder of LoDTensor files, a combined file, or a .pdparams file, with a .pdopt file beside it or without. Needs
numpy, and paddlepaddle 2.x for all but pickle.load. Prints a line for each reader; the exit status is 1 where a value differs.
"""
import os
import pickle
import sys

import numpy as np

os.environ.setdefault("FLAGS_enable_pir_api", "0")  # Paddle 3 keeps the older programs behind this
try:
    import paddle
except ImportError:
    paddle = None


def program(expected, parameters):
    """A program with the expected variables, and an executor."""
    paddle.enable_static()
    main = paddle.static.Program()
    block = main.global_block()
    for name, value in expected.items():
        create = block.create_parameter if name in parameters else block.create_var
        create(name=name, shape=value.shape, dtype=str(value.dtype)).persistable = True
    return main, paddle.static.Executor(paddle.CPUPlace())


def values(expected):
    return {name: np.array(paddle.static.global_scope().find_var(name).get_tensor()) for name in expected}


def read_pickles(path, expected):
    stem = path.rpartition(".")[0]
    paths = [p for p in (path, stem + ".pdopt") if os.path.exists(p)]
    dicts = [pickle.load(open(p, "rb")) for p in paths]
    if not any("UnpackBigParamInfor@@" in d for d in dicts):  # arrays in parts: for paddle.load to join
        yield "pickle.load", {k: v for d in dicts for k, v in d.items()}
    if paddle:
        paddle.disable_static()
        loaded = [paddle.load(p, return_numpy=True) for p in paths]
        yield "paddle.load", {k: v for d in loaded for k, v in d.items()}
        main, executor = program(expected, loaded[0])
        paddle.static.load(main, stem, executor)
        yield "paddle.static.load", values(expected)


def readers(path, expected):
    """Yields (name of the reader, what it read)."""
    if os.path.isfile(path) and open(path, "rb").read(1) == b"\x80":
        yield from read_pickles(path, expected)
    elif paddle:
        main, executor = program(expected, ())
        folder, name = (path, None) if os.path.isdir(path) else os.path.split(path)
        paddle.static.io.load_vars(executor, folder or ".", main, vars=list(main.list_vars()), filename=name)
        yield "paddle.static.io.load_vars", values(expected)


def main():
    path, archive = sys.argv[1:]
    expected = dict(np.load(archive))
    bad = 0
    for reader, got in readers(path, expected):
        wrong = sorted(set(got) ^ set(expected))
        for name in set(got) & set(expected):
            a, b = np.asarray(got[name]), expected[name]
            if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
                wrong.append(name)
        bad += len(wrong)
        print(f"{reader}: {len(got)} tensors of {path}:", "wrong: " + ", ".join(wrong) if wrong else "equal")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
