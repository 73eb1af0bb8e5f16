package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class SegmentCodecTest {
  private static final long NOW = 1_000_000_000_000_000L;
  private static final SegmentCodec.Shape SHAPE = new SegmentCodec.Shape(2, 1);

  @Test
  void read_whatWasWritten_isTheSame() {
    Proof.of("segment-codec")
        .tries(200, 20_000)
        .each(
            random -> {
              Segment segment = segment(random);
              Duration age = Duration.ofMillis(random.nextInt(1000));
              byte[] bytes = SegmentCodec.write(segment, NOW);
              assertThat(bytes).isNotNull();
              Segment read = SegmentCodec.read(bytes, SHAPE, age, NOW + age.toNanos());
              assertSame(segment, read);
            });
  }

  @Test
  void read_anyBytes_isNullOrASegmentThatCanBeRead() {
    Proof.of("segment-bytes")
        .tries(2_000, 1_000_000)
        .each(
            random -> {
              byte[] bytes = SegmentCodec.write(segment(random), NOW);
              for (int i = random.nextInt(1, 12); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
              }
              if (random.nextInt(4) == 0) {
                bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 4));
              }
              Segment read = SegmentCodec.read(bytes, SHAPE, Duration.ZERO, NOW);
              if (read != null) {
                read.series().values().forEach(columns -> cells(columns[0], columns[1]));
                assertThat(read.weight()).isLessThan(20 * bytes.length + 20_000);
              }
            });
  }

  @Test
  void read_otherShape_isNull() {
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    Segment segment = segment(random);
    while (segment.series().isEmpty()) {
      segment = segment(random);
    }
    byte[] bytes = SegmentCodec.write(segment, NOW);
    assertThat(SegmentCodec.read(bytes, new SegmentCodec.Shape(1, 1), Duration.ZERO, NOW)).isNull();
    assertThat(SegmentCodec.read(bytes, new SegmentCodec.Shape(2, 3), Duration.ZERO, NOW)).isNull();
    assertThat(SegmentCodec.read(new byte[0], SHAPE, Duration.ZERO, NOW)).isNull();
  }

  /** What was good for a while when it was written is not good for longer where it is read. */
  @Test
  void read_laterThanItIsGood_isUnknown() {
    long[] fetched = new long[Segment.LENGTH];
    long[] until = new long[Segment.LENGTH];
    java.util.Arrays.fill(fetched, NOW - 5);
    java.util.Arrays.fill(until, NOW + 1_000_000);
    until[7] = Segment.FOR_GOOD;
    until[8] = NOW + 3_000_000;
    byte[] bytes = SegmentCodec.write(Segment.of(Marks.of(fetched, until), Map.of()), NOW);
    // The reader's clock is an hour behind the writer's.
    long reader = NOW - Duration.ofHours(1).toNanos();
    Segment early = SegmentCodec.read(bytes, SHAPE, Duration.ZERO, reader);
    assertThat(early.windows()).isEqualTo(Segment.LENGTH);
    assertThat(early.fresh(0, reader)).isTrue();
    assertThat(early.fresh(0, reader + 1_000_000)).isFalse();
    Segment late = SegmentCodec.read(bytes, SHAPE, Duration.ofMillis(2), reader);
    assertThat(late.windows()).isEqualTo(2);
    assertThat(late.fresh(7, reader)).isTrue();
    assertThat(late.fresh(8, reader)).isTrue();
  }

  private static void assertSame(Segment expected, Segment read) {
    assertThat(read).isNotNull();
    assertThat(read.windows()).isEqualTo(expected.windows());
    for (int i = 0; i < Segment.LENGTH; i++) {
      assertThat(read.known(i)).isEqualTo(expected.known(i));
      assertThat(read.settled(i)).isEqualTo(expected.settled(i));
    }
    assertThat(read.series().keySet()).isEqualTo(expected.series().keySet());
    expected
        .series()
        .forEach(
            (group, columns) -> {
              List<Cells> wanted = cells(columns);
              List<Cells> found = cells(read.series().get(group));
              for (int c = 0; c < wanted.size(); c++) {
                assertThat(found.get(c).sameAs(wanted.get(c))).isTrue();
              }
            });
  }

  private static List<Cells> cells(Column... columns) {
    List<Cells> all = new ArrayList<>();
    for (Column column : columns) {
      Cells cells = new Cells(Segment.LENGTH);
      column.copyTo(cells, 0, 0, Segment.LENGTH);
      all.add(cells);
    }
    return all;
  }

  private static Segment segment(RandomGenerator random) {
    long[] fetched = new long[Segment.LENGTH];
    long[] until = new long[Segment.LENGTH];
    for (int i = 0; i < fetched.length; i++) {
      boolean like = i > 0 && random.nextInt(20) > 0;
      int kind = random.nextInt(4);
      fetched[i] =
          like ? fetched[i - 1] : kind == 0 ? Segment.UNKNOWN : NOW - random.nextInt(1, 99);
      until[i] =
          like
              ? until[i - 1]
              : kind == 1 ? Segment.FOR_GOOD : NOW + 5_000_000_000L + random.nextInt(99);
    }
    fetched[random.nextInt(Segment.LENGTH)] = NOW - 1;
    Map<Group, Column[]> series = new HashMap<>();
    for (int s = random.nextInt(4); s > 0; s--) {
      series.put(new Group(List.of("dévice" + s)), new Column[] {column(random), column(random)});
    }
    return Segment.of(Marks.of(fetched, until), series);
  }

  private static Column column(RandomGenerator random) {
    Cells cells = new Cells(Segment.LENGTH);
    int kind = random.nextInt(5);
    for (int i = 0; i < Segment.LENGTH; i++) {
      switch (random.nextInt(10) == 0 ? 9 : kind) {
        case 0 -> cells.put(i, Cells.LONG, random.nextLong());
        case 1 ->
            cells.put(i, Cells.DOUBLE, Double.doubleToRawLongBits(random.nextInt(999) / 10.0));
        case 2 -> cells.put(i, Cells.DOUBLE, random.nextLong());
        case 3 -> cells.put(i, Cells.BOOLEAN, random.nextInt(2));
        case 4 -> cells.putText(i, "t" + random.nextInt(5));
        default -> {}
      }
    }
    return random.nextBoolean() ? cells : PackedColumn.of(cells);
  }
}
