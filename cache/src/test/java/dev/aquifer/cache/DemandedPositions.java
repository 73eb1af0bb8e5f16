package dev.aquifer.cache;

import dev.aquifer.Position;
import dev.aquifer.ReadFloor;
import dev.aquifer.spi.PositionSource;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps what is demanded of reads; what is written has no position unless a test gives it one. */
class DemandedPositions implements PositionSource {
  final List<ReadFloor> demanded = new CopyOnWriteArrayList<>();

  @Override
  public ReadFloor now() {
    return ReadFloor.NONE;
  }

  @Override
  public @Nullable Position resolve(ReadFloor floor) {
    return floor.position();
  }

  @Override
  public <T> T call(ReadFloor floor, Callable<T> body) throws Exception {
    demanded.add(floor);
    return body.call();
  }
}
