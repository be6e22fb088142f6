"""The record of what was trained: runs read, compared, reported and kept, without PyTorch."""
