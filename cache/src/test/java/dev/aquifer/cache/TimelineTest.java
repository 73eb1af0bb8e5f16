package dev.aquifer.cache;

import static dev.aquifer.cache.TestNode.DFW;
import static dev.aquifer.cache.TestNode.FLIGHT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.ReadFloor;
import dev.aquifer.Tenant;
import dev.aquifer.cache.Timeline.Span;
import dev.aquifer.spi.WriteSet;
import dev.aquifer.testkit.Eventually;
import dev.aquifer.testkit.FaultProxy;
import dev.aquifer.testkit.RedisDatabase;
import dev.aquifer.testkit.RedisTest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ranges that are void on two nodes. */
@RedisTest
class TimelineTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final Span ALL = new Span(Long.MIN_VALUE, Long.MAX_VALUE);
  private static final String STATE = "aq:{DFW:0}:s";

  private RedisDatabase redis;
  private TestNode one;
  private TestNode two;
  private final Told told = new Told();
  private Timeline timeline;

  /** What a node was told; {@link #ALL} where all is void. */
  private static final class Told implements Timeline.Listener {
    final List<Span> spans = new CopyOnWriteArrayList<>();

    @Override
    public void voided(Span span) {
      spans.add(span);
    }

    @Override
    public void voidedAll() {
      spans.add(ALL);
    }
  }

  @BeforeEach
  void open(RedisDatabase database) {
    redis = database;
    redis.flush();
    one = TestNode.open(redis.uri().toString());
    two = TestNode.open(redis.uri().toString());
    timeline = two.caches().timeline(DFW, "pulse:1", Set.of(FLIGHT), told);
    assertThat(TestNode.<Boolean>as(timeline::current)).isTrue();
    told.spans.clear();
  }

  @AfterEach
  void close() {
    timeline.close();
    one.close();
    two.close();
  }

  private void invalidate(TestNode node, Tenant tenant, String name, Span... spans) {
    tenant.run(() -> node.caches().invalidateRanges(name, List.of(spans)));
  }

  private void awaitTold(Span... spans) {
    Eventually.within(SOON).until("told", () -> told.spans.equals(List.of(spans)));
  }

  @Test
  void invalidateRanges_tellsTheOtherNodeOfEachOnce() {
    invalidate(one, DFW, "pulse:1", new Span(-5, 7), new Span(1_000_000_007, 1_000_000_009));
    awaitTold(new Span(-5, 7), new Span(1_000_000_007, 1_000_000_009));
  }

  @Test
  void invalidateRanges_ofAnotherNameOrTenant_tellsNothing() {
    invalidate(one, Tenant.of("DFW2"), "pulse:1", new Span(1, 2));
    invalidate(one, DFW, "1", new Span(3, 4));
    invalidate(one, DFW, "2:pulse:1", new Span(5, 6));
    invalidate(one, DFW, "pulse:1", new Span(7, 8));
    awaitTold(new Span(7, 8));
  }

  /** Takes the guard out: then nobody is told, so the tests above can fail. */
  @Test
  void invalidateRanges_withoutGuard_isNotHeard() {
    timeline.tells = false;
    invalidate(one, DFW, "pulse:1", new Span(1, 2));
    TwoNodeRace.sync(two);
    assertThat(told.spans).isEmpty();
  }

  @Test
  void tagAndTenant_voidAllOfIt() {
    one.invalidate(FLIGHT);
    awaitTold(ALL);
    one.caches().committed(new WriteSet(1, null, Set.of("flight"), false), ReadFloor.NONE);
    awaitTold(ALL, ALL);
    DFW.run(one.caches()::invalidateTenant);
    awaitTold(ALL, ALL, ALL);
  }

  @Test
  void keeps_whileAWriteOfItsTableIsUnderWay_isFalse() {
    WriteSet writes = new WriteSet(1, DFW, Set.of("flight"), false);
    assertThat(timeline.keeps()).isTrue();
    one.caches().committing(writes);
    TwoNodeRace.sync(two);
    assertThat(timeline.keeps()).isFalse();
    one.caches().rolledBack(writes);
    Eventually.within(SOON)
        .until(
            "lifted",
            () -> {
              TwoNodeRace.sync(two);
              return timeline.keeps();
            });
    assertThat(told.spans).isEmpty();
  }

  @Test
  void redisLosesItsState_voidsAll() {
    invalidate(one, DFW, "pulse:1", new Span(1, 2));
    awaitTold(new Span(1, 2));
    redis.flush();
    invalidate(one, DFW, "pulse:1", new Span(3, 4));
    Eventually.within(SOON).until("all is void", () -> told.spans.contains(ALL));
  }

  @Test
  void watchedPartition_isNotForgotten_andIsOnceItIsNot() {
    assertThat(two.partition().watched()).isTrue();
    timeline.close();
    assertThat(two.partition().watched()).isFalse();
  }

  @Test
  void dividedTenant_isFollowed() {
    Tenant large = Tenant.of("large");
    try (TestNode three = TestNode.open(redis.uri().toString(), b -> b.partitions(large, 8))) {
      Told heard = new Told();
      try (Timeline mine = two.caches().timeline(large, "m", Set.of(), heard)) {
        assertThat(large.call(() -> three.flights().getIfPresent(1L))).isNull();
        // Node two learns from Redis that the tenant has eight.
        Eventually.within(SOON).until("divided", () -> large.call(mine::current));
        Eventually.within(SOON)
            .until(
                "told",
                () -> {
                  invalidate(three, large, "m", new Span(1, 2));
                  large.call(mine::current);
                  return heard.spans.contains(new Span(1, 2));
                });
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
  }

  /** Two are asked while nothing gets through to Redis; it answers both. */
  @Test
  void ask_ofSeveral_waitsForNone() {
    try (FaultProxy proxy = FaultProxy.to(redis.server().host(), redis.server().port());
        TestNode far =
            TestNode.open("redis://" + proxy.host() + ":" + proxy.port() + "/" + redis.index());
        Timeline first = far.caches().timeline(DFW, "a", Set.of(), told);
        Timeline second = far.caches().timeline(DFW, "b", Set.of(), told)) {
      keep(first, 1);
      keep(second, 2);
      assertThat(TestNode.<Boolean>as(first::current)).isTrue();
      proxy.stopReading();
      Timeline.Asked one = first.ask(List.of("k", "none"), 100);
      Timeline.Asked two = second.ask(List.of("k"), 100);
      proxy.heal();
      assertThat(payloads(two)).containsExactly("2");
      assertThat(payloads(one)).containsExactly("1", null);
      assertThat(first.ask(List.of(), 100).await(damaged -> {})).isEmpty();
    }
  }

  private static void keep(Timeline timeline, int value) {
    assertThat(TestNode.<Boolean>as(timeline::current)).isTrue();
    byte[] payload = Integer.toString(value).getBytes(StandardCharsets.UTF_8);
    assertThat(
            timeline.keep(
                "k",
                payload,
                new Span(0, 1),
                Objects.requireNonNull(timeline.moment()),
                new Timeline.Place(null, 1_000, SOON)))
        .isEqualTo(Timeline.Kept.KEPT);
  }

  private static List<@Nullable String> payloads(Timeline.Asked asked) {
    List<@Nullable String> all = new ArrayList<>();
    for (Timeline.Found found : asked.await(damaged -> {})) {
      byte[] payload = found == null ? null : found.payload();
      all.add(payload == null ? null : new String(payload, StandardCharsets.UTF_8));
    }
    return all;
  }

  @Test
  void invalidateRanges_tooMany_isRefused() {
    Span[] many = new Span[65];
    java.util.Arrays.setAll(many, i -> new Span(i, i + 1));
    assertThatThrownBy(() -> invalidate(one, DFW, "m", many))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("65 ranges of 'm'");
    assertThatThrownBy(() -> new Span(3, 3)).hasMessageContaining("not before its end");
  }

  /** What Redis remembers covers what was voided, by the newest number, in at most 32 pieces. */
  @Test
  void rememberedRanges_coverWhatWasVoided() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    long[] newest = new long[400];
    for (int i = 0; i < 120; i++) {
      int from = random.nextInt(-200, 190);
      int to = from + 1 + random.nextInt(10);
      invalidate(one, DFW, "pulse:1", new Span(from * 1_000_000L, to * 1_000_000L - 1));
      for (int at = from; at < to; at++) {
        newest[at + 200] = one.partition().applied();
      }
    }
    String text = String.valueOf(redis.command("HGET", STATE, "r:pulse:1"));
    long[] remembered = new long[400];
    long before = Long.MIN_VALUE;
    String[] pieces = text.substring(text.indexOf(';') + 1).split(" ", -1);
    assertThat(pieces).hasSizeLessThanOrEqualTo(32);
    for (String piece : pieces) {
      String[] parts = piece.split(":", -1);
      long from = Long.parseLong(parts[1]);
      long to = Long.parseLong(parts[2]);
      assertThat(from).isGreaterThanOrEqualTo(before).isLessThan(to);
      before = to;
      for (long at = from; at < to; at++) {
        remembered[(int) at + 200] = Long.parseLong(parts[0]);
      }
    }
    for (int at = 0; at < newest.length; at++) {
      assertThat(remembered[at]).as("millisecond %d", at - 200).isGreaterThanOrEqualTo(newest[at]);
    }
  }
}
