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
 * so that an eviction takes all or nothing: race R9), {@code KEYS[2]} its stream of voids. {@code
 * ARGV[1]} is an incarnation for a state that is missing, {@code ARGV[2..4]} say which incarnation
 * and sequence the caller has applied and how many events it takes. Every answer begins with
 * incarnation, sequence, floor and the news: so each makes the caller up to date.
 *
 * <p>A new incarnation starts from the server's clock, in microseconds, so that its sequences are
 * above those of the one before, which took longer than that for each void: who bears a demand of
 * it is not answered by a node that knows only the old one. Nothing that the old one stored stands,
 * whatever the sequences are.
 */
enum Script {
  /** The news alone. */
  SYNC("return {i, fmt(n), fmt(f), news()}"),

  /** KEYS entry, lease; ARGV token or '', lease millis, whether to refuse, refused prefix. */
  READ(
      """
      local e = redis.pcall('GET', KEYS[3])
      if type(e) == 'table' then e = '' end
      if e and ARGV[7] == '1' and string.sub(e, 1, #ARGV[8]) == ARGV[8] then e = false end
      if e then return {i, fmt(n), fmt(f), news(), 'H', e, redis.call('PTTL', KEYS[3])} end
      if ARGV[5] == '' then return {i, fmt(n), fmt(f), news(), 'M'} end
      if redis.call('SET', KEYS[4], ARGV[5], 'NX', 'PX', ARGV[6]) then
        return {i, fmt(n), fmt(f), news(), 'L'}
      end
      return {i, fmt(n), fmt(f), news(), 'W'}
      """),

  /** KEYS entry, lease; ARGV token, asOf, millis, entry, check the lease, then tags' names. */
  FILL(
      """
      local held = redis.pcall('GET', KEYS[4]) == ARGV[5]
      if held then redis.call('DEL', KEYS[4]) end
      local asOf = tonumber(ARGV[6])
      local stands = i == ARGV[2] and f <= asOf and (held or ARGV[9] == '0')
      for k = 10, #ARGV do
        local m = redis.call('HGET', KEYS[1], ARGV[k])
        if m and tonumber(m) > asOf then stands = false end
      end
      if not stands then return 0 end
      redis.call('SET', KEYS[3], ARGV[8], 'PX', ARGV[7])
      return 1
      """),

  /** KEYS lease; ARGV token. */
  RELEASE("if redis.pcall('GET', KEYS[3]) == ARGV[5] then redis.call('DEL', KEYS[3]) end return 1"),

  /**
   * KEYS entries and leases in pairs; ARGV channel, what, most markers, token for the one lease or
   * '', lease millis, then the names that leave a marker.
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
      if ARGV[8] ~= '' then redis.call('SET', KEYS[4], ARGV[8], 'PX', ARGV[9]) end
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
      local s = redis.call('HMGET', KEYS[1], 'i', 'n', 'f')
      local i, n, f = s[1], tonumber(s[2] or '0'), tonumber(s[3] or '0')
      if not i then
        local t = redis.call('TIME')
        i = ARGV[1]
        n = tonumber(t[1]) * 1000000 + tonumber(t[2])
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
      """;

  private final String text;
  private final String digest;

  Script(String body) {
    this.text = preluded(body);
    this.digest = io.lettuce.core.codec.Base16.digest(StoredKeys.bytes(text));
  }

  private static String preluded(String body) {
    return PRELUDE + body;
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
