"""From an encoder to the files that engines read: its ONNX graph, and its weights beside it."""
