package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Numbers, times and texts from their bytes: to the bit what the JDK's parsers give. */
class CellValuesTest {
  private static final int RANDOM = 100_000;

  private static double decimal(String text) {
    byte[] bytes = ("," + text + ",").getBytes(StandardCharsets.UTF_8);
    return Decimals.parse(bytes, 1, bytes.length - 1);
  }

  private static long time(String text) {
    byte[] bytes = ("," + text + ",").getBytes(StandardCharsets.UTF_8);
    return Times.nanos(bytes, 1, bytes.length - 1);
  }

  private static long signed(String text) {
    byte[] bytes = ("," + text + ",").getBytes(StandardCharsets.UTF_8);
    return Wholes.signed(bytes, 1, bytes.length - 1);
  }

  private static long unsigned(String text) {
    byte[] bytes = ("," + text + ",").getBytes(StandardCharsets.UTF_8);
    return Wholes.unsigned(bytes, 1, bytes.length - 1);
  }

  private static void assertDecimal(String text) {
    long expected = Double.doubleToRawLongBits(Double.parseDouble(text));
    long actual = Double.doubleToRawLongBits(decimal(text));
    if (actual != expected) {
      assertThat(actual).as(text).isEqualTo(expected);
    }
  }

  @Test
  void decimal_ofAnyDouble_isIt() {
    Random random = new Random(1);
    for (int i = 0; i < RANDOM; i++) {
      double any = Double.longBitsToDouble(random.nextLong());
      if (Double.isFinite(any)) {
        assertDecimal(Double.toString(any));
        assertDecimal(BigDecimal.valueOf(any).toPlainString());
      }
    }
  }

  @Test
  void decimal_ofMeans_isTheNearest() {
    Random random = new Random(2);
    for (int i = 0; i < RANDOM; i++) {
      double mean = random.nextInt(1_000_000) / 10.0 / (1 + random.nextInt(100));
      assertDecimal(BigDecimal.valueOf(mean).toPlainString());
      assertDecimal(BigDecimal.valueOf(-mean).toPlainString());
    }
  }

  @Test
  void decimal_ofAnyDigitsAndPower_isTheNearest() {
    Random random = new Random(3);
    for (int i = 0; i < RANDOM; i++) {
      String digits = Long.toUnsignedString(random.nextLong() >>> random.nextInt(64));
      assertDecimal(digits + "e" + (random.nextInt(160) - 80));
      assertDecimal(digits + "E+" + random.nextInt(400));
      int point = random.nextInt(digits.length() + 1);
      assertDecimal(digits.substring(0, point) + "." + digits.substring(point));
    }
  }

  /** The middle of two doubles, and what is just beside it, decide how it is rounded. */
  @Test
  void decimal_nearTheMiddleOfTwoDoubles_isTheNearest() {
    Random random = new Random(4);
    for (int i = 0; i < RANDOM / 2; i++) {
      int exponent = Double.MAX_EXPONENT - 150 + random.nextInt(300);
      long bits = (long) exponent << 52 | random.nextLong() >>> 12;
      BigDecimal low = new BigDecimal(Double.longBitsToDouble(bits));
      BigDecimal high = new BigDecimal(Double.longBitsToDouble(bits + 1));
      BigDecimal middle = low.add(high).divide(BigDecimal.valueOf(2));
      for (int digits = 15; digits <= 20; digits++) {
        BigDecimal near = middle.round(new MathContext(digits));
        assertDecimal(near.toString());
        assertDecimal(near.add(near.ulp()).toString());
        assertDecimal(near.subtract(near.ulp()).toString());
      }
    }
    // Exactly in the middle, within 64 bits: to the even one.
    for (long even = 1L << 53; even < (1L << 53) + 2_000; even++) {
      assertDecimal(Long.toString(even));
      assertDecimal(even + "0e-1");
      assertDecimal(BigDecimal.valueOf(even * 5, 1).toPlainString());
    }
  }

