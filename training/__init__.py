"""Training of the embedded starter model: generated overhead scenes, a small network, export to ONNX."""
