package dev.aquifer.cache;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisScriptingAsyncCommands;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * What runs inside Redis, atomically. Every script sees one partition: {@code KEYS[1]} is its state
 * (a hash of incarnation {@code i}, sequence {@code n}, floor {@code f}, poisons {@code p} and all
 * markers, in one key so that an eviction takes all or nothing: race R9), {@code KEYS[2]} its
 * stream of voids and poisons, numbered alike, the last of {@code KEYS} its position, a copy of
 * incarnation and sequence that each script brings up to date. {@code ARGV[1]} is an incarnation
 * for a state that is missing, and after {@code =} its owner (field {@code o}; see {@link
 * Partitions}), {@code ARGV[2..4]} say which incarnation and sequence the caller has applied and
 * how many events it takes. Every answer begins with incarnation, sequence, floor and the news: so
 * each makes the caller up to date. Where the state names another owner, the news are that alone,
 * and nothing else is done; after {@code !} instead of {@code =} the state is made anew.
 *
 * <p>A poison whose time is up, by the server's clock, ends in whichever script comes next, with a
 * void of its names: its writer died, or takes longer than it said (race R7).
 *
 * <p>The schema is a part of an entry's name, and a key that is voided leaves no marker. So the
 * state also names, a cache, the schemas that leases were granted for (fields {@code x:<cache>},
 * each schema with the day of its last lease, longer than any entry lives): whoever voids a key
 * voids it in all of them, or a node of another version would go on serving what it had stored.
 *
 * <p>A new incarnation starts from the server's clock, in microseconds, so that its sequences are
 * above those of the one before, which took longer than that for each void: who bears a demand of
 * it is not answered by a node that knows only the old one. So nothing numbers ahead of the clock
 * where that can be helped. Nothing that the old one stored stands, whatever the sequences are.
 *
 * <p>Voids of ranges of time are in fields {@code r:<timeline>}, which no news tell: whoever reads
 * what they judge is told them with it.
 *
 * <p>A server that goes on where another left off (field {@code r}: who numbered last) may lack
 * what that one numbered last. So it leaves a gap, up to its own clock, before its first number
 * (field {@code g}: the numbers before and after each gap, the oldest first; of more than 32 the
 * oldest are one, from 0 on). A caller who has applied a number that is in a gap, or beyond the
 * sequence, or of another incarnation but not before this one began (field {@code b}), knows of
 * voids that are lost here: then the state is made anew, so that all is void (race R6), and only
 * poisons are kept.
 */
enum Script {
  /** The news alone. */
  SYNC("return told()"),

  /**
   * KEYS entries and leases in pairs; ARGV lease millis, then for each pair: token or '', and '1'
   * with how an entry begins that is refused, or ''. The answer goes on, for each pair, with hit,
   * lease, wait or miss, the entry, and how long it still lives.
   */
  READ(
      """
      if foreign then return told() end
      local out = told()
      local granted = false
      for k = 3, #KEYS, 2 do
        local token, refused = ARGV[k + 3], ARGV[k + 4]
        local e = redis.pcall('GET', KEYS[k])
        if type(e) == 'table' then e = '' end
        if e and refused ~= '' and '1' .. string.sub(e, 1, #refused - 1) == refused then
          e = false
        end
        local kind, left = 'M', 0
        if e then
          kind, left = 'H', redis.call('PTTL', KEYS[k])
        elseif token ~= '' then
          kind = redis.call('SET', KEYS[k + 1], token, 'NX', 'PX', ARGV[5]) and 'L' or 'W'
          granted = granted or kind == 'L'
        end
        out[#out + 1] = kind
        out[#out + 1] = e or ''
        out[#out + 1] = left
      end
      -- All are of one cache.
      if granted then leased(KEYS[3]) end
      return out
      """),

