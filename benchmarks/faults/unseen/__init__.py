"""The unseen part of the bench: tasks, networks, loops, habits and forms, made without a look at any rule."""
