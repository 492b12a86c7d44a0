-- Keeps what came of an aggregate, unless its run is gone. A failure never replaces what was persisted.
--   KEYS[1] run    hash
--   KEYS[2] folds  hash
--   ARGV[1] phase revision
--   ARGV[2] what came of it, JSON
--   ARGV[3] 1 when it is a failure
-- Returns 1 when it was kept.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return 0 end
if ARGV[3] == '1' then return redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2]) end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
