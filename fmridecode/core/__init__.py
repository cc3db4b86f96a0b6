"""Models, training, saliency and scores, on arrays and tensors of any number of dimensions."""
