-- Shards that the job of a claimant carries: one is started in the step that ends the one before, in place of a job of its
-- own. Until it has ended it stays claimed, marked `!`.

-- That a shard was claimed for the claimant's job is acknowledged with its end. Returns whether it had been.
local function let_go(k, claimant, id)
  local kept = redis.call('HGET', k.claims, claimant)
  if not kept then return false end
  local others, was_there = {}, false
  for _, text in ipairs(cjson.decode(kept)) do
    if text == '!' .. id then was_there = true else others[#others + 1] = text end
  end
  if not was_there then return false end
  local phase = parse_shard_id(id)
  local entry = load_entry(k.ledger, phase)
  if entry then
    entry.unacked = entry.unacked - 1
    save_entry(k.ledger, phase, entry)
  end
  if #others > 0 then redis.call('HSET', k.claims, claimant, cjson.encode(others)) else redis.call('HDEL', k.claims, claimant) end
  return true
end

-- Starts a claimed shard, the i-th, and marks it. Its own job would be the second one to start it.
--   c: {claimant, worker, now, loss_limit, token}
-- Returns its record as JSON; '' when it may not start.
local function begin_carried(k, c, claimed, i)
  local id = string.gsub(claimed[i], '^!', '')
  local reply = start(k, { id = id, worker = c.worker, now = c.now, starts = '1', reopened = '0', loss_limit = c.loss_limit, token = c.token, carrier = c.claimant })
  if reply[1] ~= 'run' then return '' end
  claimed[i] = '!' .. id
  return reply[2]
end

-- Starts a claimed shard as above, and keeps the claim with its mark.
local function carry(k, c, claimed, i)
  local record = begin_carried(k, c, claimed, i)
  if record ~= '' then redis.call('HSET', k.claims, c.claimant, cjson.encode(claimed)) end
  return record
end
