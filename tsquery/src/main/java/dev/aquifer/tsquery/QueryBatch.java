package dev.aquifer.tsquery;

import dev.aquifer.AquiferException;
import dev.aquifer.RefusedQueryException;
import dev.aquifer.Tenant;
import dev.aquifer.UnavailableException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Several queries of one tenant on their way to answers. Those that are cached are answered first;
 * what the others fetch goes out in as few requests as the backend takes. A query that fails takes
 * none with it: what a request as a whole did not answer is asked for one by one.
 *
 * <p>Answers are handed on while nothing is claimed and no request runs, so that whoever takes them
 * may ask again. Used by one thread, once.
 */
final class QueryBatch {
  /** Takes what became of a query. Throws nothing. */
  @FunctionalInterface
  interface Ended {
    void ended(QueryRun run, @Nullable TimeSeriesResult result, @Nullable RuntimeException error);
  }

  private final QuerySetting setting;
  private final WindowCache cache;
  private final Tenant tenant;
  private final Ended listener;
  private final List<Member> left = new ArrayList<>();

  QueryBatch(QuerySetting setting, WindowCache cache, Tenant tenant, Ended listener) {
    this.setting = setting;
    this.cache = cache;
    this.tenant = tenant;
    this.listener = listener;
  }

  void answer(List<QueryRun> runs) {
    try {
      for (QueryRun run : runs) {
        Member member = new Member(run, cache.pin(tenant, run.query().measurement()), null);
        left.add(member);
        QueryRun parts = run.parts();
        if (parts != null) {
          left.add(new Member(parts, cache.pin(tenant, run.query().measurement()), member));
        }
      }
      while (!left.isEmpty()) {
        round();
      }
    } finally {
      // Some are left only where an Error ended it.
      for (Member member : left) {
        member.run.fail(new IllegalStateException("The batch was broken off"));
        cache.unpin(member.ledger);
      }
    }
  }

  private void round() {
    receive();
    List<Member> fetching = new ArrayList<>();
    for (Member member : List.copyOf(left)) {
      if (member.run.wouldFetch(cache, member.ledger)) {
        fetching.add(member);
      } else {
        member.attempt(member::departAlone);
        handOn(List.of(member));
      }
    }
    int most = setting.backend().queriesInRequest();
    for (int from = 0; from < fetching.size(); from += most) {
      List<Member> group = fetching.subList(from, Math.min(fetching.size(), from + most));
      fetch(group);
      // While somebody is told of answers nothing is claimed.
      group.forEach(member -> member.attempt(member.run::awaitNodes));
      handOn(group);
    }
    for (Member member : List.copyOf(left)) {
      member.attempt(member.run::awaitOthers);
      handOn(List.of(member));
    }
  }

  /** Takes what other nodes have for all of them, at once. */
  private void receive() {
    SecondTier second = cache.second();
    if (second == null) {
      return;
    }
    List<Member> asking = new ArrayList<>();
    List<SegmentReads.Wanted> wanted = new ArrayList<>();
    for (Member member : left) {
      SegmentReads.Wanted mine = member.run.wanted(cache, member.ledger);
      if (mine != null) {
        asking.add(member);
        wanted.add(mine);
      }
    }
    List<Received> received = second.reads.read(wanted);
    for (int i = 0; i < asking.size(); i++) {
      asking.get(i).run.receive(received.get(i));
    }
  }

  private void fetch(List<Member> group) {
    List<Member> together = new ArrayList<>();
    List<FetchRequest> requests = new ArrayList<>();
    for (Member member : group) {
      member.attempt(
          () -> {
            if (member.run.depart(cache, member.ledger)) {
              FetchRequest request = member.run.request();
              if (request == null) {
                member.run.fetchAndKeep();
              } else {
                together.add(member);
                requests.add(request);
              }
            }
          });
    }
    if (together.size() == 1) {
      together.get(0).attempt(together.get(0).run::fetchAndKeep);
    } else if (!together.isEmpty()) {
      fetchTogether(together, requests);
    }
  }

  private void fetchTogether(List<Member> together, List<FetchRequest> requests) {
    QueryRun first = together.get(0).run;
    RequestQueue.Turn turn;
    try {
      turn = setting.queue().take(tenant, first.query().measurement(), first.remaining());
    } catch (RuntimeException e) {
      together.forEach(member -> member.fail(e));
      return;
    }
    GroupSink sink = new GroupSink(together);
    long readAt = first.now();
    RuntimeException broken = null;
    try {
      reading(
          together,
          () ->
              setting.timed(
                  tenant,
                  first.query(),
                  sink::bytes,
                  () -> setting.backend().fetchAll(inTime(together, requests), sink)));
    } catch (RuntimeException e) {
      broken = e;
    } finally {
      turn.close();
    }
    sink.share();
    List<Member> alone = new ArrayList<>();
    for (int i = 0; i < together.size(); i++) {
      Member member = together.get(i);
      // The one request counts for the first of them.
      member.run.countFetched(i == 0 ? 1 : 0);
      RuntimeException error = sink.errors[i];
      if (error != null) {
        member.fail(error);
      } else if (sink.answered[i]) {
        member.attempt(() -> member.run.arrive(readAt));
      } else {
        alone.add(member);
      }
    }
    fetchAlone(alone, broken);
  }

