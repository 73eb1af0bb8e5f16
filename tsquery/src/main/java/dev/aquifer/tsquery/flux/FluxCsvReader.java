package dev.aquifer.tsquery.flux;

import dev.aquifer.RefusedQueryException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads one answer: annotations, a header, then rows, of which each run with the same result and
 * table number is a table. An empty line ends what the annotations are for. A row that is not yet
 * whole in the scanner is read again from its start; all that it sets is then set again.
 */
final class FluxCsvReader {
  private static final int CHUNK_ROWS = 1 << 10;
  private static final int CHUNK_CELLS = 1 << 17;
  private static final int CHUNK_BYTES = 1 << 22;
  private static final int FIRST_ROWS = 16;

  private enum State {
    EMPTY_LINE,
    ANNOTATIONS,
    ROWS,
    FAILED
  }

  private final CsvScanner scanner;
  private final TextPool texts = new TextPool();
  private final FluxCsvLimits limits;
  private final FluxSink sink;
  private final FluxChunk chunk = new FluxChunk();
  private final FluxAnnotations annotations;
  private final List<ColumnReader> pool = new ArrayList<>();
  private final ColumnReader result;
  private final ColumnReader table;

  private State state = State.EMPTY_LINE;
  private boolean begun;

  private ColumnReader[] columns = {};
  private int capacity;
  private int room;
  private boolean anyTable;
  private long tableRows;
  private int rows;
  private long chunkBytes;
  private long allRows;

  // Of the table's first row: its bytes before and after the columns that are not grouped. Most
  // rows begin and end with the same, which is compared at once.
  private byte[] head = {};
  private byte[] tail = {};
  private int headLength;
  private int tailLength;
  private int firstFree;
  private int pastFree;

  FluxCsvReader(InputStream body, FluxCsvLimits limits, FluxSink sink) {
    this.scanner = new CsvScanner(body, limits.rowBytes());
    this.limits = limits;
    this.sink = sink;
    this.annotations = new FluxAnnotations(scanner);
    this.result = new ColumnReader(scanner, texts, chunk);
    this.table = new ColumnReader(scanner, texts, chunk);
  }

  void read() throws IOException {
    boolean more = scanner.more();
    while (more) {
      while (row()) {
        begun = true;
      }
      more = scanner.more();
    }
    if (!begun || state != State.EMPTY_LINE) {
      throw scanner.broken("the body ended before the empty line that ends an answer");
    }
  }

  /** Reads a row; false when it is not whole yet. */
  private boolean row() {
    int start = scanner.row();
    if (tableRows > 0 && scanner.matches(start, head, headLength)) {
      return sameTable(start + headLength);
    }
    int afterEmpty = scanner.emptyLine();
    if (afterEmpty != 0) {
      return afterEmpty > 0 && emptyLine(afterEmpty);
    }
    int next = scanner.scan(start);
    if (next < 0) {
      return false;
    }
    if (scanner.lastOfRow()) {
      throw scanner.broken("a row of one cell; is it an answer of Flux?");
    }
    if (scanner.from() == scanner.to()) {
      return state == State.ROWS ? values(next) : header(next);
    }
    String annotation = text();
    if (!annotation.startsWith("#")) {
      throw scanner.broken("a row that begins with a value; is it an answer of Flux?");
    }
    return annotation(annotation, next);
  }

  private boolean emptyLine(int next) {
    if (state == State.ANNOTATIONS || state == State.FAILED) {
      throw scanner.broken("an empty line where a header or an error should be");
    }
    endTables();
    state = State.EMPTY_LINE;
    scanner.emptyRead(next);
    return true;
  }

  private boolean annotation(String name, int at) {
    List<String> cells = cells(at);
    if (cells == null) {
      return false;
    }
    if (state == State.FAILED) {
      throw scanner.broken("annotations where an error should be");
    }
    if (state != State.ANNOTATIONS) {
      endTables();
      annotations.clear();
      state = State.ANNOTATIONS;
    }
    annotations.take(name, cells);
    return true;
  }

  /** The header, or the row that has the server's error. */
  private boolean header(int at) {
    List<String> cells = cells(at);
    if (cells == null) {
      return false;
    }
    if (state == State.FAILED) {
      throw new FailedScriptException(cells.get(0), cells.size() > 1 ? cells.get(1) : "");
    }
    if (cells.get(0).equals("error") && (cells.size() == 1 || cells.get(1).equals("reference"))) {
      state = State.FAILED;
      return true;
    }
    if (state != State.ANNOTATIONS) {
      annotations.clear();
    }
    annotations.check(cells);
    schema(cells);
    state = State.ROWS;
    return true;
  }

  /** The rest of the row; null when it is not whole yet. */
  private @Nullable List<String> cells(int at) {
    List<String> cells = new ArrayList<>();
    int next = at;
    do {
      next = scanner.scan(next);
      if (next < 0) {
        return null;
      }
      if (cells.size() == limits.columns() + 2) {
        throw new RefusedQueryException(
            "A table of the answer has more than %,d columns; raise the limit, or keep fewer."
                .formatted(limits.columns()));
      }
      cells.add(text());
    } while (!scanner.lastOfRow());
    scanner.rowRead(next);
    return cells;
  }

