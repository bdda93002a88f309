"""The untouched part of the bench: a script of its own for each task, written without a look at any rule."""
