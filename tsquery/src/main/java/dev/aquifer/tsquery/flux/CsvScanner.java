package dev.aquifer.tsquery.flux;

import dev.aquifer.RefusedQueryException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Finds the cells of CSV in a stream's bytes. A row that is not yet whole in the buffer is scanned
 * again when more has come, so that no cell is ever in two parts; each time at least as much is
 * waited for as is there, so that all scans of a long row together cost a few times its length.
 *
 * <p>Strict where Go's writer, which InfluxDB uses, is: quotes only around a whole cell, doubled in
 * it. In a quoted cell CR LF is a line feed, because that writer makes the one of the other.
 */
final class CsvScanner {
  private static final int FIRST_BYTES = 1 << 13;
  private static final int MANY_BYTES = 1 << 16;

  private final InputStream body;
  private final int rowBytes;

  private byte[] buffer = new byte[FIRST_BYTES];
  private int row;
  private int end;
  private boolean ended;
  private long rowNumber;

  // The cell that was found: its bytes, unescaped.
  private byte[] cell = buffer;
  private int from;
  private int to;
  private boolean lastOfRow;
  private byte[] unescaped = {};

  CsvScanner(InputStream body, int rowBytes) {
    this.body = body;
    this.rowBytes = rowBytes;
  }

  /** Where the row that is being read begins. */
  int row() {
    return row;
  }

  /** The row is read to there. */
  void rowRead(int next) {
    if (next - row > rowBytes) {
      throw tooLong();
    }
    row = next;
    rowNumber++;
  }

  /** An empty line is read to there. */
  void emptyRead(int next) {
    row = next;
  }

  /**
   * Reads more of the body; false when there is nothing left to scan.
   *
   * @throws RefusedQueryException the row is longer than allowed
   */
  boolean more() throws IOException {
    int tried = end - row;
    if (tried > rowBytes) {
      throw tooLong();
    }
    byte[] before = buffer;
    if (tried > buffer.length / 2) {
      buffer = new byte[Math.min(2 * buffer.length, rowBytes + MANY_BYTES)];
    } else if (end == buffer.length && end < MANY_BYTES) {
      buffer = new byte[MANY_BYTES];
    }
    System.arraycopy(before, row, buffer, 0, tried);
    row = 0;
    end = tried;
    int wanted = Math.min(buffer.length, Math.max(1, 2 * tried));
    while (end < wanted && !ended) {
      int count = body.read(buffer, end, buffer.length - end);
      if (count == 0) {
        int one = body.read();
        ended = one < 0;
        if (!ended) {
          buffer[end++] = (byte) one;
        }
      } else if (count < 0) {
        ended = true;
      } else {
        end += count;
      }
    }
    return end > row;
  }

  /** Where the next row begins when an empty line is here; 0 when none is, −1 for want of bytes. */
  int emptyLine() {
    if (row == end) {
      return -1;
    }
    if (buffer[row] == '\n') {
      return row + 1;
    }
    return buffer[row] == '\r' ? afterReturn(row) : 0;
  }

  /**
   * Finds the cell that begins there.
   *
   * @return where the next begins; −1 when the row is not whole yet
   */
  int scan(int at) {
    byte[] bytes = buffer;
    int limit = end;
    int i = at;
    for (; i + Long.BYTES <= limit; i += Long.BYTES) {
      // All that ends a cell is below '-', and little of what cells are full of.
      long marks = Words.below(Words.at(bytes, i), '-');
      for (; marks != 0; marks &= marks - 1) {
        int place = i + Words.first(marks);
        if (ends(bytes[place])) {
          return endAt(at, place);
        }
      }
    }
    for (; i < limit; i++) {
      if (ends(bytes[i])) {
        return endAt(at, i);
      }
    }
    return wanting();
  }

  private static boolean ends(byte each) {
    return each == ',' || each == '\n' || each == '\r' || each == '"';
  }

