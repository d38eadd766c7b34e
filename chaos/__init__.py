"""Real processes, broken in every way that happens, while clients and watchers write down what they see."""
