package dev.aquifer.cache;

/** What scripts have in common: see {@link Script}. */
final class ScriptText {
  static final String BEFORE =
      """
      local function fmt(x) return string.format('%.0f', x) end
      local position = table.remove(KEYS)
      local function now()
        local t = redis.call('TIME')
        return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
      end
      local s = redis.call('HMGET', KEYS[1], 'i', 'n', 'f', 'p', 'o', 'r', 'g', 'b')
      local i, n, f = s[1], tonumber(s[2] or '0'), tonumber(s[3] or '0')
      local candidate, replaces, owner = string.match(ARGV[1], '^(%x+)([=!])(%x*)$')
      local foreign = i and (s[5] or '') ~= owner
      local run, gaps = s[6], {}
      for from, to in string.gmatch(s[7] or '', '(%d+):(%d+)') do
        gaps[#gaps + 1] = {tonumber(from), tonumber(to)}
      end
      local function gapped()
        local out = {}
        for k, g in ipairs(gaps) do out[k] = fmt(g[1]) .. ':' .. fmt(g[2]) end
        return table.concat(out, ' ')
      end
      local began = tonumber(s[8] or '0')
      local function known()
        redis.call('HSET', KEYS[1], 'r', run, 'g', gapped())
      end
      local function made()
        redis.call('HSET', KEYS[1], 'i', i, 'n', fmt(n), 'f', fmt(f), 'b', fmt(began))
        if owner ~= '' then redis.call('HSET', KEYS[1], 'o', owner) end
        known()
      end
      local function clock()
        local t = redis.call('TIME')
        return tonumber(t[1]) * 1000000 + tonumber(t[2])
      end
      local function server()
        return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
      end
      local asked = false
      local function number()
        local here = not asked and server()
        asked = true
        if here and here ~= run then
          local to = math.max(n + 10001, clock())
          gaps[#gaps + 1] = {n, to}
          if #gaps > 32 then
            table.remove(gaps, 1)
            gaps[1][1] = 0
          end
          n = to - 1
          run = here
          known()
        end
        n = n + 1
      end
      local applied = tonumber(ARGV[3])
      local function lost()
        if applied == 0 then return false end
        if i ~= ARGV[2] and ARGV[2] ~= '0' then return applied >= began end
        for _, g in ipairs(gaps) do
          if applied > g[1] and applied < g[2] then return true end
        end
        return applied > n
      end
      local poisons = {}
      if i and s[4] then
        local ok, list = pcall(cmsgpack.unpack, s[4])
        poisons = ok and type(list) == 'table' and list or {}
      end
      if not i or (foreign and replaces == '!') or (not foreign and lost()) then
        if foreign then poisons = {} end
        i = candidate
        foreign = false
        n = math.max(clock(), applied + 1, n + 1)
        f = n
        began = n
        run, gaps = server(), {}
        redis.call('DEL', KEYS[1], KEYS[2])
        made()
        if #poisons > 0 then redis.call('HSET', KEYS[1], 'p', s[4]) end
      end
      local function announce(channel, what)
        local id = fmt(n) .. '-0'
        local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', 10000, id, 'w', what)
        if type(added) == 'table' and added.err then
          redis.call('DEL', KEYS[2])
          redis.call('XADD', KEYS[2], id, 'w', what)
        end
        redis.call('PUBLISH', channel, i .. ' ' .. fmt(n) .. ' ' .. what)
      end
      local function keep(list)
        poisons = list
        if #list == 0 then
          redis.call('HDEL', KEYS[1], 'p')
        else
          redis.call('HSET', KEYS[1], 'p', cmsgpack.pack(list))
        end
      end
      if #poisons > 0 then
        local left, at = {}, now()
        for _, q in ipairs(poisons) do
          if q.e > at then
            left[#left + 1] = q
          else
            number()
            for _, name in ipairs(q.m) do redis.call('HSET', KEYS[1], name, fmt(n)) end
            announce(q.c, '-' .. q.t .. ';' .. q.w)
          end
        end
        if #left < #poisons then
          redis.call('HSET', KEYS[1], 'n', fmt(n))
          keep(left)
        end
      end
      local function news()
        if foreign then return {'O', s[5] or ''} end
        if i == ARGV[2] then
          local behind = n - applied
          if behind <= 0 then return {} end
          for _, g in ipairs(gaps) do
            if applied <= g[1] then behind = behind - (g[2] - g[1] - 1) end
          end
          if behind <= tonumber(ARGV[4]) then
            local e = redis.call('XRANGE', KEYS[2], fmt(applied + 1), '+')
            if #e == behind then
              local out = {'E', gapped()}
              for k = 1, #e do
                out[#out + 1] = e[k][1]
                out[#out + 1] = e[k][2][2]
              end
              return out
            end
          end
        end
        local all = {'S'}
        local state = redis.call('HGETALL', KEYS[1])
        for k = 1, #state, 2 do
          if string.sub(state[k], 1, 2) ~= 'r:' then
            all[#all + 1] = state[k]
            all[#all + 1] = state[k + 1]
          end
        end
        for _, q in ipairs(poisons) do
          all[#all + 1] = '+'
          all[#all + 1] = '+' .. q.t .. ';' .. fmt(math.max(0, q.e - now())) .. ';' .. q.w
        end
        return all
      end
      local function told() return {i, fmt(n), fmt(f), news()} end
      local function named(entry)
        local size, at = string.match(entry, '^aq:{[^}]*}:v:(%d+):()')
        return 'x:' .. string.sub(entry, at, at + size - 1), at + size + 1
      end
      local function leased(entry)
        local field, at = named(entry)
        local own = string.sub(entry, at, at + 11)
        local day = math.floor(tonumber(redis.call('TIME')[1]) / 86400)
        local known = redis.call('HGET', KEYS[1], field) or ''
        local kept = own .. '@' .. day .. ' '
        if string.find(known, kept, 1, true) then return end
        for schema, seen in string.gmatch(known, '(%x+)@(%d+) ') do
          if schema ~= own and tonumber(seen) > day - 100 then
            kept = kept .. schema .. '@' .. seen .. ' '
          end
        end
        redis.call('HSET', KEYS[1], field, kept)
      end
      local function gone(entry, lease)
        redis.call('DEL', entry, lease)
        local field, at = named(entry)
        for schema in string.gmatch(redis.call('HGET', KEYS[1], field) or '', '(%x+)@') do
          local function of(key) return string.sub(key, 1, at - 1) .. schema .. string.sub(key, at + 12) end
          redis.call('DEL', of(entry), of(lease))
        end
      end
      local function body()
      """;

