package dev.aquifer.tsquery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.testkit.Proof;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PackedColumnTest {
  private static final int LENGTH = Segment.LENGTH;
  private static final double[] ODD = {
    Double.NaN,
    -0.0,
    0.0,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.MIN_VALUE,
    -Double.MAX_VALUE,
    Double.longBitsToDouble(0x7ff8_0000_dead_beefL),
    0.1 + 0.2,
    1e300,
    123456789.98765433,
    9007199254740994.0
  };

  private enum Data {
    GAUGE {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        int tenths = 200;
        for (int i = 0; i < LENGTH; i++) {
          tenths += random.nextInt(11) - 5;
          cells.put(i, Cells.DOUBLE, Double.doubleToRawLongBits(tenths / 10.0));
        }
      }
    },
    COUNTER {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        long total = random.nextLong();
        for (int i = 0; i < LENGTH; i++) {
          total += 1000 + random.nextInt(9);
          cells.put(i, Cells.LONG, total);
        }
      }
    },
    MEANS {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        for (int i = 0; i < LENGTH; i++) {
          cells.put(i, Cells.DOUBLE, Double.doubleToRawLongBits(20 + random.nextGaussian()));
        }
      }
    },
    ANY_BITS {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        byte kind = random.nextBoolean() ? Cells.LONG : Cells.DOUBLE;
        for (int i = 0; i < LENGTH; i++) {
          cells.put(i, kind, random.nextLong() >> random.nextInt(64));
        }
      }
    },
    ODD_ONES {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        for (int i = 0; i < LENGTH; i++) {
          double value =
              random.nextInt(9) == 0 ? ODD[random.nextInt(ODD.length)] : random.nextInt(99) / 4.0;
          cells.put(i, Cells.DOUBLE, Double.doubleToRawLongBits(value));
        }
      }
    },
    SWITCH {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        for (int i = 0; i < LENGTH; i++) {
          cells.put(i, Cells.BOOLEAN, random.nextInt(2));
        }
      }
    },
    MIXED {
      @Override
      void fill(Cells cells, RandomGenerator random) {
        for (int i = 0; i < LENGTH; i++) {
          switch (random.nextInt(3)) {
            case 0 -> cells.put(i, Cells.LONG, random.nextInt());
            case 1 -> cells.put(i, Cells.DOUBLE, random.nextLong());
            default -> cells.putText(i, "text " + random.nextInt(5));
          }
        }
      }
    };

    abstract void fill(Cells cells, RandomGenerator random);
  }

  private static void thin(Cells cells, RandomGenerator random) {
    int one = 1 + random.nextInt(20);
    for (int i = 0; i < LENGTH; i++) {
      if (random.nextInt(one) == 0) {
        cells.put(i, Cells.ABSENT, 0);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void packed_givesBackTheSame(Data data) {
    Proof.of("packed-" + data.name().toLowerCase(Locale.ROOT).replace('_', '-'))
        .tries(300, 100_000)
        .each(
            random -> {
              Cells cells = new Cells(LENGTH);
              data.fill(cells, random);
              if (random.nextBoolean()) {
                thin(cells, random);
              }
              Column packed = PackedColumn.of(cells);
              int from = random.nextInt(LENGTH);
              int length = 1 + random.nextInt(LENGTH - from);
              Cells mine = new Cells(length + 7);
              Cells same = new Cells(length + 7);
              mine.put(3, Cells.LONG, 5);
              packed.copyTo(mine, from, 3, length);
              same.copy(cells, from, 3, length);
              assertThat(mine.sameAs(same)).isTrue();
              assertThat(packed.anyPresent(from, from + length))
                  .isEqualTo(cells.anyPresent(from, from + length));
            });
  }

  @ParameterizedTest
  @EnumSource(names = {"GAUGE", "COUNTER"})
  void readings_takeLessThanTwoBytesEach(Data data) {
    Cells cells = new Cells(LENGTH);
    data.fill(cells, new SplittableRandom(1));
    assertThat(PackedColumn.of(cells).weight()).isLessThan(2 * LENGTH);
  }

  @ParameterizedTest
  @EnumSource(names = {"MEANS", "ANY_BITS", "ODD_ONES"})
  void anything_takesLittleMoreThanItsBits(Data data) {
    Cells cells = new Cells(LENGTH);
    data.fill(cells, new SplittableRandom(1));
    assertThat(PackedColumn.of(cells).weight()).isLessThan((int) (8.2 * LENGTH));
  }

  @Test
  void nothing_isNothing() {
    Column packed = PackedColumn.of(new Cells(LENGTH));
    Cells copy = new Cells(LENGTH);
    copy.put(9, Cells.LONG, 1);
    packed.copyTo(copy, 0, 0, LENGTH);
    assertThat(copy.anyPresent(0, LENGTH)).isFalse();
    assertThat(packed.anyPresent(0, LENGTH)).isFalse();
  }
}
