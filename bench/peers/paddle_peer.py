"""Attention Cluster in Paddle, dynamic graph."""
import math
import os

os.environ.setdefault("GLOG_minloglevel", "2")
import warnings

warnings.filterwarnings("ignore")
import paddle
import paddle.nn.functional as F


def versions():
    return {"Paddle": paddle.__version__}


class Peer:
    def __init__(self, name, config, weights):
        paddle.set_device("cpu")
        self.c = config
        self.t = 0
        self.p = {}
        for k, v in weights.items():
            if k.endswith("conv.weight"):
                v = v.reshape(v.shape[:2]).T.copy()  # Paddle's linear has [in, out]
            self.p[k] = paddle.base.framework.EagerParamBase.from_tensor(paddle.to_tensor(v), trainable=True)
        self.opt = paddle.optimizer.Adam(config["Rate"], config["Beta1"], config["Beta2"], config["Epsilon"], list(self.p.values()))

    def batch(self, features, offsets, labels):
        rows = [b for b in range(len(offsets) - 1) for _ in range(offsets[b], offsets[b + 1])]
        places = paddle.to_tensor(list(zip(rows, labels.tolist())), "int64")
        return [paddle.to_tensor(f) for f in features], places, paddle.to_tensor(labels).astype("int64")

    def logits(self, features, training):
        p, parts = self.p, []
        for m, q in enumerate(features):
            x = paddle.scale(q.astype("float32"), 4 / 255, 4 / 512 - 2)
            s = F.linear(x, p[f"satt{m}.conv.weight"], p[f"satt{m}.conv.bias"])
            v = paddle.bmm(F.softmax(s, 1).transpose([0, 2, 1]), x)
            u = v * p[f"satt{m}.shift_w"].unsqueeze(1) + p[f"satt{m}.shift_b"].unsqueeze(1)
            y = u * (paddle.rsqrt((u * u).sum(2, keepdim=True) + 1e-12) / math.sqrt(u.shape[1]))
            parts.append(y.flatten(1))
        h = paddle.concat(parts, 1) if len(parts) > 1 else parts[0]
        h = F.dropout(h, self.c["DropRate"], training=training, mode="downscale_in_infer")
        for i in range(len(self.c["Hidden"])):
            h = paddle.tanh(F.linear(h, p[f"fc{i + 1}.weights"], p[f"fc{i + 1}.bias"]))
        return F.linear(h, p["logistic.weights"], p["logistic.bias"])

    def loss(self, batch, training):
        features, places, labels = batch
        z = self.logits(features, training)
        if self.c["Softmax"]:
            return F.cross_entropy(z, labels)
        target = paddle.scatter_nd(places, paddle.ones([places.shape[0]]), z.shape)
        return F.binary_cross_entropy_with_logits(z, target, reduction="sum") / z.shape[0]

    def step(self, batch):
        self.t += 1
        # fluid's Adam adds epsilon before the correction for bias, today's after it: this makes them one
        self.opt._epsilon = self.c["Epsilon"] / math.sqrt(1 - self.c["Beta2"] ** self.t)
        loss = self.loss(batch, True)
        loss.backward()
        self.opt.step()
        self.opt.clear_grad(set_to_zero=False)
        return float(loss)

    @paddle.no_grad()
    def evaluate(self, batch):
        return float(self.loss(batch, False))

    @paddle.no_grad()
    def infer(self, batch):
        z = self.logits(batch[0], False)
        values, classes = paddle.topk(F.softmax(z, 1) if self.c["Softmax"] else F.sigmoid(z), self.c["TopK"])
        return values.tolist(), classes.tolist()