  private String text() {
    try {
      return texts.text(scanner.cell(), scanner.from(), scanner.to());
    } catch (IllegalArgumentException e) {
      throw scanner.broken("an annotation or a header that is not UTF-8");
    }
  }

  private void schema(List<String> labels) {
    int count = labels.size();
    result.begin("result", FluxType.TEXT, false, annotations.byDefault(0), false);
    table.begin("table", FluxType.LONG, false, annotations.byDefault(1), count == 2);
    capacity = Math.max(FIRST_ROWS, Math.min(CHUNK_ROWS, CHUNK_CELLS / count));
    room = FIRST_ROWS;
    columns = new ColumnReader[count - 2];
    List<FluxColumn> shown = new ArrayList<>(count);
    for (int i = 2; i < count; i++) {
      ColumnReader column = pooled(i - 2);
      column.begin(
          labels.get(i),
          annotations.type(i),
          annotations.grouped(i),
          annotations.byDefault(i),
          i == count - 1);
      column.column().ensure(room);
      columns[i - 2] = column;
      shown.add(column.column());
    }
    chunk.schema(shown);
    anyTable = false;
    firstFree = 0;
    while (firstFree < columns.length && columns[firstFree].grouped()) {
      firstFree++;
    }
    pastFree = columns.length;
    while (pastFree > firstFree && columns[pastFree - 1].grouped()) {
      pastFree--;
    }
  }

  private ColumnReader pooled(int index) {
    if (index == pool.size()) {
      pool.add(new ColumnReader(scanner, texts, chunk));
    }
    return pool.get(index);
  }

  private boolean values(int at) {
    int next = result.read(at, 0);
    if (next >= 0) {
      next = table.read(next, 0);
    }
    if (next < 0) {
      return false;
    }
    begin();
    int headEnd = next;
    int tailStart = next;
    for (int i = 0; i < columns.length; i++) {
      next = cell(i, next);
      if (next < 0) {
        return false;
      }
      headEnd = i < firstFree ? next : headEnd;
      tailStart = i < pastFree ? next : tailStart;
    }
    if (tableRows == 0) {
      headLength = headEnd - scanner.row();
      tailLength = next - tailStart;
      head = scanner.copy(scanner.row(), headLength, head);
      tail = scanner.copy(tailStart, tailLength, tail);
    }
    rowRead(next);
    return true;
  }

  /** A row that begins like its table's first. */
  private boolean sameTable(int at) {
    makeRoom();
    int next = at;
    for (int i = firstFree; i < pastFree; i++) {
      next = cell(i, next);
      if (next < 0) {
        return false;
      }
    }
    if (scanner.matches(next, tail, tailLength)) {
      next += tailLength;
    } else {
      for (int i = pastFree; i < columns.length; i++) {
        next = cell(i, next);
        if (next < 0) {
          return false;
        }
      }
    }
    rowRead(next);
    return true;
  }

  private int cell(int index, int at) {
    ColumnReader column = columns[index];
    if (!column.grouped()) {
      return column.read(at, rows);
    }
    return tableRows == 0 ? column.read(at, 0) : column.readSame(at);
  }

  /** Begins the table that the row is of, when it is the first of it. */
  private void begin() {
    if (table.isNull()) {
      throw scanner.broken("a row without the number of its table");
    }
    if (!anyTable || table.whole() != chunk.table() || !result.text().equals(chunk.result())) {
      deliver();
      beginTable();
    }
    makeRoom();
  }

  private void makeRoom() {
    if (rows == room) {
      room = Math.min(capacity, 2 * room);
      for (ColumnReader column : columns) {
        if (!column.grouped()) {
          column.column().ensure(room);
        }
      }
    }
  }

  private void beginTable() {
    anyTable = true;
    tableRows = 0;
    chunk.begin(result.text(), table.whole());
    for (ColumnReader column : columns) {
      column.column().clearNulls();
    }
  }

  private void rowRead(int next) {
    chunkBytes += next - scanner.row();
    scanner.rowRead(next);
    rows++;
    tableRows++;
    if (++allRows > limits.rows()) {
      throw new RefusedQueryException(
          "The answer has more than %,d rows; raise the limit, or ask for less."
              .formatted(limits.rows()));
    }
    if (rows == capacity || chunkBytes > CHUNK_BYTES) {
      deliver();
    }
  }

  private void deliver() {
    if (rows > 0) {
      chunk.rows(rows);
      sink.chunk(chunk);
      chunk.taken();
      rows = 0;
      chunkBytes = 0;
      for (ColumnReader column : columns) {
        if (!column.grouped()) {
          column.column().clearNulls();
        }
      }
    }
  }

  /** Delivers the last rows; or the table without rows that annotations without rows are. */
  private void endTables() {
    if (state != State.ROWS) {
      return;
    }
    deliver();
    tableRows = 0;
    if (!anyTable) {
      result.readDefault();
      table.readDefault();
      if (table.isNull()) {
        throw scanner.broken("a table without rows and without a number");
      }
      beginTable();
      for (ColumnReader column : columns) {
        if (column.grouped()) {
          column.readDefault();
        }
      }
      sink.chunk(chunk);
      chunk.taken();
    }
  }
}
