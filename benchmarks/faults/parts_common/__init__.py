"""What parts of the bench have in common: layers, losses, optimizers, starts, and the words of their forms."""
