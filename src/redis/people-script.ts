/*
 * What Redis does with the tasks of a memory of people, each in one go: between a look and a claim nobody else may have the same
 * idea. Its parameters are the milliseconds of a claim, those of what is kept, and for each key five: step, field, traits, device
 * and call. It answers with a text for each.
 *
 * A person is a hash, with a field for what an identify has said and one for each group. A field has seven texts:
 *   what is known:   traits, the call that said them, and device:call pairs, the newest eight
 *   what is claimed: traits, device, call, and the time at which the claim ends
 */

/** The memberships of a person that are remembered: with more, all are forgotten and said anew. */
const MOST_FIELDS = 512
const MOST_DEVICES = 8
/** A claim that is said to end later is none of ours. */
const LONGEST_CLAIM_MS = 24 * 60 * 60 * 1_000

export const PEOPLE_SCRIPT = `
local claimMs, keepMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local answers = {}

local function has(pairs, device)
  if device == '-' then return pairs ~= '-' end
  return string.find(',' .. pairs .. ',', ',' .. device .. ':', 1, true) ~= nil
end

local function without(pairs, device, call)
  local kept = {}
  if pairs ~= '-' then
    for pair in string.gmatch(pairs, '[^,]+') do
      local of, by = string.match(pair, '^([^:]+):([^:]+)$')
      if of and of ~= device and by ~= call then kept[#kept + 1] = pair end
    end
  end
  return kept
end

local function with(pairs, device, call)
  local kept = without(pairs, device, '')
  kept[#kept + 1] = device .. ':' .. call
  while #kept > ${MOST_DEVICES} do table.remove(kept, 1) end
  return table.concat(kept, ',')
end

local function outlive(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

for index, key in ipairs(KEYS) do
  local at = 3 + (index - 1) * 5
  local step, field, traits, device, call = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local found = redis.pcall('HGET', key, field)
  if type(found) == 'table' then
    answers[index] = 'error ' .. tostring(found.err)
  else
    local known, saidBy, devices, claimed, claimedDevice, claimedBy, till
    if found then
      known, saidBy, devices, claimed, claimedDevice, claimedBy, till =
        string.match(found, '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%d+)$')
    end
    if not known then
      known, saidBy, devices, claimed, claimedDevice, claimedBy, till = '-', '-', '-', '-', '-', '-', '0'
    end
    till = tonumber(till)
    local isHeld = claimed ~= '-' and now < till and till <= now + ${LONGEST_CLAIM_MS}
    local answer, changed = 'done', true
    if step == 'claim' and known == traits and has(devices, device) and not (isHeld and claimed ~= traits) then
      answer, changed = 'known', false
      outlive(key, keepMs)
    elseif step == 'claim' and isHeld and claimed == traits and (device == '-' or device == claimedDevice) then
      answer, changed = 'held', false
    elseif step == 'claim' or step == 'replace' then
      answer = 'claimed'
      claimed, claimedDevice, claimedBy, till = traits, device, call, now + claimMs
    elseif step == 'keep' then
      if claimed ~= '-' and claimedBy == call then
        known, saidBy, devices = claimed, call, with(devices, claimedDevice, call)
        claimed, claimedDevice, claimedBy, till = '-', '-', '-', 0
      elseif known == '-' or known == traits then
        known, saidBy, devices = traits, call, with(devices, device, call)
      else
        changed = false
      end
    else
      if claimedBy == call then claimed, claimedDevice, claimedBy, till = '-', '-', '-', 0 end
      if saidBy == call then
        known, saidBy, devices = '-', '-', '-'
      elseif known ~= '-' then
        devices = table.concat(without(devices, '', call), ',')
        if devices == '' then known, saidBy, devices = '-', '-', '-' end
      end
    end
    if changed and known == '-' and claimed == '-' then
      redis.call('HDEL', key, field)
    elseif changed then
      if not found and redis.call('HLEN', key) >= ${MOST_FIELDS} then redis.call('DEL', key) end
      redis.call('HSET', key, field, table.concat({
        known, saidBy, devices, claimed, claimedDevice, claimedBy, string.format('%.0f', till)
      }, ' '))
      outlive(key, step == 'keep' and keepMs or claimMs)
    end
    answers[index] = answer
  end
end
return answers
`
