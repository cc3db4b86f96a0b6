"""Trained decoders on disk: ``model.safetensors``, ``config.json`` and a model card."""
