-- Appends one event to a run's journal. The stream's entry ids are `<seq>-0`, so `seq` has no gaps and
-- a reader can resume after any line.
--   run, journal: keys   now: Unix ms   data: JSON object as text, or ''
local function emit(run, journal, now, event, phase, shard, attempt, data)
  local seq = redis.call('HINCRBY', run, 'seq', 1)
  redis.call('XADD', journal, seq .. '-0', 't', now, 'e', event, 'p', phase or '', 's', shard or '', 'a', attempt or '', 'd', data or '')
  return seq
end
