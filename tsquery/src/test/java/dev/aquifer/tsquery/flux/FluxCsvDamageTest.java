package dev.aquifer.tsquery.flux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.aquifer.AquiferException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random answers, cut and damaged: what is read is what a slow reading says, or an error. */
class FluxCsvDamageTest {
  private static final int ROUND_TRIPS = 1_000;
  private static final int DAMAGED = 100_000;
  private static final int SMALL = 600;
  private static final byte[] MARKS =
      "\"\",,\r\n\r\n#0.-+ZeI \0\u00e9".getBytes(StandardCharsets.UTF_8);

  private static List<AnswerTable> tables(InputStream body) throws IOException {
    AnswerTable.Collector collector = new AnswerTable.Collector();
    FluxCsv.read(body, collector);
    return collector.tables;
  }

  @Test
  void read_ofRandomAnswer_isItsTables() throws IOException {
    for (int seed = 0; seed < ROUND_TRIPS; seed++) {
      RandomAnswer answer = new RandomAnswer(seed);
      Random pieces = new Random(seed);
      assertThat(tables(new ByteArrayInputStream(answer.body())))
          .as("seed %d", seed)
          .isEqualTo(answer.tables());
      assertThat(tables(new PiecewiseStream(answer.body(), () -> pieces.nextInt(40))))
          .as("seed %d in pieces", seed)
          .isEqualTo(answer.tables());
    }
  }

  @Test
  void read_cutInTwoAnywhere_isTheSame() throws IOException {
    for (RandomAnswer answer : small(40)) {
      byte[] body = answer.body();
      for (int cut = 0; cut <= body.length; cut++) {
        assertThat(tables(PiecewiseStream.cutAt(body, cut)))
            .as("cut at %d", cut)
            .isEqualTo(answer.tables());
      }
    }
  }

  @Test
  void read_thatEndsAnywhereButAfterAnEmptyLine_isAnError() {
    for (RandomAnswer answer : small(20)) {
      byte[] body = answer.body();
      for (int end = 0; end < body.length; end++) {
        byte[] part = Arrays.copyOf(body, end);
        Object said = said(part);
        assertThat(said).as("ended at %d", end).isEqualTo(slowlySaid(part));
        boolean whole = end > 0 && part[end - 1] == '\n' && said instanceof List;
        assertThat(said.equals("broken") || whole).isTrue();
      }
    }
  }

  @Test
  void read_ofDamagedAnswer_isWhatItSaysOrAnError() {
    List<byte[]> bodies = new ArrayList<>();
    small(200).forEach(answer -> bodies.add(answer.body()));
    RecordedAnswers.all().values().stream().filter(b -> b.length < 2 * SMALL).forEach(bodies::add);
    int errors = 0;
    for (int seed = 0; seed < DAMAGED; seed++) {
      Random random = new Random(seed);
      byte[] body = bodies.get(random.nextInt(bodies.size()));
      for (int i = random.nextInt(3); i >= 0; i--) {
        body = damaged(body, random);
      }
      Object said = said(body);
      Object expected = slowlySaid(body);
      if (!said.equals(expected)) {
        assertThat(said).as("seed %d", seed).isEqualTo(expected);
      }
      errors += said instanceof String ? 1 : 0;
    }
    assertThat(errors).isBetween(DAMAGED / 10, DAMAGED - DAMAGED / 20);
  }

  private static List<RandomAnswer> small(int count) {
    List<RandomAnswer> answers = new ArrayList<>();
    for (int seed = 0; answers.size() < count; seed++) {
      RandomAnswer answer = new RandomAnswer(seed);
      if (answer.body().length > 10 && answer.body().length < SMALL) {
        answers.add(answer);
      }
    }
    return answers;
  }

  private static byte[] damaged(byte[] body, Random random) {
    int at = random.nextInt(body.length + 1);
    int past = Math.min(body.length, at + 1 + random.nextInt(random.nextBoolean() ? 2 : 40));
    byte[] rest = Arrays.copyOfRange(body, past, body.length);
    byte[] part = Arrays.copyOfRange(body, at, past);
    byte[] mark = {MARKS[random.nextInt(MARKS.length)]};
    return switch (random.nextInt(5)) {
      case 0 -> Arrays.copyOf(body, at);
      case 1 -> joined(Arrays.copyOf(body, at), rest);
      case 2 -> joined(Arrays.copyOf(body, past), part, rest);
      case 3 -> joined(Arrays.copyOf(body, at), mark, part, rest);
      default -> joined(Arrays.copyOf(body, at), mark, rest);
    };
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static Object said(byte[] body) {
    try {
      return tables(new ByteArrayInputStream(body));
    } catch (FailedScriptException e) {
      return "failed: " + e.reason() + e.reference();
    } catch (BrokenAnswerException e) {
      return "broken";
    } catch (AquiferException | IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Object slowlySaid(byte[] body) {
    try {
      return PlainAnswer.read(body);
    } catch (PlainAnswer.Failed e) {
      return "failed: " + e.getMessage() + e.reference;
    } catch (PlainAnswer.Broken e) {
      return "broken";
    }
  }
}