  /**
   * KEYS entries and leases in pairs; ARGV check the leases, then for each pair: token, asOf,
   * millis, entry, how many tags, their names. The answer says for each whether it was stored.
   */
  FILL(
      """
      local out, marks, at = {}, {}, 6
      for _, q in ipairs(poisons) do
        for _, name in ipairs(q.m) do marks[name] = math.huge end
      end
      for k = 3, #KEYS, 2 do
        local held = redis.pcall('GET', KEYS[k + 1]) == ARGV[at]
        if held then redis.call('DEL', KEYS[k + 1]) end
        local asOf = tonumber(ARGV[at + 1])
        local stands = i == ARGV[2] and f <= asOf and (held or ARGV[5] == '0')
        local last = at + 4 + tonumber(ARGV[at + 4])
        for t = at + 5, last do
          local tag = ARGV[t]
          if not marks[tag] then
            marks[tag] = tonumber(redis.call('HGET', KEYS[1], tag) or '0')
          end
          if marks[tag] > asOf then stands = false end
        end
        if stands then redis.call('SET', KEYS[k], ARGV[at + 3], 'PX', ARGV[at + 2]) end
        out[#out + 1] = stands and 1 or 0
        at = last + 1
      end
      return out
      """),

  /** KEYS leases; ARGV for how many millis they go on, 0: they end; then their tokens. */
  HOLD(
      """
      for k = 3, #KEYS do
        if redis.pcall('GET', KEYS[k]) == ARGV[k + 3] then
          if ARGV[5] == '0' then
            redis.call('DEL', KEYS[k])
          else
            redis.call('PEXPIRE', KEYS[k], ARGV[5])
          end
        end
      end
      return 1
      """),

  /**
   * KEYS leases on values of a timeline; ARGV a token and for how many millis, or '' to look alone.
   * The answer has for each 1 where the token has it now, or, where there is none, where somebody
   * has it; else 0.
   */
  LEASE(
      """
      if foreign then return {} end
      local out = {}
      for k = 3, #KEYS do
        local said
        if ARGV[5] == '' then
          said = redis.call('EXISTS', KEYS[k]) == 1
        else
          said = redis.call('SET', KEYS[k], ARGV[5], 'NX', 'PX', ARGV[6])
        end
        out[#out + 1] = said and 1 or 0
      end
      return out
      """),

  /**
   * KEYS entries and leases in pairs; ARGV channel, what, most markers, token for the leases or '',
   * lease millis, the poison that it lifts or '', then the names that leave a marker.
   */
  VOID(
      ScriptText.RANGES
          + """
          if foreign then return told() end
          local what = ARGV[6]
          local all = false
          local left = {}
          for _, q in ipairs(poisons) do
            if q.t ~= ARGV[10] then left[#left + 1] = q end
          end
          if #left == #poisons and what == '-' .. ARGV[10] .. ';' then
            return told()
          end
          number()
          redis.call('HSET', KEYS[1], 'n', fmt(n))
          for k = 11, #ARGV do
            if ARGV[k] == '*' then
              all = true
            elseif string.sub(ARGV[k], 1, 2) == 'r:' then
              mark(ARGV[k])
            else
              redis.call('HSET', KEYS[1], ARGV[k], fmt(n))
            end
          end
          for k = 3, #KEYS, 2 do gone(KEYS[k], KEYS[k + 1]) end
          if all then
            redis.call('DEL', KEYS[1])
            f = n
            made()
          end
          if all or #left < #poisons then keep(left) end
          if ARGV[8] ~= '' then
            for k = 4, #KEYS, 2 do redis.call('SET', KEYS[k], ARGV[8], 'PX', ARGV[9]) end
            leased(KEYS[3])
          end
          announce(ARGV[5], what)
          if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) + 8 then
            local all = redis.call('HGETALL', KEYS[1])
            local seqs = {}
            local function last(k)
              local marked = #all[k] > 1 and string.sub(all[k], 1, 2) ~= 'x:'
              return marked and tonumber(string.match(all[k + 1], '^%d+'))
            end
            for k = 1, #all, 2 do seqs[#seqs + 1] = last(k) or nil end
            table.sort(seqs)
            f = math.max(f, seqs[math.floor(#seqs / 2)])
            for k = 1, #all, 2 do
              local m = last(k)
              if m and m <= f then redis.call('HDEL', KEYS[1], all[k]) end
            end
            redis.call('HSET', KEYS[1], 'f', fmt(f))
          end
          return told()
          """),

