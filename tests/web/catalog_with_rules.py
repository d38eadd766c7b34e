"""A catalog whose actions have a rule each."""

CATALOG = """
[boards.main]
title = "Main"
timezone = "America/New_York"
[boards.side]
title = "Side"
[boards.league]
title = "League"
periods = ["week"]
[actions.visit]
board = "side"
points = 1
title = "Visit"
[actions.once]
board = "main"
points = 10
title = "Once"
max_total = 1
[actions.seldom]
board = "main"
points = 10
title = "Seldom"
cooldown_seconds = 30
[actions.daily]
board = "main"
points = 10
title = "Daily"
max_per_day = 2
[actions.weekly]
board = "league"
points = 10
title = "Weekly"
max_per_period = { week = 1 }
[actions.after]
board = "main"
points = 10
title = "After"
requires = "visit"
[actions.off]
board = "main"
points = 10
title = "Off"
enabled = false
[actions.prize]
board = "main"
points = 10
points_range = [-5, 100]
title = "Prize"
by = "server"
[actions.quest]
board = "main"
points = 10
title = "Quest"
"""
