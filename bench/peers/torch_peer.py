"""Attention Cluster in PyTorch, written for speed on a CPU."""
import math

import torch
import torch.nn.functional as F


def versions():
    found = {"PyTorch": torch.__version__}
    for line in torch.__config__.show().splitlines():
        for key, name in (("Math Kernel Library Version", "PyTorch's MKL"), ("MKL-DNN v", "PyTorch's oneDNN")):
            if key in line:
                found[name] = line.split(key)[1].split("Product")[0].split("(")[0].strip(" -")
    return found


def product(a, b, bias=None):
    """a @ b.t() + bias by oneDNN; a and b may be transposed views."""
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")


class OneDNNLinear(torch.autograd.Function):
    """F.linear with all three products done by oneDNN."""

    @staticmethod
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return product(x, w, b)

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return product(g, w.t()) if ctx.needs_input_grad[0] else None, product(g.t(), x.t()), g.sum(0)


def onednn_linear(x, w, b):
    return OneDNNLinear.apply(x.flatten(0, -2), w, b).unflatten(0, x.shape[:-1])


class Cluster(torch.nn.Module):
    """The model, up to the logits. Linear weights are [out, in], as PyTorch has them."""

    def __init__(self, name, config, weights):
        super().__init__()
        self.c = config
        self.keep = 1 - config["DropRate"]
        self.bf16 = "bf16" in name
        self.dtype = torch.bfloat16 if self.bf16 else torch.float32  # of features, to which autocast would bring them
        self.linear = onednn_linear if "onednn" in name else F.linear
        for k, v in weights.items():
            v = torch.from_numpy(v)
            v = v.t() if k.endswith(".weights") else v.flatten(1) if k.endswith("conv.weight") else v
            self.register_parameter(k.replace(".", "_"), torch.nn.Parameter(v.clone(memory_format=torch.contiguous_format)))

    def attend(self, m, q):
        x = q.to(self.dtype).mul_(4 / 255).add_(4 / 512 - 2)
        w, c, alpha, beta = (getattr(self, f"satt{m}_{part}") for part in ("conv_weight", "conv_bias", "shift_w", "shift_b"))
        v = torch.bmm(torch.softmax(self.linear(x, w, c), 1).transpose(1, 2), x)
        u = torch.addcmul(beta[:, None], alpha[:, None], v)
        # dropout as fluid has it: nothing is scaled in training, everything in evaluation
        scale = (1 if self.training else self.keep) / math.sqrt(u.shape[1])
        return (u * ((u * u).sum(2, keepdim=True) + 1e-12).rsqrt().mul(scale)).flatten(1)

    def forward(self, features):
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            parts = [self.attend(m, q) for m, q in enumerate(features)]
            h = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
            if self.training and self.keep < 1:
                h = h * (torch.rand_like(h) < self.keep)  # a third of the time of F.dropout
            for i in range(len(self.c["Hidden"])):
                h = torch.tanh(self.linear(h, getattr(self, f"fc{i + 1}_weights"), getattr(self, f"fc{i + 1}_bias")))
            return self.linear(h, self.logistic_weights, self.logistic_bias).float()


class Peer:
    def __init__(self, name, config, weights):
        self.c, self.t = config, 0
        self.model = Cluster(name, config, weights)
        self.loss_of, self.probabilities_of = self.loss, self.probabilities
        if name == "torch-compile":
            self.loss_of = torch.compile(self.loss)
            # weights that do not change may be packed once, and products tried in several forms
            self.probabilities_of = torch.compile(self.probabilities, options={"freezing": True, "max_autotune": True})
        self.opt = torch.optim.Adam(self.model.parameters(), lr=config["Rate"], betas=(config["Beta1"], config["Beta2"]), fused=True)

    def batch(self, features, offsets, labels):
        """A batch as a data loader delivers it: uint8 features, labels with their rows."""
        rows = torch.repeat_interleave(torch.arange(len(offsets) - 1), torch.from_numpy(offsets).diff())
        return [torch.from_numpy(f) for f in features], rows, torch.from_numpy(labels).long()

    def loss(self, features, rows, labels):
        z = self.model(features)
        if self.c["Softmax"]:
            return F.cross_entropy(z, labels)
        target = torch.zeros_like(z).index_put_((rows, labels), torch.ones(()))
        return F.binary_cross_entropy_with_logits(z, target, reduction="sum") / len(z)

    def probabilities(self, features):
        z = self.model(features)
        return torch.softmax(z, 1) if self.c["Softmax"] else torch.sigmoid(z)

    def step(self, batch):
        self.t += 1
        # fluid's Adam adds epsilon before the correction for bias, PyTorch's after it: this makes them one
        self.opt.param_groups[0]["eps"] = self.c["Epsilon"] / math.sqrt(1 - self.c["Beta2"] ** self.t)
        loss = self.loss_of(*batch)
        loss.backward()
        self.opt.step()
        self.opt.zero_grad(set_to_none=True)
        return loss.item()

    @torch.no_grad()
    def evaluate(self, batch):
        self.model.eval()
        return self.loss_of(*batch).item()

    @torch.no_grad()
    def infer(self, batch):
        self.model.eval()
        top = torch.topk(self.probabilities_of(batch[0]), self.c["TopK"])
        return top.values.tolist(), top.indices.tolist()
