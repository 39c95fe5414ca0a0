"""How initial values are drawn: an idea a file; `initializers` hands them on."""
