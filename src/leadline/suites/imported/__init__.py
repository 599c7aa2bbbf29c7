"""Other people's tasks, unchanged: each kind of source read by one module, all made into one suite."""
