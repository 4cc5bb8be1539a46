// Nothing: the target wants a source to precompile the headers of the tests for.
