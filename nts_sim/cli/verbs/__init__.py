"""One module a verb, each with ``main(arguments, flags)`` that returns the exit code."""
