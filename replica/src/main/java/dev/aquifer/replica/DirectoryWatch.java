package dev.aquifer.replica;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the set as a {@link NodeDirectory} says, on a thread of its own. Removes only what the
 * directory had named before, and only after it was missing from two answers in a row: one answer
 * may be a part of the truth. Whatever a round throws is logged, and the next one is tried.
 */
final class DirectoryWatch implements Runnable {
  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);

  private static final int ABSENCES_TO_REMOVE = 2;
  private static final Duration DRAIN_LIMIT = Duration.ofMinutes(1);

  private final NodeDirectory directory;
  private final long every;
  private final ReplicaSetSettings settings;
  private final Topology topology;
  private final Members members;
  private final Thread thread;

  // By name: how many answers in a row it was missing from.
  private final Map<String, Integer> absences = new HashMap<>();
  private @Nullable String lastFailure;
  private volatile boolean stopped;

  DirectoryWatch(
      NodeDirectory directory, ReplicaSetSettings settings, Topology topology, Members members) {
    this.directory = directory;
    this.every = settings.directoryEvery().toNanos();
    this.settings = settings;
    this.topology = topology;
    this.members = members;
    this.thread = new Thread(this, "aquifer-directory");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Ends the thread, and waits for it within the limit. */
  void stop(Duration limit) {
    stopped = true;
    thread.interrupt();
    try {
      thread.join(Math.max(1, limit.toMillis()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void run() {
    while (!stopped) {
      try {
        round(directory.members());
        lastFailure = null;
      } catch (Throwable e) {
        failed(e);
      }
      long deadline = System.nanoTime() + every;
      while (!stopped && deadline - System.nanoTime() > 0) {
        LockSupport.parkNanos(deadline - System.nanoTime());
        // A directory may leave it interrupted, and a thread that is does not wait.
        boolean ignored = Thread.interrupted();
      }
    }
  }

  private void failed(Throwable e) {
    if (!stopped && !String.valueOf(e).equals(lastFailure)) {
      lastFailure = String.valueOf(e);
      log.warn("The directory of replicas cannot be asked; the set keeps those it has", e);
    }
  }

  private void round(Collection<NodeDirectory.Member> found) throws InterruptedException {
    if (found.isEmpty()) {
      throw new IllegalStateException("The directory names no replica");
    }
    absences.replaceAll((name, missed) -> missed + 1);
    for (NodeDirectory.Member member : found) {
      try {
        String name = settings.maker().make(member.url(), 1, false).pool().target();
        Node known = named(name);
        if (known == null) {
          absences.put(name, 0);
          members.add(member.url(), member.weight());
        } else if (absences.replace(name, 0) != null && known.weight != member.weight()) {
          members.weight(name, member.weight());
        }
      } catch (RuntimeException e) {
        failed(e);
      }
    }
    for (String name : absences.keySet().toArray(new String[0])) {
      Node node = named(name);
      if (node == null) {
        absences.remove(name);
      } else if (absences.getOrDefault(name, 0) >= ABSENCES_TO_REMOVE
          && node != topology.primary()) {
        absences.remove(name);
        boolean idle = members.remove(name, DRAIN_LIMIT);
        log.info(
            "{} is no longer in the directory{}", name, idle ? "" : "; it was busy to the end");
      }
    }
  }

  private @Nullable Node named(String name) {
    return topology.nodes.stream().filter(node -> node.name.equals(name)).findFirst().orElse(null);
  }
}
