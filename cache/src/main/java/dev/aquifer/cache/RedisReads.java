package dev.aquifer.cache;

import dev.aquifer.CausalSession;
import io.lettuce.core.ScriptOutputType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads of entries. The first look is one MGET of the entries and of their partition's position
 * (incarnation and sequence), which costs hardly more than a GET. Only what it leaves open is asked
 * of a script: leases for what is missing, and everything anew where the partition has moved on
 * from what is applied here. A cache that mostly finds nothing in Redis asks the script at once.
 *
 * <p>Why this is linearizable: MGET is atomic, and scripts move the position along with the state.
 * Let s be the sequence that it showed. The answer is used only if this process has applied all
 * voids up to s, of the same incarnation, when it judges the entries; so no void of what an entry
 * depends on is missed that came before the MGET, and what was current at that moment may be
 * returned. A sequence below what was applied before the command was sent means that Redis lost
 * voids; the script finds that, too, and makes all void.
 */
// What futures end with is looked at by their own stages.
@SuppressWarnings("FutureReturnValueIgnored")
final class RedisReads {
  private static final int NEWS = 256;

  /** How many keys one script is given: Redis does nothing else meanwhile. */
  private static final int MOST = 512;

  private static final byte[] NONE = new byte[0];
  private static final int[] NOTHING = {};

  private final Node node;
  private final RedisCalls calls;
  private final EventFeed feed;
  private final Leases leases;
  private final ServerClock clock;
  private final long timeout;

  RedisReads(
      Node node,
      RedisCalls calls,
      EventFeed feed,
      Leases leases,
      ServerClock clock,
      NodeSettings settings) {
    this.node = node;
    this.calls = calls;
    this.feed = feed;
    this.leases = leases;
    this.clock = clock;
    this.timeout = settings.remoteTimeout().toNanos();
  }

  /** See {@link Remote#read}. */
  Remote.Reply read(TenantView view, CausalSession session, List<Remote.Ask> asks, boolean looked) {
    Partition first = view.partition.first;
    if (first != null && !view.partition.counts(session)) {
      // Without it nothing that Redis answers can be used.
      feed.background(() -> feed.sync(first));
    }
    return new Reading(view, session, asks, looked);
  }

  /** See {@link Remote#look}. */
  Remote.@Nullable Look look(TenantView view, CausalSession session, byte[][] keys) {
    return view.partition.counts(session) && !othersOpen(session) && plain(view.partition)
        ? new PlainLook(node, calls, view.partition, keys, System.nanoTime() + timeout)
        : null;
  }

  /** Whether something may be void that the partition of all tenants is to be asked for first. */
  private boolean othersOpen(CausalSession session) {
    Partition shared = node.shared;
    return !feed.proven()
        || shared.incarnation() == 0
        || shared.behind()
        || !shared.shows(shared.applied(), session);
  }

  /**
   * Whether a plain look can tell what is current, and how long it still lives, which before Redis'
   * clock is known only the script can tell.
   */
  private boolean plain(Partition partition) {
    return partition.incarnation() != 0 && !partition.behind() && clock.known();
  }

  /** One read: it waits for its look, then for its scripts. */
  private final class Reading implements Remote.Reply {
    private final TenantView view;
    private final Partition partition;
    private final List<Remote.Ask> asks;
    private final Remote.@Nullable Answer[] answers;
    private final long deadline = System.nanoTime() + timeout;
    private final List<Part> parts = new ArrayList<>(1);
    private @Nullable PlainLook look;
    private @Nullable CompletableFuture<List<Object>> sharedNews;
    private CompletableFuture<?> waitsFor;

    Reading(TenantView view, CausalSession session, List<Remote.Ask> asks, boolean looked) {
      this.view = view;
      this.partition = view.partition;
      this.asks = asks;
      this.answers = new Remote.@Nullable Answer[asks.size()];
      boolean otherNews = othersOpen(session);
      if (looked || otherNews || !plain(partition) || !worthALook()) {
        sharedNews = otherNews ? feed.news(node.shared) : null;
        int[] all = new int[asks.size()];
        Arrays.setAll(all, i -> i);
        waitsFor = ask(all);
      } else {
        byte[][] keys = new byte[asks.size()][];
        for (int i = 0; i < keys.length; i++) {
          keys[i] = StoredKeys.entry(view, asks.get(i).text());
        }
        look = new PlainLook(node, calls, partition, keys, deadline);
        waitsFor = look.reply;
      }
    }

    private boolean worthALook() {
      boolean leased = false;
      for (Remote.Ask ask : asks) {
        if (ask.refused() != null) {
          return false;
        }
        leased |= ask.lease();
      }
      return !leased || view.cache.remoteShare.likely();
    }

    @Override
    public Remote.@Nullable Answer[] await() throws InterruptedException {
      try {
        while (!next(calls.arrives(waitsFor, deadline))) {
          // Once more, with the scripts.
        }
      } catch (InterruptedException e) {
        parts.forEach(Part::abandon);
        throw e;
      }
      return answers;
    }

    @Override
    public void then(Consumer<Remote.@Nullable Answer[]> next) {
      calls.then(
          waitsFor,
          deadline,
          inTime -> {
            if (next(inTime)) {
              next.accept(answers);
            } else {
              then(next);
            }
          });
    }

