package dev.aquifer.tsquery.flux;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Random tables, and annotated CSV that says them: in the server's way, or in another that says the
 * same. Two neighbours in one result never have the same number.
 */
final class RandomAnswer {
  private static final List<FluxType> TYPES = List.of(FluxType.values());
  private static final String[] TEXTS = {
    "heart_rate",
    "t1",
    "a",
    " ",
    "comma,",
    "\"",
    "\"\"",
    "line\nline",
    "\n",
    "Zürich",
    "☃",
    "😀",
    "#datatype",
    "0",
    "true",
    "x".repeat(300),
    "tab\t",
    "end\r"
  };

  private final Random random;
  private final boolean plain;
  private final String lineEnd;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<AnswerTable> tables = new ArrayList<>();

  /** Of one seed always the same. */
  RandomAnswer(long seed) {
    random = new Random(seed);
    plain = random.nextInt(4) == 0;
    lineEnd = plain || random.nextInt(4) > 0 ? "\r\n" : "\n";
    int results = random.nextInt(3);
    for (int i = 0; i < results; i++) {
      result("result" + i);
      out.writeBytes(lineEnd.getBytes(StandardCharsets.UTF_8));
    }
    if (results == 0) {
      out.writeBytes(lineEnd.getBytes(StandardCharsets.UTF_8));
    }
  }

  List<AnswerTable> tables() {
    return tables;
  }

  byte[] body() {
    return out.toByteArray();
  }

  private void result(String name) {
    int blocks = 1 + random.nextInt(3);
    long id = 0;
    for (int i = 0; i < blocks; i++) {
      if (i > 0 && (plain || random.nextBoolean())) {
        out.writeBytes(lineEnd.getBytes(StandardCharsets.UTF_8));
      }
      id = block(name, id);
    }
  }

