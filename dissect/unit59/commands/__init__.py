"""What the commands of `unit59` do, one module each."""
