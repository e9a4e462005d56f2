"""What TensorFlow itself makes of patches: the penultimate layer of the checkpoint's own graph.

A program for a Python with TensorFlow: `tensorflow_embedding.py CHECKPOINT PATCHES.npy OUTPUT.npy`.
The graph was written by TensorFlow 1. That of today runs it once its variables are constants.
"""

import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef

PATCHES, IS_TRAINING = "model/Placeholder:0", "model/Placeholder_2:0"
PENULTIMATE = "model/batch_normalization_10/batchnorm/add_1"
FLOAT = 1

checkpoint, patches, output = sys.argv[1:]
meta = MetaGraphDef()
meta.ParseFromString(Path(f"{checkpoint}.meta").read_bytes())
graph = tf.graph_util.extract_sub_graph(meta.graph_def, [PENULTIMATE])
variables = tf.train.NewCheckpointReader(checkpoint)
for node in graph.node:
    node.attr.pop("_output_shapes", None)
    node.attr.pop("_class", None)
    if node.op == "VariableV2":
        values = tf.make_tensor_proto(variables.get_tensor(node.name))
        constant = {"dtype": tf.AttrValue(type=FLOAT), "value": tf.AttrValue(tensor=values)}
        node.CopyFrom(tf.NodeDef(name=node.name, op="Const", attr=constant))
with tf.Graph().as_default(), tf.Session() as session:
    tf.import_graph_def(graph, name="")
    given = {PATCHES: np.load(patches), IS_TRAINING: False}
    np.save(output, session.run(f"{PENULTIMATE}:0", given))
