-- Keeps a set of artifacts that attempts of a phase were given, unless its run is gone or the set is known.
--   KEYS[1] run       hash
--   KEYS[2] consumed  hash
--   ARGV[1] phase revision, a space, id of the set
--   ARGV[2] the set, JSON
-- Returns 1 when it was kept.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return 0 end
return redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
