-- What `bench/measure/load.ts` has wrk send. By environment, because wrk hands no arguments to its threads by name:
--   BENCH_METHOD, BENCH_BODY    of the request; a `{n}` in the body becomes the count, twelve digits
--   BENCH_HEADER, BENCH_VALUES  a header, and a file with its values, one a line, taken in turn
--   BENCH_FROM                  where counting begins
--   BENCH_TELL                  if set, refusals are counted by status and reason, which costs something for each answer
local header, file = os.getenv("BENCH_HEADER"), os.getenv("BENCH_VALUES")
local count = tonumber(os.getenv("BENCH_FROM") or "0")
wrk.method = os.getenv("BENCH_METHOD") or wrk.method
wrk.body = os.getenv("BENCH_BODY")
local values, before, after = nil, nil, nil

-- Both are filled in where they are read: threads by whoever reports, refusals by each thread for itself.
local threads = {}
refusals = {}

if os.getenv("BENCH_TELL") then
  function setup(thread) threads[#threads + 1] = thread end

  function response(status, headers, body)
    if status < 400 then return end
    local why = status .. " " .. (body:match('"reason":"([%w_]+)"') or "without a reason")
    refusals[why] = (refusals[why] or 0) + 1
  end
end

local function refused()
  local words = {}
  for _, thread in ipairs(threads) do
    for why, count in pairs(thread:get("refusals")) do words[#words + 1] = count .. " by " .. why end
  end
  return table.concat(words, ", ")
end

function init(args)
  if file then
    values = {}
    for line in io.lines(file) do values[#values + 1] = line end
    wrk.headers[header] = "\1"
    local whole = wrk.format()
    local at = whole:find("\1", 1, true)
    before, after = whole:sub(1, at - 1), whole:sub(at + 1)
    request = function()
      count = count + 1
      return before .. values[(count - 1) % #values + 1] .. after
    end
  elseif wrk.body and wrk.body:find("{n}", 1, true) then
    local body = wrk.body
    request = function()
      count = count + 1
      return wrk.format(nil, nil, nil, (body:gsub("{n}", string.format("%012d", count))))
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"requests":%d,"microseconds":%d,"refused":%d,"reasons":"%s","broken":%d,"p50":%f,"p99":%f,"max":%f}\n',
    summary.requests, summary.duration, errors.status, refused(), errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
