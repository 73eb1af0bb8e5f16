package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.aquifer.RefusedQueryException;
import dev.aquifer.testkit.Proof;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

class FluxLiteralTest {
  private static final EmittedFlux EMITTED = EmittedFlux.of("literals", 500);

  private static final Place NONE = Place.NONE;

  /** Wherever a value stands, it is one literal with that value, and nothing else changes. */
  @Test
  void anyValue_anywhereInAScript_isOneLiteral() {
    Proof.of("flux-injection")
        .tries(10_000, 1_000_000)
        .each(
            random -> {
              String bucket = HostileText.of(random);
              String measurement = HostileText.of(random);
              String field = HostileText.of(random);
              String tag = HostileText.of(random);
              String value = HostileText.of(random);
              String pattern = HostileText.of(random).replace("\0", "") + ".";
              Instant start = instant(random);
              Duration every = Duration.ofNanos(random.nextLong() | 1);
              String text =
                  """
                  from(bucket: %s) |> range(start: %s)
                    |> filter(fn: (r) => r._measurement == %s and r._field == %s and r[%s] == %s)
                    |> filter(fn: (r) => r[%s] =~ %s) |> window(every: %s)
                  """
                      .formatted(
                          FluxLiteral.text(bucket),
                          FluxLiteral.time(start),
                          FluxLiteral.text(measurement),
                          FluxLiteral.text(field),
                          FluxLiteral.text(tag),
                          FluxLiteral.text(value),
                          FluxLiteral.text(tag),
                          FluxLiteral.regex(pattern),
                          FluxLiteral.duration(every));
              Expression.Call range = range(start);
              Expression.Call first =
                  filter(
                      new Expression.Logical(
                          "and",
                          List.of(
                              equal("_measurement", measurement),
                              equal("_field", field),
                              equal(tag, value)),
                          NONE));
              Expression matches =
                  new Expression.Regex(FluxLiteral.canonicalPattern(pattern), NONE);
              Expression.Call second =
                  filter(new Expression.Binary("=~", member(tag), matches, NONE));
              Expression.Call window = call("window", "every", span(every));
              EMITTED.readAs(List.of(bucket, measurement, field, tag, value, tag), text);
              assertThat(FluxScript.parse(text))
                  .isEqualTo(script(bucket, range, first, second, window));

              String tenant = HostileText.of(random) + value + "~";
              FluxScript confined = FluxScript.parse(text).confinedTo(tag, tenant);
              assertThat(FluxScript.parse(confined.text()))
                  .isEqualTo(
                      script(bucket, range, filter(equal(tag, tenant)), first, second, window));
            });
  }

  private static FluxScript script(String bucket, Expression.Call... stages) {
    Expression from = call("from", "bucket", new Expression.Text(bucket, NONE));
    return new FluxScript(
        List.of(new Statement.Evaluate(new Expression.Pipe(from, List.of(stages), NONE), NONE)));
  }

  private static Expression.Call range(Instant start) {
    return call("range", "start", new Expression.Moment(start.atOffset(ZoneOffset.UTC), NONE));
  }

  private static Expression.Call filter(Expression predicate) {
    return call(
        "filter",
        "fn",
        new Expression.Function(
            List.of(new Expression.Parameter("r", null, NONE)),
            List.of(new Statement.Return(predicate, NONE)),
            false,
            NONE));
  }

  private static Expression.Call call(String function, String argument, Expression value) {
    return new Expression.Call(
        new Expression.Name(function, NONE),
        List.of(new Expression.Property(argument, value, NONE)),
        NONE);
  }

  private static Expression equal(String column, String value) {
    return new Expression.Binary("==", member(column), new Expression.Text(value, NONE), NONE);
  }

  private static Expression member(String column) {
    return new Expression.Member(new Expression.Name("r", NONE), column, NONE);
  }

  private static Expression span(Duration every) {
    long nanos = every.toNanos();
    Expression span =
        new Expression.Span(List.of(new Expression.Amount(Math.abs(nanos), "ns")), NONE);
    return nanos < 0 ? new Expression.Unary("-", span, NONE) : span;
  }

  private static Instant instant(RandomGenerator random) {
    return Instant.ofEpochSecond(
        random.nextLong(-9_223_372_036L, 9_223_372_036L), random.nextInt(1_000_000_000));
  }

  @Test
  void text_ofRecordedHostileValues_isWhatTheServerUnderstood() {
    for (Recorded.Bound bound : Recorded.bound()) {
      FluxScript script = FluxScript.parse("x = " + FluxLiteral.text(bound.value()));
      assertThat(script.statements())
          .containsExactly(
              new Statement.Assign("x", new Expression.Text(bound.value(), NONE), NONE));
    }
  }

  /** A literal of Flux decodes {@code \xHH} itself, before the pattern is looked at. */
  @Test
  void regex_ofPatternsWithEscapes_isThePattern() {
    assertThat(FluxLiteral.regex("a\\x2eb")).isEqualTo("/a\\x5cx2eb/");
    assertThat(FluxLiteral.regex("a\\\\x2eb")).isEqualTo("/a\\\\x2eb/");
    assertThat(FluxLiteral.regex("a\\\\")).isEqualTo("/a\\x5c\\x5c/");
    assertThat(FluxLiteral.regex("a/b\\/c\\\\/")).isEqualTo("/a\\/b\\/c\\\\\\//");
    assertThat(FluxLiteral.regex("\\d+")).isEqualTo("/\\d+/");
  }

  @Test
  void numbers_areExact() {
    for (double value : new double[] {0.0, 1, 0.1, 4.9e-324, 1.7976931348623157e308, 1e21}) {
      assertThat(FluxScript.parse("x = " + FluxLiteral.decimal(value)).statements())
          .containsExactly(new Statement.Assign("x", new Expression.Decimal(value, NONE), NONE));
    }
    assertThat(FluxLiteral.decimal(-0.0)).isEqualTo("-0.0");
    assertThat(FluxLiteral.integer(-Long.MAX_VALUE)).isEqualTo("-9223372036854775807");
  }

  @Test
  void valuesThatFluxHasNot_areRefused() {
    assertRefused(() -> FluxLiteral.text("a\ud800"), "half a surrogate pair, U+D800, at index 1");
    assertRefused(() -> FluxLiteral.regex(""), "empty");
    assertRefused(() -> FluxLiteral.regex("a\\"), "ends in half an escape");
    assertRefused(() -> FluxLiteral.decimal(Double.NaN), "NaN");
    assertRefused(() -> FluxLiteral.integer(Long.MIN_VALUE), "-9223372036854775808");
    assertRefused(() -> FluxLiteral.duration(Duration.ofDays(200_000)), "too long");
    assertRefused(() -> FluxLiteral.duration(Duration.ofNanos(Long.MIN_VALUE)), "too long");
    assertRefused(() -> FluxLiteral.time(Instant.MAX), "1677-09-22 to 2262-04-11");
    assertRefused(() -> FluxLiteral.time(Instant.parse("2500-01-01T00:00:00Z")), "2262");
  }

  private static void assertRefused(Runnable write, String reason) {
    assertThatThrownBy(write::run)
        .isInstanceOf(RefusedQueryException.class)
        .hasMessageContaining(reason);
  }
}