    /** Takes what arrived; false where more is asked for now. */
    private boolean next(boolean inTime) {
      PlainLook looked = look;
      if (looked == null) {
        boolean others = sharedNews == null || shared(sharedNews);
        parts.forEach(part -> part.take(inTime, others));
        return true;
      }
      look = null;
      int[] open = inTime ? take(looked) : NOTHING;
      if (open.length > 0) {
        waitsFor = ask(open);
      }
      return open.length == 0;
    }

    /** Whether it is known now what is void for all tenants. */
    private boolean shared(CompletableFuture<List<Object>> news) {
      return arrived(news)
          && feed.apply(node.shared, news.join(), node.shared.incarnation()) != null;
    }

    private static boolean arrived(CompletableFuture<?> reply) {
      return reply.isDone() && !reply.isCompletedExceptionally();
    }

    private CompletableFuture<?> ask(int[] open) {
      for (int from = 0; from < open.length; from += MOST) {
        parts.add(new Part(Arrays.copyOfRange(open, from, Math.min(open.length, from + MOST))));
      }
      if (parts.size() == 1 && sharedNews == null) {
        return parts.get(0).reply;
      }
      List<CompletableFuture<?>> all = new ArrayList<>();
      parts.forEach(part -> all.add(part.reply));
      if (sharedNews != null) {
        all.add(sharedNews);
      }
      return CompletableFuture.allOf(all.toArray(new CompletableFuture<?>[0]));
    }

    /** Which are to be asked of a script. */
    private int[] take(PlainLook look) {
      boolean current = look.current();
      int[] open = NOTHING;
      int count = 0;
      for (int i = 0; i < answers.length; i++) {
        byte[] entry = current ? look.entry(i) : null;
        boolean lease = asks.get(i).lease();
        if (current && lease) {
          view.cache.remoteShare.found(entry != null);
        }
        if (!current || (entry == null && lease)) {
          if (open.length == 0) {
            open = new int[answers.length];
          }
          open[count++] = i;
        } else {
          answers[i] = new Remote.Answer(look.incarnation(), look.sequence(), entry, -1, null);
        }
      }
      return count == open.length ? open : Arrays.copyOf(open, count);
    }

    /** One script. */
    private final class Part {
      final int[] open;
      final String token = node.token();
      final long incarnation = partition.incarnation();
      final CompletableFuture<List<Object>> reply;

      Part(int[] open) {
        this.open = open;
        List<byte[]> keys = new ArrayList<>(2 * open.length);
        List<byte[]> args = new ArrayList<>(1 + 2 * open.length);
        byte[] named = StoredKeys.bytes(token);
        args.add(leases.millis());
        for (int i : open) {
          Remote.Ask ask = asks.get(i);
          Remote.Stored stored = StoredKeys.of(view, ask.text());
          keys.add(stored.entry());
          keys.add(stored.lease());
          args.add(ask.lease() ? named : NONE);
          args.add(refusal(ask.refused()));
        }
        RedisCalls.Call call = RedisCalls.Call.of(partition, keys, args, NEWS);
        this.reply = calls.submit(Script.READ, ScriptOutputType.MULTI, call);
      }

      /**
       * @param others whether what is void for all tenants is known, without which no entry is
       *     known to be current
       */
      void take(boolean inTime, boolean others) {
        boolean here = inTime || arrived(reply);
        CatchUp news = here ? feed.apply(partition, reply.join(), incarnation) : null;
        if (news == null) {
          abandon();
          return;
        }
        List<Object> all = reply.join();
        for (int i = 0; i < open.length; i++) {
          answers[open[i]] = answer(asks.get(open[i]), news, all, 4 + 3 * i, others);
        }
      }

      private Remote.@Nullable Answer answer(
          Remote.Ask ask, CatchUp news, List<Object> all, int at, boolean others) {
        String kind = Names.text(all.get(at));
        boolean hit = kind.equals("H");
        if (ask.lease() && ask.refused() == null) {
          view.cache.remoteShare.found(hit);
        }
        if (hit && !others) {
          return null;
        }
        Remote.Lease lease = null;
        if (kind.equals("L")) {
          lease =
              new Remote.Lease(
                  token,
                  news.incarnation(),
                  news.sequence(),
                  node.shared.incarnation(),
                  node.shared.applied());
          leases.granted(view, ask.text(), token);
        }
        return new Remote.Answer(
            news.incarnation(),
            news.sequence(),
            hit ? (byte[]) all.get(at + 1) : null,
            hit ? (Long) all.get(at + 2) : 0,
            lease);
      }

      /** A lease that is granted too late is given back, or others would wait for nobody. */
      void abandon() {
        reply.thenAccept(
            late -> {
              for (int i = 0; i < open.length && late != null; i++) {
                if (Names.text(late.get(4 + 3 * i)).equals("L")) {
                  leases.end(view, asks.get(open[i]).text(), token);
                }
              }
            });
      }
    }
  }

  private static byte[] refusal(byte @Nullable [] refused) {
    if (refused == null) {
      return NONE;
    }
    byte[] marked = new byte[refused.length + 1];
    marked[0] = '1';
    System.arraycopy(refused, 0, marked, 1, refused.length);
    return marked;
  }
}
