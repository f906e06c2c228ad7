"""Several CUDA variants and platforms of one image: settings, proofs, keys and the bake file."""
