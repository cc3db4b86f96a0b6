"""Nine decoders and saliency methods side by side, on a data set or on maps with known truth."""
