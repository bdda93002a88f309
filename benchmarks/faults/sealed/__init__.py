"""The sealed part of the bench: tasks, networks, training loop, habits and forms, made without a look at any rule."""