  @Test
  void decimal_ofSpecialForms_isThem() {
    assertThat(decimal("+Inf")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(decimal("Inf")).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(decimal("-Inf")).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(decimal("NaN")).isNaN();
    for (String text :
        new String[] {
          "0",
          "-0",
          "+0",
          "-0.0e-9",
          "1.",
          ".5",
          "-.5",
          "0.1",
          "1e1000000000",
          "1e-1000000000",
          "0e99999",
          "4.9e-324",
          "2.4703282292062327e-324",
          "2.2250738585072011e-308",
          "1.7976931348623157e308",
          "1.7976931348623159e308",
          "9007199254740993",
          "18446744073709551615",
          "18446744073709551616",
          "0.000000000000000000000000012345",
          "00000000000000000000000000000000000000012.5",
          "100000000000000000000000"
        }) {
      assertDecimal(text);
    }
  }

  @Test
  void values_ofNoSuchForm_areRefused() {
    for (String text :
        new String[] {
          "",
          "-",
          "+",
          ".",
          "1d",
          "1f",
          "0x10",
          "1e",
          "1e+",
          "e5",
          "1.2.3",
          "1,5",
          " 1",
          "1 ",
          "Infinity",
          "infinity",
          "nan",
          "+NaN",
          "1_000",
          "--1",
          "\u0661"
        }) {
      assertThatThrownBy(() -> decimal(text)).as(text).isInstanceOf(NumberFormatException.class);
    }
    for (String text :
        new String[] {
          "",
          "-",
          "1.0",
          "9223372036854775808",
          "-9223372036854775809",
          "1e5",
          "0x1",
          " 1",
          "18446744073709551616",
          "99999999999999999999999"
        }) {
      assertThatThrownBy(() -> signed(text)).as(text).isInstanceOf(NumberFormatException.class);
    }
    for (String text :
        new String[] {"", "-1", "+1", "18446744073709551616", "28446744073709551615"}) {
      assertThatThrownBy(() -> unsigned(text)).as(text).isInstanceOf(NumberFormatException.class);
    }
    for (String text :
        new String[] {
          "",
          "2026-03-01",
          "2026-03-01T00:00:00",
          "2026-02-29T00:00:00Z",
          "2026-13-01T00:00:00Z",
          "2026-00-01T00:00:00Z",
          "2026-01-00T00:00:00Z",
          "2026-01-01T24:00:00Z",
          "2026-01-01T00:60:00Z",
          "2026-01-01T00:00:60Z",
          "2026-01-01T00:00:00.Z",
          "2026-01-01T00:00:00.1234567890Z",
          "2026-01-01T00:00:00+0100",
          "2026-01-01T00:00:00+24:00",
          "2026-01-01 00:00:00Z",
          "2026-01-01T00:00:00ZZ",
          "1677-09-21T00:12:43.145224191Z",
          "2262-04-11T23:47:16.854775808Z",
          "0000-01-01T00:00:00Z",
          "9999-12-31T23:59:59Z",
          "1900-02-29T00:00:00Z",
          "2026-01-01T00:00:00.",
          "2026-01-01T00:00:00.1"
        }) {
      assertThatThrownBy(() -> time(text)).as(text).isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void wholes_ofAnyNumber_areIt() {
    Random random = new Random(5);
    for (int i = 0; i < RANDOM; i++) {
      long any = random.nextLong() >> random.nextInt(64);
      assertThat(signed(Long.toString(any))).isEqualTo(any);
      assertThat(unsigned(Long.toUnsignedString(any))).isEqualTo(any);
    }
    assertThat(signed("9223372036854775807")).isEqualTo(Long.MAX_VALUE);
    assertThat(signed("-9223372036854775808")).isEqualTo(Long.MIN_VALUE);
    assertThat(signed("+0007")).isEqualTo(7);
    assertThat(unsigned("18446744073709551615")).isEqualTo(-1);
    assertThat(unsigned("000000000000000000000000000009")).isEqualTo(9);
  }

  @Test
  void times_ofAnyInstant_areIt() {
    Random random = new Random(6);
    for (int i = 0; i < RANDOM; i++) {
      long any = random.nextLong() >> random.nextInt(20);
      Instant instant =
          Instant.ofEpochSecond(
              Math.floorDiv(any, 1_000_000_000L), Math.floorMod(any, 1_000_000_000L));
      assertThat(time(instant.toString())).isEqualTo(any);
    }
    assertThat(time("1677-09-21T00:12:43.145224192Z")).isEqualTo(Long.MIN_VALUE);
    assertThat(time("2262-04-11T23:47:16.854775807Z")).isEqualTo(Long.MAX_VALUE);
    assertThat(time("1969-12-31T23:59:59.9Z")).isEqualTo(-100_000_000);
    for (String text :
        new String[] {
          "2024-02-29T12:00:00.5+05:30", "2000-02-29T23:59:59-12:00", "1970-01-01T00:00:00-00:01"
        }) {
      Instant instant = OffsetDateTime.parse(text).toInstant();
      assertThat(time(text))
          .isEqualTo(instant.getEpochSecond() * 1_000_000_000 + instant.getNano());
    }
  }

  @Test
  void texts_ofMoreThanThePoolHolds_areStillThem() {
    TextPool pool = new TextPool();
    Random random = new Random(7);
    for (int i = 0; i < RANDOM; i++) {
      String text = "té".repeat(random.nextInt(80)) + "x" + random.nextInt(50_000);
      byte[] bytes = ("\0" + text + "\0").getBytes(StandardCharsets.UTF_8);
      assertThat(pool.text(bytes, 1, bytes.length - 1)).isEqualTo(text);
      assertThat(pool.text(bytes, 1, bytes.length - 1)).isEqualTo(text);
    }
    assertThat(pool.text(new byte[0], 0, 0)).isEmpty();
  }
}