  /** Tables of one schema; the number of the next. */
  private long block(String name, long firstId) {
    int columns = random.nextInt(6);
    List<String> labels = IntStream.range(0, columns).mapToObj(i -> "c" + i).toList();
    List<FluxType> types = new ArrayList<>();
    List<Boolean> grouped = new ArrayList<>();
    List<String> defaults = new ArrayList<>();
    for (int i = 0; i < columns; i++) {
      FluxType type = TYPES.get(random.nextInt(TYPES.size()));
      types.add(type);
      grouped.add(random.nextBoolean());
      Object value = !plain && random.nextInt(4) == 0 ? value(type) : null;
      defaults.add(value == null ? "" : written(type, value));
    }
    boolean empty = random.nextInt(5) == 0;
    annotations(name, firstId, types, grouped, defaults, empty);
    List<String> header = new ArrayList<>(List.of("", "result", "table"));
    header.addAll(labels);
    line(header);
    if (empty) {
      List<@Nullable Object> row = new ArrayList<>();
      for (int i = 0; i < columns; i++) {
        row.add(orDefault(types.get(i), defaults.get(i), null));
      }
      tables.add(
          new AnswerTable(name, firstId, labels, types, grouped, key(grouped, row), List.of()));
      return firstId + 1;
    }
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      table(name, firstId + i, labels, types, grouped, defaults);
    }
    return firstId + count;
  }

  private void table(
      String name,
      long id,
      List<String> labels,
      List<FluxType> types,
      List<Boolean> grouped,
      List<String> defaults) {
    List<@Nullable Object> first = new ArrayList<>();
    types.forEach(type -> first.add(random.nextInt(6) == 0 ? null : value(type)));
    List<List<@Nullable Object>> rows = new ArrayList<>();
    List<@Nullable Object> key = List.of();
    int count = 1 + random.nextInt(random.nextInt(60) == 0 ? 3_000 : 5);
    for (int r = 0; r < count; r++) {
      List<String> cells = new ArrayList<>(List.of("", plain ? "" : named(name), "" + id));
      List<@Nullable Object> row = new ArrayList<>();
      for (int i = 0; i < types.size(); i++) {
        boolean same = grouped.get(i) || random.nextInt(3) == 0;
        Object value = same ? first.get(i) : random.nextInt(6) == 0 ? null : value(types.get(i));
        cells.add(value == null ? "" : written(types.get(i), value));
        row.add(orDefault(types.get(i), defaults.get(i), value));
      }
      line(cells);
      rows.add(row);
      key = key(grouped, row);
    }
    tables.add(new AnswerTable(name, id, labels, types, grouped, key, rows));
  }

  private String named(String name) {
    return random.nextBoolean() ? name : "";
  }

  private void annotations(
      String name,
      long id,
      List<FluxType> types,
      List<Boolean> grouped,
      List<String> defaults,
      boolean empty) {
    List<String> typeLine = new ArrayList<>(List.of("#datatype", "string", "long"));
    List<String> groupLine = new ArrayList<>(List.of("#group", "false", "false"));
    List<String> defaultLine = new ArrayList<>(List.of("#default", name, empty ? "" + id : ""));
    for (int i = 0; i < types.size(); i++) {
      boolean nano = types.get(i) == FluxType.TIME && random.nextBoolean();
      typeLine.add(types.get(i).annotation() + (nano ? "Nano" : ""));
      groupLine.add("" + grouped.get(i));
    }
    defaultLine.addAll(defaults);
    List<List<String>> lines = new ArrayList<>(List.of(typeLine, groupLine, defaultLine));
    if (!plain) {
      lines.add(List.of("#comment", "of no meaning"));
      Collections.shuffle(lines, random);
    }
    lines.forEach(this::line);
  }

  private static List<@Nullable Object> key(List<Boolean> grouped, List<@Nullable Object> row) {
    List<@Nullable Object> key = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      if (grouped.get(i)) {
        key.add(row.get(i));
      }
    }
    return key;
  }

  private static @Nullable Object orDefault(
      FluxType type, String byDefault, @Nullable Object value) {
    if (value != null || byDefault.isEmpty()) {
      return value;
    }
    return switch (type) {
      case BOOLEAN -> Boolean.valueOf(byDefault);
      case DOUBLE ->
          byDefault.endsWith("Inf")
              ? Double.valueOf(byDefault + "inity")
              : Double.valueOf(byDefault);
      case LONG, DURATION -> Long.valueOf(byDefault);
      case UNSIGNED_LONG -> Long.parseUnsignedLong(byDefault);
      case TIME -> nanos(Instant.parse(byDefault));
      case TEXT, BINARY -> byDefault;
    };
  }

  private static long nanos(Instant time) {
    return BigInteger.valueOf(time.getEpochSecond())
        .multiply(BigInteger.valueOf(1_000_000_000))
        .add(BigInteger.valueOf(time.getNano()))
        .longValueExact();
  }

  private Object value(FluxType type) {
    return switch (type) {
      case BOOLEAN -> random.nextBoolean();
      case DOUBLE -> decimal();
      case LONG, UNSIGNED_LONG, DURATION -> whole();
      case TIME -> random.nextBoolean() ? whole() : whole() % 5_000_000_000L * 1_000_000_000L;
      case TEXT -> TEXTS[random.nextInt(TEXTS.length)] + (random.nextBoolean() ? "" : whole());
      case BINARY -> {
        byte[] bytes = new byte[1 + random.nextInt(9)];
        random.nextBytes(bytes);
        yield Base64.getEncoder().encodeToString(bytes);
      }
    };
  }

  private long whole() {
    return switch (random.nextInt(6)) {
      case 0 -> Long.MAX_VALUE - random.nextInt(3);
      case 1 -> Long.MIN_VALUE + random.nextInt(3);
      case 2 -> random.nextLong();
      default -> random.nextInt(2_000) - 1_000;
    };
  }

  private double decimal() {
    return switch (random.nextInt(8)) {
      case 0 -> Double.NaN;
      case 1 -> Double.POSITIVE_INFINITY;
      case 2 -> Double.NEGATIVE_INFINITY;
      case 3 -> -0.0;
      case 4 -> (random.nextInt(200_000) - 100_000) / 100.0;
      case 5 -> random.nextGaussian() * 1e9;
      default -> {
        double any = Double.longBitsToDouble(random.nextLong());
        yield Double.isNaN(any) ? 0.1 : any;
      }
    };
  }

  private String written(FluxType type, Object value) {
    return switch (type) {
      case BOOLEAN, TEXT, BINARY, LONG, DURATION -> value.toString();
      case UNSIGNED_LONG -> Long.toUnsignedString((Long) value);
      case TIME -> time((Long) value);
      case DOUBLE -> decimal((Double) value);
    };
  }

  private static String time(long nanos) {
    return Instant.ofEpochSecond(
            Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L))
        .toString();
  }

  private String decimal(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    }
    if (Double.isInfinite(value)) {
      return value < 0 ? "-Inf" : "+Inf";
    }
    if (!plain && random.nextBoolean()) {
      return Double.toString(value);
    }
    boolean minusZero = value == 0 && Double.doubleToRawLongBits(value) < 0;
    return minusZero ? "-0" : BigDecimal.valueOf(value).toPlainString();
  }

  private void line(List<String> cells) {
    StringBuilder line = new StringBuilder();
    for (String cell : cells) {
      line.append(quoted(cell)).append(',');
    }
    line.setLength(line.length() - 1);
    out.writeBytes(line.append(lineEnd).toString().getBytes(StandardCharsets.UTF_8));
  }

  private String quoted(String cell) {
    boolean needed = cell.matches("(?s).*[,\"\r\n].*");
    if (!needed && (plain || random.nextInt(10) > 0)) {
      return cell;
    }
    return '"' + cell.replace("\"", "\"\"").replace("\n", "\r\n") + '"';
  }
}
