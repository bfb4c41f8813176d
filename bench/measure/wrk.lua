-- What `bench/measure/load.ts` has wrk send. By environment, because wrk hands no arguments to its threads by name:
--   BENCH_METHOD, BENCH_BODY    of the request; a `{n}` in the body becomes the count, twelve digits
--   BENCH_HEADER, BENCH_VALUES  a header, and a file with its values, one a line, taken in turn
--   BENCH_FROM                  where counting begins
local header, file = os.getenv("BENCH_HEADER"), os.getenv("BENCH_VALUES")
local count = tonumber(os.getenv("BENCH_FROM") or "0")
wrk.method = os.getenv("BENCH_METHOD") or wrk.method
wrk.body = os.getenv("BENCH_BODY")
local values, before, after = nil, nil, nil

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
    'BENCH {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%f,"p99":%f,"max":%f}\n',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), latency.max))
end
