package dev.aquifer.cache;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One MGET of entries and of their partition's position. What was applied is sampled before it is
 * sent. Why its answer can be judged is told at {@link RedisReads}.
 */
final class PlainLook implements Remote.Look {
  final AsyncCommand<byte[], byte[], LookOutput> reply;

  private final Node node;
  private final RedisCalls calls;
  private final Partition partition;
  private final long deadline;
  private final long incarnation;
  private final long applied;
  private final LookOutput found;

  PlainLook(Node node, RedisCalls calls, Partition partition, byte[][] keys, long deadline) {
    this.node = node;
    this.calls = calls;
    this.partition = partition;
    this.deadline = deadline;
    this.incarnation = partition.incarnation();
    this.applied = partition.applied();
    this.found = new LookOutput(keys.length);
    CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE);
    // The first one says where in a cluster; the others are written without a buffer each.
    args.addKey(keys[0]);
    for (int i = 1; i < keys.length; i++) {
      args.add(keys[i]);
    }
    args.add(partition.stored.position);
    this.reply = new AsyncCommand<>(new Command<>(CommandType.MGET, found, args));
    calls.dispatch(reply);
  }

  @Override
  public boolean await() throws InterruptedException {
    return calls.arrives(reply, deadline);
  }

  @Override
  public void then(Consumer<Boolean> next) {
    calls.then(reply, deadline, next);
  }

  @Override
  public boolean current() {
    return !node.guards.positions
        || (incarnation == found.incarnation()
            && incarnation == partition.incarnation()
            && found.sequence() >= applied
            && found.sequence() <= partition.applied());
  }

  @Override
  public byte @Nullable [] entry(int i) {
    return found.entry(i);
  }

  @Override
  public long incarnation() {
    return incarnation;
  }

  @Override
  public long sequence() {
    return found.sequence();
  }
}
