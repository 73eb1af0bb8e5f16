package dev.aquifer.tsquery.flux;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What annotated CSV says, read slowly: the body as one text of its bytes, a list of cells for each
 * row, the JDK's own parsers. What {@link FluxCsv} is judged by.
 */
final class PlainAnswer {
  private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]+");
  private static final Pattern NATURAL = Pattern.compile("[0-9]+");
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");
  private static final Pattern TIME =
      Pattern.compile(
          "([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
              + "(?:\\.([0-9]{1,9}))?(?:Z|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))");
  private static final BigInteger NANOS = BigInteger.valueOf(1_000_000_000L);

  /** It is no whole answer. */
  static final class Broken extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Broken(String reason) {
      super(reason, null, false, false);
    }
  }

  /** It ends with an error of the server. */
  static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    final String reference;

    Failed(String reason, String reference) {
      super(reason);
      this.reference = reference;
    }
  }

  private final String text;
  private int at;
  private final List<AnswerTable> tables = new ArrayList<>();
  private final List<List<String>> annotations = new ArrayList<>();
  private @Nullable List<String> header;
  private List<FluxType> types = List.of();
  private List<Boolean> grouped = List.of();
  private @Nullable List<String> defaults;
  private boolean inBlock;

  private PlainAnswer(String text) {
    this.text = text;
  }

  static List<AnswerTable> read(byte[] body) {
    PlainAnswer answer = new PlainAnswer(new String(body, StandardCharsets.ISO_8859_1));
    answer.blocks();
    return answer.tables;
  }

  private static String utf8(String bytes) {
    byte[] cell = bytes.getBytes(StandardCharsets.ISO_8859_1);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(cell)).toString();
    } catch (CharacterCodingException e) {
      throw new Broken("not UTF-8");
    }
  }

  /** Rows up to each empty line. */
  private void blocks() {
    boolean failing = false;
    boolean whole = false;
    while (at < text.length()) {
      whole = text.startsWith("\n", at) || text.startsWith("\r\n", at);
      if (whole) {
        at = text.indexOf('\n', at) + 1;
        if (failing || (!annotations.isEmpty() && header == null)) {
          throw new Broken("an empty line too early");
        }
        endBlock();
        continue;
      }
      List<String> cells = row();
      if (cells.size() == 1) {
        throw new Broken("one cell");
      }
      List<String> rest = cells.subList(1, cells.size());
      if (cells.get(0).startsWith("#")) {
        if (failing) {
          throw new Broken("annotations instead of an error");
        }
        if (header != null) {
          endBlock();
        }
        annotations.add(cells);
        annotation(cells.get(0));
      } else if (!cells.get(0).isEmpty()) {
        throw new Broken("a value first");
      } else if (failing) {
        throw new Failed(rest.get(0), rest.size() > 1 ? rest.get(1) : "");
      } else if (header != null) {
        value(rest);
      } else if (rest.equals(List.of("error"))
          || (rest.size() > 1 && rest.subList(0, 2).equals(List.of("error", "reference")))) {
        failing = true;
      } else {
        header(rest);
      }
    }
    if (!whole) {
      throw new Broken("ended early");
    }
  }

  private List<String> row() {
    List<String> cells = new ArrayList<>();
    while (true) {
      cells.add(utf8(text.startsWith("\"", at) ? quotedCell() : cell()));
      if (at == text.length()) {
        throw new Broken("ended in a row");
      }
      if (text.startsWith("\r\n", at)) {
        at += 2;
        return cells;
      }
      char after = text.charAt(at++);
      if (after == '\n') {
        return cells;
      }
      if (after != ',') {
        throw new Broken("after a cell: " + after);
      }
    }
  }

  private String quotedCell() {
    StringBuilder cell = new StringBuilder();
    for (at++; at < text.length(); at++) {
      if (text.charAt(at) != '"') {
        cell.append(text.charAt(at));
      } else if (text.startsWith("\"\"", at)) {
        cell.append('"');
        at++;
      } else {
        at++;
        return unquoted(cell.toString());
      }
    }
    throw new Broken("ended in quotes");
  }

  /** A doubled quote between the two does not make a line end of them. */
  private static String unquoted(String cell) {
    return cell.replace("\r\n", "\n");
  }

  private String cell() {
    int from = at;
    while (at < text.length() && ",\r\n".indexOf(text.charAt(at)) < 0) {
      if (text.charAt(at++) == '"') {
        throw new Broken("a quote in a cell");
      }
    }
    return text.substring(from, at);
  }

  private @Nullable List<String> annotation(String name) {
    List<List<String>> found = annotations.stream().filter(a -> a.get(0).equals(name)).toList();
    boolean known = List.of("#datatype", "#group", "#default").contains(name);
    if (known && found.size() > 1) {
      throw new Broken("twice");
    }
    return found.isEmpty() ? null : found.get(0).subList(1, found.get(0).size());
  }

  private void header(List<String> labels) {
    List<String> names = annotation("#datatype");
    List<String> groups = annotation("#group");
    defaults = annotation("#default");
    for (List<String> each : Arrays.asList(names, groups, defaults)) {
      if ((each == null && names == null) || (each != null && each.size() != labels.size())) {
        throw new Broken("annotations");
      }
    }
    if (labels.size() < 2
        || !labels.subList(0, 2).equals(List.of("result", "table"))
        || new HashSet<>(labels.subList(2, labels.size())).size() != labels.size() - 2) {
      throw new Broken("labels");
    }
    types = names.subList(2, names.size()).stream().map(PlainAnswer::type).toList();
    grouped =
        labels.subList(2, labels.size()).stream()
            .map(label -> groups != null && groups.get(labels.lastIndexOf(label)).equals("true"))
            .toList();
    if (groups != null
        && groups.subList(2, groups.size()).stream()
            .anyMatch(g -> !g.equals("true") && !g.equals("false"))) {
      throw new Broken("group");
    }
    header = labels;
  }

  private static FluxType type(String name) {
    return switch (name) {
      case "boolean" -> FluxType.BOOLEAN;
      case "long" -> FluxType.LONG;
      case "unsignedLong" -> FluxType.UNSIGNED_LONG;
      case "double" -> FluxType.DOUBLE;
      case "string" -> FluxType.TEXT;
      case "dateTime", "dateTime:RFC3339", "dateTime:RFC3339Nano" -> FluxType.TIME;
      case "duration" -> FluxType.DURATION;
      case "base64Binary" -> FluxType.BINARY;
      default -> throw new Broken("type " + name);
    };
  }

  private void value(List<String> cells) {
    if (cells.size() != header.size()) {
      throw new Broken("too many cells or too few");
    }
    String result = or(cells.get(0), 0);
    Object id = parsed(FluxType.LONG, or(cells.get(1), 1));
    if (id == null) {
      throw new Broken("no table");
    }
    List<@Nullable Object> row = new ArrayList<>();
    for (int i = 2; i < cells.size(); i++) {
      row.add(parsed(types.get(i - 2), or(cells.get(i), i)));
    }
    AnswerTable last = tables.isEmpty() ? null : tables.get(tables.size() - 1);
    if (!inBlock || !last.result().equals(result) || last.id() != (Long) id) {
      last = begin(result, (Long) id, key(row));
    }
    if (!Objects.equals(last.key(), key(row))) {
      throw new Broken("another key");
    }
    last.rows().add(row);
  }

  private AnswerTable begin(String result, long id, List<@Nullable Object> key) {
    AnswerTable table =
        new AnswerTable(
            result,
            id,
            List.copyOf(header.subList(2, header.size())),
            types,
            grouped,
            key,
            new ArrayList<>());
    tables.add(table);
    inBlock = true;
    return table;
  }

  private List<@Nullable Object> key(List<@Nullable Object> row) {
    List<@Nullable Object> key = new ArrayList<>();
    for (int i = 0; i < row.size(); i++) {
      if (grouped.get(i)) {
        key.add(row.get(i));
      }
    }
    return key;
  }

  /** A block without rows is a table without rows. */
  private void endBlock() {
    if (header != null && !inBlock) {
      Object id = parsed(FluxType.LONG, or("", 1));
      if (id == null) {
        throw new Broken("no table");
      }
      List<@Nullable Object> row = new ArrayList<>();
      for (int i = 2; i < header.size(); i++) {
        boolean inKey = grouped.get(i - 2);
        row.add(inKey ? parsed(types.get(i - 2), or("", i)) : null);
      }
      begin(or("", 0), (Long) id, key(row));
    }
    header = null;
    inBlock = false;
    annotations.clear();
    defaults = null;
  }

  private String or(String cell, int index) {
    return cell.isEmpty() && defaults != null ? defaults.get(index) : cell;
  }

  private static @Nullable Object parsed(FluxType type, String cell) {
    if (cell.isEmpty()) {
      return null;
    }
    return switch (type) {
      case BOOLEAN -> {
        require(cell.equals("true") || cell.equals("false"));
        yield cell.equals("true");
      }
      case LONG, DURATION -> {
        require(WHOLE.matcher(cell).matches());
        yield exact(new BigInteger(cell));
      }
      case UNSIGNED_LONG -> {
        require(NATURAL.matcher(cell).matches() && new BigInteger(cell).bitLength() <= 64);
        yield new BigInteger(cell).longValue();
      }
      case DOUBLE -> decimal(cell);
      case TEXT -> cell;
      case TIME -> time(cell);
      case BINARY -> {
        try {
          byte[] bytes = Base64.getDecoder().decode(cell);
          require(Base64.getEncoder().encodeToString(bytes).equals(cell));
          yield cell;
        } catch (IllegalArgumentException e) {
          throw new Broken("Base64");
        }
      }
    };
  }

  private static double decimal(String cell) {
    return switch (cell) {
      case "NaN" -> Double.NaN;
      case "Inf", "+Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> {
        require(DECIMAL.matcher(cell).matches());
        yield Double.parseDouble(cell);
      }
    };
  }

  private static long time(String cell) {
    Matcher time = TIME.matcher(cell);
    require(time.matches());
    int[] parts = new int[6];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = Integer.parseInt(time.group(i + 1));
    }
    long seconds;
    try {
      seconds =
          LocalDateTime.of(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
              .toEpochSecond(ZoneOffset.UTC);
    } catch (DateTimeException e) {
      throw new Broken("time");
    }
    if (time.group(8) != null) {
      int offset = Integer.parseInt(time.group(9)) * 3600 + Integer.parseInt(time.group(10)) * 60;
      seconds -= time.group(8).equals("-") ? -offset : offset;
    }
    String fraction = time.group(7) == null ? "" : time.group(7);
    BigInteger nanos = new BigInteger((fraction + "000000000").substring(0, 9));
    return exact(BigInteger.valueOf(seconds).multiply(NANOS).add(nanos));
  }

  private static long exact(BigInteger number) {
    require(number.bitLength() < 64);
    return number.longValue();
  }

  private static void require(boolean right) {
    if (!right) {
      throw new Broken("value");
    }
  }
}