  /** They waited for their turn, which took of their time. */
  private static List<FetchRequest> inTime(List<Member> members, List<FetchRequest> requests) {
    List<FetchRequest> made = new ArrayList<>();
    for (int i = 0; i < requests.size(); i++) {
      made.add(requests.get(i).within(members.get(i).run.remaining()));
    }
    return made;
  }

  /** Reads for all of their measurements. */
  private static void reading(List<Member> members, Runnable body) {
    Runnable all = body;
    for (Ledger ledger : members.stream().map(member -> member.ledger).distinct().toList()) {
      Runnable inner = all;
      all = () -> ledger.reading(inner);
    }
    all.run();
  }

  /**
   * One by one; but a server that is gone is asked once more, not as often as there are queries.
   */
  private static void fetchAlone(List<Member> alone, @Nullable RuntimeException broken) {
    RuntimeException gone =
        broken instanceof UnavailableException && Thread.currentThread().isInterrupted()
            ? broken
            : null;
    for (Member member : alone) {
      if (gone != null) {
        member.fail(gone);
        continue;
      }
      member.run.forget();
      member.attempt(member.run::fetchAndKeep);
      if (broken instanceof UnavailableException && member.error instanceof UnavailableException) {
        gone = member.error;
      }
    }
  }

  private void handOn(List<Member> members) {
    for (Member member : List.copyOf(members)) {
      if (member.error == null && member.run.pending()) {
        continue;
      }
      left.remove(member);
      cache.unpin(member.ledger);
      if (member.whole != null) {
        handOver(member, member.whole);
        continue;
      }
      TimeSeriesResult result = null;
      if (member.error == null) {
        try {
          result = member.run.result();
        } catch (RuntimeException e) {
          member.error = e;
        }
      }
      listener.ended(member.run, result, member.error);
    }
  }

  /** The parts of an open window are there, or will not come. */
  private static void handOver(Member parts, Member whole) {
    if (parts.error == null) {
      whole.attempt(whole.run::putTogether);
    } else if (parts.error instanceof RefusedQueryException) {
      // There are too many parts; there may be few enough windows.
      whole.run.readWhole();
    } else {
      whole.fail(parts.error);
    }
  }

  /** A query that has no answer yet. */
  private final class Member {
    private final QueryRun run;
    private final Ledger ledger;
    // Of whose open window its windows are parts.
    private final @Nullable Member whole;
    private @Nullable RuntimeException error;

    Member(QueryRun run, Ledger ledger, @Nullable Member whole) {
      this.run = run;
      this.ledger = ledger;
      this.whole = whole;
    }

    void attempt(Runnable step) {
      if (error != null) {
        return;
      }
      try {
        step.run();
      } catch (RuntimeException e) {
        fail(e);
      }
    }

    void fail(RuntimeException e) {
      error = e;
      run.fail(e);
    }

    void departAlone() {
      if (run.depart(cache, ledger)) {
        run.fetchAndKeep();
      }
      run.awaitNodes();
    }
  }

  /** Keeps what one answer is refused for from ending the others'. */
  private static final class GroupSink implements BatchSink {
    private final List<Member> members;
    private final List<GuardedSink> sinks = new ArrayList<>();
    private final boolean[] answered;
    private final @Nullable RuntimeException[] errors;
    private long shared;

    GroupSink(List<Member> members) {
      this.members = members;
      answered = new boolean[members.size()];
      errors = new @Nullable RuntimeException[members.size()];
      for (int i = 0; i < members.size(); i++) {
        int index = i;
        sinks.add(new GuardedSink(members.get(i).run.sink(), e -> errors[index] = e));
      }
    }

    @Override
    public RowSink rows(int request) {
      return sinks.get(request);
    }

    @Override
    public void received(long count) {
      shared += count;
    }

    /** Of all of them together. */
    long bytes() {
      return shared + sinks.stream().mapToLong(GuardedSink::bytes).sum();
    }

    /** Gives each its part of what came for all, by its rows; without rows the first has it all. */
    void share() {
      long rows = Math.max(1, sinks.stream().mapToLong(GuardedSink::rows).sum());
      long left = shared;
      for (int i = sinks.size() - 1; i >= 0; i--) {
        long part = i == 0 ? left : (long) ((double) shared * sinks.get(i).rows() / rows);
        members.get(i).run.sink().received(part);
        left -= part;
      }
    }

    @Override
    public void answered(int request) {
      answered[request] = true;
    }

    @Override
    public void failed(int request, AquiferException error) {
      if (errors[request] == null) {
        errors[request] = error;
      }
    }
  }
}
