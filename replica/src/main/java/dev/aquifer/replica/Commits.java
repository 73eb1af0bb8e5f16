package dev.aquifer.replica;

import dev.aquifer.CausalSessions;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.CommitListener;
import dev.aquifer.spi.Observer;
import dev.aquifer.spi.WriteSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells listeners and sessions of commits. What a listener throws is logged and counted; the commit
 * stands whatever it does. Thread-safe.
 */
final class Commits {
  private static final Logger log = LoggerFactory.getLogger(ReplicaSet.class);

  private final AtomicLong ids = new AtomicLong();
  private final List<CommitListener> listeners;
  private final CausalSessions sessions;
  private final Observer observer;
  private final LongSupplier nanos;

  Commits(ReplicaSetSettings settings, LongSupplier nanos) {
    this.listeners = settings.listeners();
    this.sessions = settings.sessions();
    this.observer = settings.observer();
    this.nanos = nanos;
  }

  long nextId() {
    return ids.incrementAndGet();
  }

  void committing(WriteSet writes) {
    tell(listener -> listener.committing(writes));
  }

  /** After the commit: the session must see it, and listeners hear of it. */
  void committed(WriteSet writes) {
    ReadFloor floor = ReadFloor.after(nanos.getAsLong());
    sessions.current().raise(floor);
    tell(listener -> listener.committed(writes, floor));
  }

  /** Nobody knows, and it may still happen: the session must see it if it does. */
  void outcomeUnknown(WriteSet writes) {
    ReadFloor floor = ReadFloor.after(nanos.getAsLong());
    sessions.current().raise(floor);
    tell(listener -> listener.outcomeUnknown(writes, floor));
  }

  void rolledBack(WriteSet writes) {
    tell(listener -> listener.rolledBack(writes));
  }

  private void tell(Consumer<CommitListener> call) {
    for (CommitListener listener : listeners) {
      try {
        call.accept(listener);
      } catch (RuntimeException | Error e) {
        if (e instanceof VirtualMachineError fatal) {
          throw fatal;
        }
        String name = listener.getClass().getName();
        log.error("Listener {} of commits failed; the commit is not affected", name, e);
        observer.listenerFailed(name, e);
      }
    }
  }
}
