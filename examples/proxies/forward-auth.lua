-- Forward-auth for HAProxy, which has none of its own: asks Hallpass about a request before it goes on.
-- Needs HAProxy 2.5 or newer with Lua, as in Debian 12. haproxy.cfg says where it is used.

local hallpass = "http://127.0.0.1:4000/hallpass/forward-auth"
local patience_ms = 5000

-- What belongs to one connection or to a body, and what the question says itself. Upgrade stays: Hallpass wants to know of
-- a WebSocket, and without Connection it asks for nothing.
local own = {
  ["connection"] = true, ["keep-alive"] = true, ["te"] = true, ["trailer"] = true,
  ["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true, ["proxy-connection"] = true,
  ["x-forwarded-method"] = true, ["x-forwarded-uri"] = true, ["x-forwarded-for"] = true,
  ["x-original-method"] = true, ["x-original-uri"] = true, ["x-original-url"] = true,
}

local function question(txn)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not own[name] then
      headers[name] = {}
      -- HAProxy's lists begin at 0.
      for i = 0, #values do table.insert(headers[name], values[i]) end
    end
  end
  headers["x-forwarded-method"] = { txn.sf:method() }
  headers["x-forwarded-uri"] = { txn.sf:pathq() }
  headers["x-forwarded-for"] = { txn.sf:src() }
  return { url = hallpass, headers = headers, timeout = patience_ms }
end

core.register_action("hallpass", { "http-req" }, function(txn)
  local answer = core.httpclient():get(question(txn))
  if answer.status == 200 then
    for name, values in pairs(answer.headers) do
      local value = values[0] or values[1]
      -- An empty one says that there is nothing to tell.
      if name:find("^x%-hallpass%-") and value ~= "" then txn.http:req_set_header(name, value) end
    end
    return
  end
  -- A refusal goes to the caller as it is; 503 says that Hallpass cannot tell at the moment. Without an answer nobody
  -- agreed, so nobody comes in.
  local known = answer.status == 401 or answer.status == 403 or answer.status == 429
    or (answer.status == 503 and answer.headers["hallpass-status"] ~= nil)
  local reply = txn:reply({ status = known and answer.status or 502 })
  if known then
    for name, values in pairs(answer.headers) do
      if not own[name] and name ~= "date" then
        for _, value in pairs(values) do reply:add_header(name, value) end
      end
    end
    reply:set_body(answer.body)
  end
  txn:done(reply)
end)
