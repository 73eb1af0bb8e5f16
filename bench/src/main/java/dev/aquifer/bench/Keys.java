package dev.aquifer.bench;

import dev.aquifer.Tenant;
import dev.aquifer.TenantContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * A thread's walk over the keys, in an order of its own. The tenant is entered once an iteration,
 * as a server enters it once a request.
 */
@State(Scope.Thread)
public class Keys {
  static final int COUNT = 1 << 10;
  static final Tenant TENANT = Tenant.of("DFW");

  private String[] keys;
  private int next;
  private TenantContext.Scope scope;

  /** The keys. */
  static List<String> all() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      all.add("flight:" + i);
    }
    return all;
  }

  /** Shuffles them, always in the same way. */
  @Setup(Level.Trial)
  public void shuffle() {
    List<String> all = all();
    Collections.shuffle(all, new Random(42));
    keys = all.toArray(String[]::new);
  }

  /** Enters the tenant. */
  @Setup(Level.Iteration)
  public void enter() {
    scope = TenantContext.enter(TENANT);
  }

  /** Leaves it. */
  @TearDown(Level.Iteration)
  public void leave() {
    scope.close();
  }

  String next() {
    return keys[next++ & (COUNT - 1)];
  }
}
