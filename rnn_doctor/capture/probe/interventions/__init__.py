"""What a trial changes of a script that is otherwise run as it is: one remedy, other seeds, no files of its own."""
