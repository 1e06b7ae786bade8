"""Reads shards as avcu does: TFRecords to uint8 batches of frames from the middle of each stretch, with one thread."""
import glob
import importlib.metadata
import json
import os
import time

import numpy as np
from safetensors import safe_open

MAX_FRAMES, PASSES = 300, 3


def chosen(n, frames):
    """The frames that stand for a video of n: the middle of each of equal stretches."""
    return (2 * np.arange(frames) + 1) * min(n, MAX_FRAMES) // (2 * frames)


def with_tfrecord(files, c):
    """The package tfrecord: the messages are parsed by protobuf. Yields lists of (features, labels)."""
    from tfrecord.reader import sequence_loader

    batch = []
    for path in files:
        for context, features in sequence_loader(path, None, {"labels": "int"}, dict.fromkeys(c["Names"], "byte")):
            index = chosen(min(len(features[name]) for name in c["Names"]), c["Frames"])
            rows = [b"".join([features[name][i] for i in index]) for name in c["Names"]]
            batch.append(([np.frombuffer(r, np.uint8).reshape(c["Frames"], -1) for r in rows], context["labels"]))
            if len(batch) == c["Batch"]:
                yield stacked(batch)
                batch = []
    if batch:
        yield stacked(batch)


def stacked(batch):
    features = [np.stack([f[m] for f, _ in batch]) for m in range(len(batch[0][0]))]
    return features, np.concatenate([labels for _, labels in batch])


def with_tensorflow(files, c):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    middle = tf.constant(2 * np.arange(c["Frames"]) + 1)
    strings = tf.io.FixedLenSequenceFeature([], tf.string)

    def parse(record):
        context, lists = tf.io.parse_single_sequence_example(record, {"labels": tf.io.VarLenFeature(tf.int64)}, dict.fromkeys(c["Names"], strings))
        n = tf.reduce_min([tf.size(lists[name], tf.int64) for name in c["Names"]])
        index = middle * tf.minimum(n, MAX_FRAMES) // (2 * c["Frames"])
        rows = [tf.io.decode_raw(tf.gather(lists[name], index), tf.uint8, fixed_length=d) for name, d in zip(c["Names"], c["Dims"])]
        return tuple(rows), context["labels"]

    data = tf.data.TFRecordDataset(files).map(parse).batch(c["Batch"])
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    for features, labels in data.with_options(options):
        yield [f.numpy() for f in features], labels.values.numpy()


def run(say, name, shape, folder):
    with safe_open(f"{folder}/{shape}-inputs.safetensors", "np") as f:
        c = json.loads(f.metadata()["model"])
    files = sorted(glob.glob(f"{folder}/{shape}-shards/*"))
    batches = {"tfrecord": with_tfrecord, "tensorflow": with_tensorflow}[name]
    checksum = sum(sum(int(f.sum(dtype=np.int64)) for f in features) + int(labels.sum()) for features, labels in batches(files, c))
    before = time.process_time()
    for _ in range(PASSES):
        for _ in batches(files, c):
            pass
    say(bytes=PASSES * sum(map(os.path.getsize, files)), cpu=time.process_time() - before, checksum=checksum)
    package = {"tensorflow": "tensorflow-cpu"}.get(name, name)
    say(versions={package: importlib.metadata.version(package)})
