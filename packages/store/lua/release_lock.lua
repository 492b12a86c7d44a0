-- Gives a named mutex back, or leaves the queue for it; the next in the queue becomes the holder.
--   KEYS[1] lock      hash {holder, since_ms}
--   KEYS[2] waiters   sorted set of phases by the time they asked
--   KEYS[3] locks     set of the names of locks that are held
--   ARGV[1] name of the lock
--   ARGV[2] who had it or waited: `<run>/<phase>.r<revision>`
--   ARGV[3] now, Unix ms
-- Returns the new holder, or '' when nobody waited or somebody else holds it.
redis.call('ZREM', KEYS[2], ARGV[2])
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[2] then return '' end
local next_one = redis.call('ZPOPMIN', KEYS[2])[1]
if next_one then
  redis.call('HSET', KEYS[1], 'holder', next_one, 'since_ms', ARGV[3])
  return next_one
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[3], ARGV[1])
return ''
