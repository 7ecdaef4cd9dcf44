"""Options and help of each command, in a module of its name; the work is in ``cli/work``."""
