#!/usr/bin/env bash
# Proves that others read what avcu writes, value for value: Paddle, NumPy, safetensors and pickle, in the environment of
# env.sh. What is written comes from the optimiser's checkpoint that Paddle 1.8.5 wrote, by way of avcu's own form.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$(bench/peers/env.sh)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go build -o "$out/avcu" ./cmd/avcu
avcu=$out/avcu data=cmd/avcu/testdata/paddle expected=io/paddle/testdata/fluid185/expected.npz

"$avcu" model convert "$data/persistables" "$out/own.safetensors" --to safetensors
"$avcu" model convert "$out/own.safetensors" "$out/own.npz" --to npz
"$avcu" model convert "$out/own.safetensors" "$out/two.pdparams" --to pdparams
"$avcu" model convert "$out/own.safetensors" "$out/folder" --to paddle-dir
"$avcu" model convert "$out/own.safetensors" "$out/combined" --to paddle-combined
for form in two.pdparams folder combined; do
	"$python" bench/peers/read_back.py "$out/$form" "$expected"
done

printf 'MODEL: {feature_dims: [24, 8], cluster_nums: [4, 3], seg_num: 7, num_classes: 11, hidden_sizes: [16, 20]}\n' >"$out/small.yaml"
infer() { "$avcu" infer --config "$out/small.yaml" --data "$data/py2_narrow.pkl" --weights "$data/persistables" "$@"; }
infer --format jsonl --output "$out/result.jsonl"
infer --format pickle --output "$out/result.pkl"
"$python" - "$out" "$expected" <<'PY'
import json, pickle, sys
import numpy as np
from safetensors.numpy import load_file

out, expected = sys.argv[1], np.load(sys.argv[2])
for reader, got in ("safetensors", load_file(out + "/own.safetensors")), ("numpy.load", np.load(out + "/own.npz")):
    names = {"adam.m.": "_moment1_0", "adam.v.": "_moment2_0"}
    for name in got.keys():
        stored = next((name[len(p):] + s for p, s in names.items() if name.startswith(p)), name)
        assert got[name].tobytes() == expected[stored].tobytes() and got[name].shape == expected[stored].shape, name
    print(f"{reader}: {len(got.keys())} tensors: equal")
rows = [json.loads(line) for line in open(out + "/result.jsonl")]
want = [(r["id"].encode(), [float(np.float32(k["prob"])) for k in r["topk"]], [k["class"] for k in r["topk"]]) for r in rows]
assert pickle.load(open(out + "/result.pkl", "rb")) == want
print(f"pickle.load: {len(want)} videos: equal")
PY
