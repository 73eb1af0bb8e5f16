package dev.aquifer.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.spi.Observer.CacheFault;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.Proof;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.fory.Fory;
import org.junit.jupiter.api.Test;

/** Bytes that are no entry, or none of this key, are a counted miss, and load no class. */
@RedisTest
class PayloadsTest {
  static final String CANARY = "dev.aquifer.cache.PayloadsTest$Canary";
  private static final Duration SOON = Duration.ofSeconds(20);

  /** What hostile bytes name. */
  public static final class Canary implements java.io.Serializable {
    private static final long serialVersionUID = 1;
    public int a = 1;
  }

  /** Loads everything anew, and remembers what was asked for. */
  private static final class Spy extends URLClassLoader {
    private final Set<String> asked = ConcurrentHashMap.newKeySet();

    Spy(URL[] urls) {
      super("spy", urls, ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      asked.add(name);
      return super.loadClass(name, resolve);
    }

    static Spy create() throws IOException {
      List<URL> urls = new ArrayList<>();
      for (String part : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        urls.add(Path.of(part).toUri().toURL());
      }
      return new Spy(urls.toArray(new URL[0]));
    }
  }

  private static byte[][] namingClasses() throws IOException {
    ByteArrayOutputStream java = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(java)) {
      out.writeObject(new Canary());
    }
    List<byte[]> all = new ArrayList<>(List.of(java.toByteArray()));
    for (boolean shared : new boolean[] {false, true}) {
      Fory open =
          Fory.builder()
              .withXlang(false)
              .withCompatible(shared)
              .requireClassRegistration(false)
              .build();
      all.add(open.serialize(new Canary()));
      all.add(open.serialize(new ArrayList<>(List.of(new Canary(), "a"))));
      all.add(open.serialize(Canary.class));
      all.add(open.serialize(new Object[] {new Canary()}));
    }
    return all.toArray(new byte[0][]);
  }

  @Test
  void hostileBytes_areRefusedAndLoadNoClass() {
    Proof.of("payloads")
        .tries(10_000, 1_000_000)
        .run(
            run -> {
              Thread thread = Thread.currentThread();
              ClassLoader before = thread.getContextClassLoader();
              try (Spy spy = Spy.create()) {
                thread.setContextClassLoader(spy);
                List<?> report =
                    (List<?>)
                        spy.loadClass(HostilePayloads.class.getName())
                            .getMethod("attack", long.class, long.class, byte[][].class)
                            .invoke(null, run.seed(), run.tries(), namingClasses());
                long refused = Long.parseLong((String) report.get(0));
                long readable = Long.parseLong((String) report.get(1));
                run.tried(refused + readable);
                run.detail("refused", refused);
                run.detail("readAsAValueOfTheType", readable);
                report.subList(2, report.size()).forEach(what -> run.failed((String) what));
                // The spy sees what is looked up, or it would prove nothing.
                assertThat(spy.asked).contains(CborCodec.class.getName());
                assertThat(spy.asked).doesNotContain(CANARY);
              } finally {
                thread.setContextClassLoader(before);
              }
            });
  }

  /** Without memory, and so patient that only the bytes count. */
  private static CachesBuilder patient(CachesBuilder builder) {
    return builder
        .memoryBytes(0)
        .remoteTimeout(Duration.ofSeconds(10))
        .leaseTime(Duration.ofSeconds(20))
        .silenceLimit(Duration.ofMinutes(1));
  }

  @Test
  void damagedEntries_inRedis_areOneCountedMissEach(RedisDatabase redis) throws Exception {
    int count = 300;
    RedisClient client = RedisClient.create(redis.uri().toString());
    try (TestNode node = TestNode.open(redis.uri().toString(), PayloadsTest::patient);
        StatefulRedisConnection<byte[], byte[]> raw = client.connect(ByteArrayCodec.INSTANCE)) {
      for (long id = 0; id < count; id++) {
        node.read(id, key -> new TestNode.Flight(key, "HNL", 1));
      }
      Eventually.within(SOON)
          .until("stored", () -> raw.sync().keys("aq:{DFW:0}:v:*").size() == count);
      List<byte[]> keys = raw.sync().keys("aq:{DFW:0}:v:*");
      List<byte[]> entries = keys.stream().map(key -> raw.sync().get(key)).toList();
      long seed = 20_260_101;
      for (int i = 0; i < count; i++) {
        SplittableRandom random = new SplittableRandom(seed + i);
        byte[] entry = entries.get(i).clone();
        switch (i % 4) {
          case 0 -> entry[random.nextInt(entry.length)] ^= (byte) (1 << random.nextInt(8));
          case 1 -> entry = Arrays.copyOf(entry, random.nextInt(entry.length));
          case 2 -> entry = entries.get((i + 1) % count);
          default -> random.nextBytes(entry);
        }
        raw.sync().set(keys.get(i), entry);
      }
      for (long id = 0; id < count; id++) {
        assertThat(node.read(id, key -> new TestNode.Flight(key, "HNL", 2)).delay())
            .as("seed %d, key %d", seed, id)
            .isEqualTo(2);
        assertThat(node.flights().statistics().faults()).isEqualTo(id + 1);
      }
      assertThat(node.faults()).hasSize(count);
      assertThat(node.faults()).isSubsetOf(CacheFault.DAMAGED, CacheFault.FOREIGN);
      assertThat(node.flights().statistics().loads()).isEqualTo(2L * count);
      assertThat(node.flights().statistics().remoteHits()).isZero();
    } finally {
      client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
    }
  }
}
