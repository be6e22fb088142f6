"""From a picture to emotions: detect, align, preprocess, classify, and the analyzer that joins them."""