  static final String AFTER =
      """
      end
      local out = body()
      local now = i .. ' ' .. fmt(n)
      if redis.pcall('GET', position) ~= now then redis.call('SET', position, now) end
      return out
      """;

  /**
   * What was void of a timeline, after which number: pieces of time in their order, in
   * milliseconds. A piece that is voided again takes the place of what it covers. Of more than 32
   * those two become one, with all between, that add least to what is void: some windows are
   * fetched once more than needed, none less.
   */
  static final String RANGES =
      """
      local function ranges(field)
        local out = {}
        local text = redis.call('HGET', KEYS[1], field) or ''
        for q, a, b in string.gmatch(text, '(%d+):(-?%d+):(-?%d+)') do
          out[#out + 1] = {tonumber(q), tonumber(a), tonumber(b)}
        end
        return out
      end
      local function mark(name)
        local from, to, line = string.match(name, '^r:(-?%d+):(-?%d+):(.*)$')
        from, to = tonumber(from), tonumber(to)
        local out = {}
        for _, g in ipairs(ranges('r:' .. line)) do
          if g[1] > f then
            if g[2] < from then out[#out + 1] = {g[1], g[2], math.min(g[3], from)} end
            if g[3] > to then out[#out + 1] = {g[1], math.max(g[2], to), g[3]} end
          end
        end
        out[#out + 1] = {n, from, to}
        table.sort(out, function(x, y) return x[2] < y[2] end)
        while #out > 32 do
          local best, least = 1, math.huge
          for k = 1, #out - 1 do
            local x, y = out[k], out[k + 1]
            local older = x[1] < y[1] and x or y
            local more = y[2] - x[3] + older[3] - older[2]
            if more < least then best, least = k, more end
          end
          local y = table.remove(out, best + 1)
          out[best] = {math.max(out[best][1], y[1]), out[best][2], y[3]}
        end
        for k, g in ipairs(out) do out[k] = fmt(g[1]) .. ':' .. fmt(g[2]) .. ':' .. fmt(g[3]) end
        redis.call('HSET', KEYS[1], 'r:' .. line, fmt(n) .. ';' .. table.concat(out, ' '))
      end
      """;

  private ScriptText() {}
}
