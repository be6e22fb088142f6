"""Models that were trained with Keras, read without it: file → layers → a network of Mien → ONNX and card."""
