"""What a copy of the network does where something is changed: trials, all of them in forked processes."""
