package dev.aquifer.cache;

import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Reads and writes values of timelines. No method throws for Redis' sake. */
final class RedisTimelines {
  private static final int NEWS = 256;

  /** How many values one script is given: Redis does nothing else meanwhile. */
  private static final int MOST = 64;

  private final RedisCalls calls;
  private final EventFeed feed;
  private final long timeout;

  RedisTimelines(RedisCalls calls, EventFeed feed, NodeSettings settings) {
    this.calls = calls;
    this.feed = feed;
    this.timeout = settings.remoteTimeout().toNanos();
  }

  /**
   * What one script found.
   *
   * @param news of the partition, which is applied by now
   * @param ranges what was void of the timeline, see {@link ScriptText#RANGES}
   * @param now Redis' clock, in milliseconds
   * @param values for each key its bytes, none where there is nothing
   */
  record Answer(CatchUp news, String ranges, long now, List<byte[]> values) {}

  /** Asks for all at the same time. */
  Asked ask(Partition partition, String timeline, List<byte[]> keys) {
    return new Asked(partition, timeline, keys);
  }

  /** A question that was sent. Used by one thread, once. */
  final class Asked {
    private final Partition partition;
    private final long deadline = System.nanoTime() + timeout;
    private final long incarnation;
    private final List<CompletableFuture<List<Object>>> sent = new ArrayList<>();

    private Asked(Partition partition, String timeline, List<byte[]> keys) {
      this.partition = partition;
      this.incarnation = partition.incarnation();
      for (int from = 0; from < keys.size(); from += MOST) {
        List<byte[]> some = keys.subList(from, Math.min(keys.size(), from + MOST));
        sent.add(calls.send(Script.SEGMENTS, partition, some, List.of(field(timeline)), NEWS));
      }
    }

    /** Waits for the answers; null for those that did not come in time. */
    List<@Nullable Answer> await() throws InterruptedException {
      List<@Nullable Answer> answers = new ArrayList<>();
      for (CompletableFuture<List<Object>> each : sent) {
        List<Object> reply = calls.await(each, deadline);
        CatchUp news = feed.apply(partition, reply, incarnation);
        answers.add(news == null || reply == null ? null : answer(news, reply));
      }
      return answers;
    }
  }

  private static Answer answer(CatchUp news, List<Object> reply) {
    List<byte[]> values = new ArrayList<>();
    for (Object value : reply.subList(6, reply.size())) {
      values.add((byte[]) value);
    }
    return new Answer(
        news, Names.text(reply.get(4)), Long.parseLong(Names.text(reply.get(5))), values);
  }

  /** How many values one {@link Answer} has, but for the last. */
  static int together() {
    return MOST;
  }

  /**
   * What is to be stored.
   *
   * @param expected the version that it takes the place of; none: there is nothing
   * @param tags whose voids after the moment make it void
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Write(
      String timeline,
      byte[] key,
      byte[] value,
      Timeline.Span span,
      Timeline.Moment asOf,
      byte[] expected,
      long millis,
      List<String> tags) {}

  /** Stores a value, if nothing was void of it since its moment, and nobody was faster. */
  Timeline.Kept write(Partition partition, Write write) throws InterruptedException {
    List<byte[]> args = new ArrayList<>();
    args.add(field(write.timeline()));
    for (long number :
        new long[] {
          write.asOf().sequence(), write.span().startMillis(), write.span().stopMillis()
        }) {
      args.add(StoredKeys.bytes(Long.toString(number)));
    }
    args.add(write.expected());
    args.add(StoredKeys.bytes(Long.toString(write.millis())));
    args.add(write.value());
    write.tags().forEach(tag -> args.add(StoredKeys.bytes(tag)));
    RedisCalls.Call call = RedisCalls.Call.of(partition, List.of(write.key()), args, NEWS);
    if (call.incarnation() != write.asOf().incarnation()) {
      return Timeline.Kept.VOID;
    }
    CompletableFuture<List<Object>> sent = calls.submit(Script.KEEP, ScriptOutputType.MULTI, call);
    List<Object> reply = calls.await(sent, System.nanoTime() + timeout);
    CatchUp news = feed.apply(partition, reply, call.incarnation());
    if (news == null || reply == null) {
      return Timeline.Kept.UNKNOWN;
    }
    return switch (Names.text(reply.get(4))) {
      case "K" -> Timeline.Kept.KEPT;
      case "C" -> Timeline.Kept.CONFLICT;
      default -> Timeline.Kept.VOID;
    };
  }

  /**
   * Takes leases, or looks at them.
   *
   * @param token none: to look
   * @return for each whether it is the token's now, or somebody's; null where Redis did not answer
   */
  @Nullable List<Object> lease(Partition partition, List<byte[]> leases, byte[] token, long millis)
      throws InterruptedException {
    List<byte[]> args = List.of(token, StoredKeys.bytes(Long.toString(millis)));
    return calls.await(
        calls.send(Script.LEASE, partition, leases, args, 0), System.nanoTime() + timeout);
  }

  /** Gives leases back. Does not wait: one that is not told of ends by itself. */
  @SuppressWarnings("FutureReturnValueIgnored")
  void release(Partition partition, List<byte[]> leases, byte[] token) {
    List<byte[]> args = new ArrayList<>();
    args.add(StoredKeys.bytes("0"));
    leases.forEach(lease -> args.add(token));
    calls.submit(
        Script.HOLD, ScriptOutputType.INTEGER, RedisCalls.Call.of(partition, leases, args, 0));
  }

  private static byte[] field(String timeline) {
    return StoredKeys.bytes("r:" + timeline);
  }
}
