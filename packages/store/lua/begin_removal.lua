-- Marks an ended run as being removed: from now on no decision on it is committed and no attempt of it starts.
-- Doing it again hands the removal over to the new remover.
--   KEYS[1] run       hash
--   KEYS[2] removing  set of the runs whose removal has begun
--   ARGV[1] run id
--   ARGV[2] token of the remover
-- Returns [begun], [gone] when there is no such run, or [live, status] when it is not over.
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return { 'gone' } end
if status == 'queued' or status == 'running' then return { 'live', status } end
redis.call('HSET', KEYS[1], 'removing', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[1])
return { 'begun' }
