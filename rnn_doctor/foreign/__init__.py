"""Stage before derive: logs of metrics that other libraries wrote, into run logs."""
