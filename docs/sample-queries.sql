-- The top 10 of a board.
SELECT row_number() OVER (ORDER BY s.order_1, s.order_2, s.order_3, s.tie_order) AS rank,
       p.user_id, p.name, s.score
  FROM standings s JOIN boards b ON b.key = s.board_key JOIN players p ON p.key = s.player_key
 WHERE b.id = 'main' AND s.period = 'all' AND s.listed
 ORDER BY s.order_1, s.order_2, s.order_3, s.tie_order LIMIT 10;

-- The top 10 at version 1000, if the score is a sum: the first 1000 events, without those that were void at
-- that version.
SELECT p.user_id, sum(e.points) AS score, max(e.version) AS reached_version
  FROM score_events e JOIN boards b ON b.key = e.board_key JOIN players p ON p.key = e.player_key
 WHERE b.id = 'main' AND e.version <= 1000 AND e.kind IN ('award', 'adjust') AND e.points <> 0
   AND coalesce((SELECT l.kind FROM score_events l
                  WHERE l.board_key = e.board_key AND l.target_version = e.version AND l.version <= 1000
                  ORDER BY l.version DESC LIMIT 1), '') <> 'void'
 GROUP BY p.key ORDER BY score DESC, reached_version LIMIT 10;

-- The last 20 events of a player.
SELECT b.id AS board, e.version, e.action_id, e.points, e.score,
       to_timestamp(coalesce(e.clock_us, e.at_us) / 1000000.0) AS at
  FROM score_events e JOIN boards b ON b.key = e.board_key JOIN players p ON p.key = e.player_key
 WHERE p.user_id = 'ada' ORDER BY e.seq DESC LIMIT 20;

-- Points by action today.
SELECT action_id, count(*) AS uses, sum(points) AS points FROM score_events
 WHERE coalesce(clock_us, at_us) >= extract(epoch FROM date_trunc('day', now())) * 1000000
 GROUP BY action_id ORDER BY points DESC;

-- Boards whose ledger has a gap. (`scoreboard verify` checks much more.)
SELECT b.id, b.version, count(*) AS events FROM boards b LEFT JOIN score_events e ON e.board_key = b.key
 GROUP BY b.key HAVING b.version <> count(e.version);
