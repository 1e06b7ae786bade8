"""Attention Cluster in PyTorch: the same model, loss and optimiser as avcu, as a peer to compare with.

    attention_cluster_torch.py init OUT.safetensors CONFIG        draws initial weights
    attention_cluster_torch.py train DATA INIT CONFIG STEPS       prints the loss of each step

CONFIG is a JSON object: names, dims, units, frames, hidden, classes, loss, batch, rate, seed. Data are TFRecords of
YouTube-8M's frame-level form, read in their order, frames from the middle of each stretch, no dropout.
"""
import glob
import json
import math
import struct
import sys
import time

import numpy as np
import torch
from safetensors.torch import load_file, save_file


def shapes(c):
    """Parameter shapes under Paddle's names."""
    s = {}
    width = 0
    for m, (d, n) in enumerate(zip(c["dims"], c["units"])):
        s[f"satt{m}.conv.weight"] = (n, d, 1, 1)
        s[f"satt{m}.conv.bias"] = (n,)
        s[f"satt{m}.shift_w"] = (n,)
        s[f"satt{m}.shift_b"] = (n,)
        width += d * n
    for i, out in enumerate(c["hidden"]):
        s[f"fc{i + 1}.weights"], s[f"fc{i + 1}.bias"] = (width, out), (out,)
        width = out
    s["logistic.weights"], s["logistic.bias"] = (width, c["classes"]), (c["classes"],)
    return s


def forward(c, p, features):
    """Logits of dequantised features, one tensor [B, L, D] a modality."""
    parts = []
    for m, x in enumerate(features):
        w = p[f"satt{m}.conv.weight"].flatten(1)
        a = torch.softmax(x @ w.t() + p[f"satt{m}.conv.bias"], dim=1)
        v = a.transpose(1, 2) @ x
        u = p[f"satt{m}.shift_w"][:, None] * v + p[f"satt{m}.shift_b"][:, None]
        y = u / torch.sqrt((u * u).sum(2, keepdim=True) + 1e-12) / math.sqrt(u.shape[1])
        parts.append(y.flatten(1))
    h = torch.cat(parts, 1)
    for i in range(len(c["hidden"])):
        h = torch.tanh(h @ p[f"fc{i + 1}.weights"] + p[f"fc{i + 1}.bias"])
    return h @ p["logistic.weights"] + p["logistic.bias"]


def mean_loss(c, z, labels):
    if c["loss"] == "softmax":
        return torch.nn.functional.cross_entropy(z, torch.tensor([l[0] for l in labels]))
    t = torch.zeros_like(z)
    for row, l in enumerate(labels):
        t[row, l] = 1
    return torch.nn.functional.binary_cross_entropy_with_logits(z, t, reduction="sum") / len(labels)


class Adam:
    """Adam as fluid 1.x computes it: epsilon is not corrected for bias."""

    def __init__(self, params, rate, beta1=0.9, beta2=0.999, eps=1e-8):
        self.params, self.rate, self.beta1, self.beta2, self.eps, self.t = params, rate, beta1, beta2, eps, 0
        self.m = [torch.zeros_like(w) for w in params]
        self.v = [torch.zeros_like(w) for w in params]

    @torch.no_grad()
    def step(self):
        self.t += 1
        rate = self.rate * math.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)
        for w, m, v in zip(self.params, self.m, self.v):
            m.mul_(self.beta1).add_(w.grad, alpha=1 - self.beta1)
            v.mul_(self.beta2).addcmul_(w.grad, w.grad, value=1 - self.beta2)
            w.sub_(rate * m / (v.sqrt() + self.eps))
            w.grad = None


def varint(b, i):
    n = shift = 0
    while True:
        n |= (b[i] & 127) << shift
        shift += 7
        i += 1
        if b[i - 1] < 128:
            return n, i


def fields(b):
    """The (number, value) pairs of a protobuf message; nested messages are bytes."""
    i = 0
    while i < len(b):
        key, i = varint(b, i)
        if key & 7 == 0:
            value, i = varint(b, i)
        else:
            n, i = varint(b, i)
            value, i = b[i : i + n], i + n
        yield key >> 3, value


def only(b, number):
    return [v for n, v in fields(b) if n == number]


def videos(patterns, c):
    """(features, labels) of each video, features one uint8 array [L, D] a modality."""
    for path in sorted(p for pattern in patterns for p in glob.glob(pattern)):
        data = open(path, "rb").read()
        at = 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            record = data[at + 12 : at + 12 + size]
            at += size + 16
            context, lists = only(record, 1)[0], only(record, 2)[0]
            labels = []
            for entry in only(context, 1):
                if only(entry, 1)[0] == b"labels":
                    for packed in only(only(only(entry, 2)[0], 3)[0], 1):
                        i = 0
                        while not isinstance(packed, int) and i < len(packed):
                            n, i = varint(packed, i)
                            labels.append(n)
                        if isinstance(packed, int):
                            labels.append(packed)
            frames = {}
            for entry in only(lists, 1):
                rows = [only(only(f, 1)[0], 1)[0] for f in only(only(entry, 2)[0], 1)]
                frames[only(entry, 1)[0].decode()] = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
            n = min(300, min(len(frames[name]) for name in c["names"]))
            index = [(2 * i + 1) * n // (2 * c["frames"]) for i in range(c["frames"])]
            yield [frames[name][index] for name in c["names"]], labels


def batches(patterns, c):
    while True:
        batch = []
        for v in videos(patterns, c):
            batch.append(v)
            if len(batch) == c["batch"]:
                yield batch
                batch = []
        if batch:
            yield batch


def dequantise(q):
    return torch.from_numpy((q.astype(np.float64) * 4 / 255 + 4 / 512 - 2).astype(np.float32))


def init(out, c):
    torch.manual_seed(c["seed"])
    p = {}
    for name, shape in shapes(c).items():
        fan = shape[0] if len(shape) == 2 else shape[1] if len(shape) == 4 else shape[0]
        p[name] = torch.randn(shape) * math.sqrt(2 / fan)
        if "shift" in name:
            p[name] = torch.randn(shape) / shape[0] ** 0.25
    save_file(p, out)


def train(data, weights, c, steps):
    p = {k: v.requires_grad_() for k, v in load_file(weights).items()}
    opt = Adam(list(p.values()), c["rate"])
    source = batches(data.split(","), c)
    for step in range(steps):
        batch = next(source)
        features = [dequantise(np.stack([f[m] for f, _ in batch])) for m in range(len(c["names"]))]
        start = time.time()
        loss = mean_loss(c, forward(c, p, features), [l for _, l in batch])
        loss.backward()
        opt.step()
        print(json.dumps({"step": step + 1, "loss": loss.item(), "seconds": round(time.time() - start, 3)}), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "init":
        init(sys.argv[2], json.loads(sys.argv[3]))
    else:
        train(sys.argv[2], sys.argv[3], json.loads(sys.argv[4]), int(sys.argv[5]))
