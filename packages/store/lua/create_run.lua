-- Stores a new run, or finds that it is there already: the run id is the idempotency key.
--   KEYS[1] run       hash
--   KEYS[2] plan      string
--   KEYS[3] journal   stream
--   KEYS[4] runs      sorted set of all runs
--   KEYS[5] live      set of the runs that are not over
--   KEYS[6] source    string
--   ARGV[1] run id
--   ARGV[2] compiled plan, JSON
--   ARGV[3] now, Unix ms
--   ARGV[4] fields of the run hash, JSON object of strings
--   ARGV[5] data of the run_queued event, JSON object
--   ARGV[6] what the plan was compiled from, JSON; '' when that is not known
-- Returns 1 when the run was stored, 0 when it existed, -1 when one of this id is just being removed.
--- @include "journal"
if redis.call('HEXISTS', KEYS[1], 'removing') == 1 then return -1 end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for field, value in pairs(cjson.decode(ARGV[4])) do
  redis.call('HSET', KEYS[1], field, value)
end
redis.call('SET', KEYS[2], ARGV[2])
if ARGV[6] ~= '' then redis.call('SET', KEYS[6], ARGV[6]) end
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
redis.call('SADD', KEYS[5], ARGV[1])
emit(KEYS[1], KEYS[3], ARGV[3], 'run_queued', '', '', '', ARGV[5])
return 1
