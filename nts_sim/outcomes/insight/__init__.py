"""What a sweep teaches: which input matters, where a policy fails, how robust it is, what flips."""
