-- Delete the copy of a board.
--
-- KEYS  head, order, rows

drop_copy(KEYS[1], KEYS[2], KEYS[3])
