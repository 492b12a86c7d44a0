-- Removes the keys of a run and, with them, its index entries. UNLINK gives the memory back in the background.
--   KEYS[1] run       hash
--   KEYS[2] runs      sorted set of all runs
--   KEYS[3] live      set of the runs that are not over
--   KEYS[4] removing  set of the runs whose removal has begun
--   KEYS[5…] every other key of the run
--   ARGV[1] run id
--   ARGV[2] token of the remover
-- Returns 1, or 0 when somebody else has taken the removal over or finished it: then nothing was done.
if redis.call('HGET', KEYS[1], 'removing') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SREM', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('UNLINK', KEYS[1], unpack(KEYS, 5))
return 1