  private int endAt(int at, int place) {
    byte each = buffer[place];
    if (each == ',') {
      return found(buffer, at, place, place + 1, false);
    }
    if (each == '\n') {
      return found(buffer, at, place, place + 1, true);
    }
    if (each == '\r') {
      int next = afterReturn(place);
      return next < 0 ? next : found(buffer, at, place, next, true);
    }
    if (place > at) {
      throw broken("a quote in a cell that is not quoted");
    }
    return scanQuoted(place + 1);
  }

  /** Whether a time of whole seconds in UTC, and then a comma, may be there. */
  boolean mayBeTime(int at) {
    int zone = at + Times.SHORTEST - 1;
    return zone + 1 < end && buffer[zone] == 'Z' && buffer[zone + 1] == ',';
  }

  byte[] buffer() {
    return buffer;
  }

  /** Whether these very bytes are there. */
  boolean matches(int at, byte[] bytes, int length) {
    return length <= end - at && Words.same(buffer, at, bytes, 0, length);
  }

  /** Copies from there; the array is made as long as it must be. */
  byte[] copy(int at, int length, byte[] into) {
    byte[] copy = into.length < length ? new byte[Math.max(32, 2 * length)] : into;
    System.arraycopy(buffer, at, copy, 0, length);
    return copy;
  }

  byte[] cell() {
    return cell;
  }

  int from() {
    return from;
  }

  int to() {
    return to;
  }

  boolean lastOfRow() {
    return lastOfRow;
  }

  BrokenAnswerException broken(String reason) {
    return new BrokenAnswerException(rowNumber + 1, reason);
  }

  private int scanQuoted(int at) {
    byte[] bytes = buffer;
    int limit = end;
    int length = 0;
    int from = at;
    int i = at;
    while (i < limit) {
      if (i + Long.BYTES <= limit) {
        long word = Words.at(bytes, i);
        long marks = Words.where(word, '"') | Words.where(word, '\r');
        if (marks == 0) {
          i += Long.BYTES;
          continue;
        }
        i += Words.first(marks);
      }
      byte each = bytes[i];
      byte after = i + 1 < limit ? bytes[i + 1] : 0;
      if (each == '"' && after != '"') {
        return i + 1 < limit ? quoted(at, from, i, length) : wanting();
      }
      i++;
      if (each == '"' || (each == '\r' && after == '\n')) {
        length = unescape(from, i - 1, length);
        from = i++;
      }
    }
    return wanting();
  }

  /** Adds bytes to the unescaped ones, of which there are so many; how many there are then. */
  private int unescape(int first, int past, int length) {
    int added = past - first;
    if (unescaped.length < length + added) {
      unescaped = Arrays.copyOf(unescaped, Math.max(256, 2 * (length + added)));
    }
    System.arraycopy(buffer, first, unescaped, length, added);
    return length + added;
  }

  /** A cell whose quotes close there; its bytes before {@code first} are unescaped. */
  private int quoted(int at, int first, int close, int length) {
    int after = close + 1;
    int next = after + 1;
    if (buffer[after] == '\r') {
      next = afterReturn(after);
      if (next < 0) {
        return next;
      }
    } else if (buffer[after] != ',' && buffer[after] != '\n') {
      throw broken("more after the quotes of a cell");
    }
    boolean last = buffer[after] != ',';
    if (first == at) {
      return found(buffer, at, close, next, last);
    }
    int all = unescape(first, close, length);
    return found(unescaped, 0, all, next, last);
  }

  private int found(byte[] bytes, int first, int past, int next, boolean last) {
    cell = bytes;
    from = first;
    to = past;
    lastOfRow = last;
    return next;
  }

  private int afterReturn(int at) {
    if (at + 1 == end) {
      return wanting();
    }
    if (buffer[at + 1] != '\n') {
      throw broken("a carriage return without a line feed");
    }
    return at + 2;
  }

  private int wanting() {
    if (ended) {
      throw broken("the body ended in the middle of a row");
    }
    return -1;
  }

  private RefusedQueryException tooLong() {
    return new RefusedQueryException(
        "Row %,d of the answer has more than %,d bytes; raise the limit, or select less."
            .formatted(rowNumber + 1, rowBytes));
  }
}