  /**
   * Poisons names until a void lifts it or its time is up, which voids them. ARGV channel, token,
   * millis, the names as they are told, how many poisons there may be, then the names.
   */
  POISON(
      """
      if not foreign and #poisons < tonumber(ARGV[9]) then
        local names = {}
        for k = 10, #ARGV do names[#names + 1] = ARGV[k] end
        poisons[#poisons + 1] =
          {e = now() + tonumber(ARGV[7]), t = ARGV[6], c = ARGV[5], w = ARGV[8], m = names}
        keep(poisons)
        number()
        redis.call('HSET', KEYS[1], 'n', fmt(n))
        announce(ARGV[5], '+' .. ARGV[6] .. ';' .. ARGV[7] .. ';' .. ARGV[8])
      end
      return told()
      """),

  /**
   * KEYS values of a timeline; ARGV the field of what is void of it. The answer goes on with that,
   * the clock in milliseconds, and the values.
   */
  SEGMENTS(
      """
      if foreign then return told() end
      local out = told()
      out[#out + 1] = redis.call('HGET', KEYS[1], ARGV[5]) or ''
      out[#out + 1] = fmt(now())
      for k = 3, #KEYS do
        local e = redis.pcall('GET', KEYS[k])
        out[#out + 1] = type(e) == 'string' and e or ''
      end
      return out
      """),

  /**
   * KEYS a value of a timeline; ARGV the field of what is void of it, the sequence at which the
   * value was current, of when it is in milliseconds, the version that it takes the place of or '',
   * millis, the value, then the names of what else voids it. The answer goes on with K: it is kept,
   * V: it may be void, C: there is another version.
   */
  KEEP(
      ScriptText.RANGES
          + """
          if foreign then return told() end
          local out = told()
          local asOf, from, to = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
          local stands = i == ARGV[2] and f <= asOf
          for _, g in ipairs(ranges(ARGV[5])) do
            if g[1] > asOf and g[2] < to and from < g[3] then stands = false end
          end
          local tags = {}
          for k = 12, #ARGV do
            tags[ARGV[k]] = true
            if tonumber(redis.call('HGET', KEYS[1], ARGV[k]) or '0') > asOf then stands = false end
          end
          for _, q in ipairs(poisons) do
            for _, name in ipairs(q.m) do
              if tags[name] then stands = false end
            end
          end
          local e = redis.pcall('GET', KEYS[3])
          local version = type(e) == 'string' and string.sub(e, 16, 23) or ''
          if not stands then
            out[#out + 1] = 'V'
          elseif version ~= ARGV[9] then
            out[#out + 1] = 'C'
          else
            redis.call('SET', KEYS[3], string.format('%015.0f', now()) .. ARGV[11], 'PX', ARGV[10])
            out[#out + 1] = 'K'
          end
          return out
          """);

  private final String text;
  private final String digest;

  Script(String body) {
    this.text = preluded(body);
    this.digest = io.lettuce.core.codec.Base16.digest(StoredKeys.bytes(text));
  }

  private static String preluded(String body) {
    return ScriptText.BEFORE + body + ScriptText.AFTER;
  }

  /** What Redis is to know before the first call. */
  byte[] text() {
    return StoredKeys.bytes(text);
  }

  /** Sends the script by its digest, and by its text where Redis does not know it yet. */
  <T> CompletionStage<T> call(
      RedisScriptingAsyncCommands<byte[], byte[]> redis,
      ScriptOutputType output,
      List<byte[]> keys,
      List<byte[]> args) {
    byte[][] k = keys.toArray(new byte[0][]);
    byte[][] a = args.toArray(new byte[0][]);
    CompletionStage<T> sent = redis.evalsha(digest, output, k, a);
    return sent.handle(
            (value, error) -> {
              if (error == null) {
                return CompletableFuture.completedStage(value);
              }
              Throwable cause = error instanceof CompletionException ? error.getCause() : error;
              return cause instanceof RedisNoScriptException
                  ? redis.<T>eval(text, output, k, a)
                  : CompletableFuture.<T>failedStage(error);
            })
        .thenCompose(stage -> stage);
  }
}
