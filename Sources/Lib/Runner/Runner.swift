// The module's code.
