-- Takes a named mutex for a phase, or puts the phase in the queue for it. Asking again changes nothing.
--   KEYS[1] lock      hash {holder, since_ms}
--   KEYS[2] waiters   sorted set of phases by the time they asked
--   KEYS[3] locks     set of the names of locks that are held
--   ARGV[1] name of the lock
--   ARGV[2] who asks: `<run>/<phase>.r<revision>`
--   ARGV[3] now, Unix ms
-- Returns the holder: the asker itself when it has the lock now.
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder and holder ~= ARGV[2] then
  redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[2])
  return holder
end
if not holder then redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'since_ms', ARGV[3]) end
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return ARGV[2]
