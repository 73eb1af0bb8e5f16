package dev.aquifer.cache;

import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.async.RedisAsyncCommands;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * What runs inside Redis, atomically. Every script sees one partition: {@code KEYS[1]} is its state
 * (a hash of incarnation {@code i}, sequence {@code n}, floor {@code f} and all markers, in one key
 * so that an eviction takes all or nothing: race R9), {@code KEYS[2]} its stream of voids, the last
 * of {@code KEYS} its position, a copy of incarnation and sequence that each script brings up to
 * date. {@code ARGV[1]} is an incarnation for a state that is missing, {@code ARGV[2..4]} say which
 * incarnation and sequence the caller has applied and how many events it takes. Every answer begins
 * with incarnation, sequence, floor and the news: so each makes the caller up to date.
 *
 * <p>A new incarnation starts from the server's clock, in milliseconds, only so that demands of the
 * one before are soon met; nothing that it stored stands, whatever the sequences are.
 */
enum Script {
  /** The news alone. */
  SYNC("return {i, fmt(n), fmt(f), news()}"),

  /**
   * KEYS entries and leases in pairs; ARGV lease millis, then for each pair: token or '', and '1'
   * with how an entry begins that is refused, or ''. The answer goes on, for each pair, with hit,
   * lease, wait or miss, the entry, and how long it still lives.
   */
  READ(
      """
      local out = {i, fmt(n), fmt(f), news()}
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
        end
        out[#out + 1] = kind
        out[#out + 1] = e or ''
        out[#out + 1] = left
      end
      return out
      """),

  /**
   * KEYS entries and leases in pairs; ARGV check the leases, then for each pair: token, asOf,
   * millis, entry, how many tags, their names. The answer says for each whether it was stored.
   */
  FILL(
      """
      local out, marks, at = {}, {}, 6
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
   * KEYS entries and leases in pairs; ARGV channel, what, most markers, token for the leases or '',
   * lease millis, then the names that leave a marker.
   */
  VOID(
      """
      n = math.max(n, i == ARGV[2] and tonumber(ARGV[3]) or 0) + 1
      redis.call('HSET', KEYS[1], 'n', fmt(n))
      for k = 10, #ARGV do
        if ARGV[k] == '*' then
          redis.call('DEL', KEYS[1])
          f = n
          redis.call('HSET', KEYS[1], 'i', i, 'n', fmt(n), 'f', fmt(f))
        else
          redis.call('HSET', KEYS[1], ARGV[k], fmt(n))
        end
      end
      for k = 3, #KEYS do redis.call('DEL', KEYS[k]) end
      if ARGV[8] ~= '' then
        for k = 4, #KEYS, 2 do redis.call('SET', KEYS[k], ARGV[8], 'PX', ARGV[9]) end
      end
      local id = fmt(n) .. '-0'
      local added = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', 10000, id, 'w', ARGV[6])
      if type(added) == 'table' and added.err then
        redis.call('DEL', KEYS[2])
        redis.call('XADD', KEYS[2], id, 'w', ARGV[6])
      end
      redis.call('PUBLISH', ARGV[5], i .. ' ' .. fmt(n) .. ' ' .. ARGV[6])
      if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[7]) + 3 then
        local all = redis.call('HGETALL', KEYS[1])
        local seqs = {}
        for k = 1, #all, 2 do
          if #all[k] > 1 then seqs[#seqs + 1] = tonumber(all[k + 1]) end
        end
        table.sort(seqs)
        f = math.max(f, seqs[math.floor(#seqs / 2)])
        for k = 1, #all, 2 do
          if #all[k] > 1 and tonumber(all[k + 1]) <= f then redis.call('HDEL', KEYS[1], all[k]) end
        end
        redis.call('HSET', KEYS[1], 'f', fmt(f))
      end
      return {i, fmt(n), fmt(f), news()}
      """);

  private static final String PRELUDE =
      """
      local function fmt(x) return string.format('%.0f', x) end
      local position = table.remove(KEYS)
      local s = redis.call('HMGET', KEYS[1], 'i', 'n', 'f')
      local i, n, f = s[1], tonumber(s[2] or '0'), tonumber(s[3] or '0')
      if not i then
        local t = redis.call('TIME')
        i = ARGV[1]
        n = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
        f = n
        redis.call('DEL', KEYS[1], KEYS[2])
        redis.call('HSET', KEYS[1], 'i', i, 'n', fmt(n), 'f', fmt(f))
      end
      local function news()
        if i == ARGV[2] then
          local behind = n - tonumber(ARGV[3])
          if behind <= 0 then return {} end
          if behind <= tonumber(ARGV[4]) then
            local e = redis.call('XRANGE', KEYS[2], fmt(n - behind + 1), '+')
            if #e == behind then
              local out = {'E'}
              for k = 1, #e do
                out[#out + 1] = e[k][1]
                out[#out + 1] = e[k][2][2]
              end
              return out
            end
          end
        end
        local all = redis.call('HGETALL', KEYS[1])
        table.insert(all, 1, 'S')
        return all
      end
      local function body()
      """;

  private static final String END =
      """
      end
      local out = body()
      local now = i .. ' ' .. fmt(n)
      if redis.pcall('GET', position) ~= now then redis.call('SET', position, now) end
      return out
      """;

  private final String text;
  private final String digest;

  Script(String body) {
    this.text = preluded(body);
    this.digest = io.lettuce.core.codec.Base16.digest(StoredKeys.bytes(text));
  }

  private static String preluded(String body) {
    return PRELUDE + body + END;
  }

  /** What Redis is to know before the first call. */
  byte[] text() {
    return StoredKeys.bytes(text);
  }

  /** Sends the script by its digest, and by its text where Redis does not know it yet. */
  <T> CompletionStage<T> call(
      RedisAsyncCommands<byte[], byte[]> redis,
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
