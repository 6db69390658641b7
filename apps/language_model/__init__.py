"""A small language model trained on documentation, whose files show what quantisation costs real weights."""
