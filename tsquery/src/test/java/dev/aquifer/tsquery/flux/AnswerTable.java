package dev.aquifer.tsquery.flux;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A table of an answer, as tests compare it: whole numbers and times as Long, bytes as Base64, the
 * rest as one expects; doubles by their bits, since Double's equality is that.
 */
record AnswerTable(
    String result,
    long id,
    List<String> labels,
    List<FluxType> types,
    List<Boolean> grouped,
    List<@Nullable Object> key,
    List<List<@Nullable Object>> rows) {

  /** Puts chunks together again. */
  static final class Collector implements FluxSink {
    final List<AnswerTable> tables = new ArrayList<>();
    private List<FluxColumn> schema = List.of();

    @Override
    public void chunk(FluxChunk chunk) {
      List<FluxColumn> columns = chunk.columns();
      if (chunk.startsSchema()) {
        schema = columns;
      }
      if (schema != columns || (chunk.startsSchema() && !chunk.startsTable())) {
        throw new AssertionError("columns that no chunk began");
      }
      if (chunk.startsTable()) {
        tables.add(
            new AnswerTable(
                chunk.result(),
                chunk.table(),
                columns.stream().map(FluxColumn::label).toList(),
                columns.stream().map(FluxColumn::type).toList(),
                columns.stream().map(FluxColumn::grouped).toList(),
                row(columns.stream().filter(FluxColumn::grouped).toList(), 0),
                new ArrayList<>()));
      }
      for (int row = 0; row < chunk.rows(); row++) {
        tables.get(tables.size() - 1).rows().add(row(columns, row));
      }
      bulk(chunk);
    }

    private static List<@Nullable Object> row(List<FluxColumn> columns, int row) {
      List<@Nullable Object> values = new ArrayList<>();
      for (FluxColumn column : columns) {
        values.add(column.isNull(row) ? null : value(column, row));
      }
      return values;
    }

    private static @Nullable Object value(FluxColumn column, int row) {
      return switch (column.type()) {
        case BOOLEAN -> column.booleanAt(row);
        case DOUBLE -> column.doubleAt(row);
        case TEXT -> column.textAt(row);
        case BINARY -> Base64.getEncoder().encodeToString(column.bytesAt(row));
        case LONG, UNSIGNED_LONG, TIME, DURATION -> column.longAt(row);
      };
    }

    /** All rows at once say the same as each of them. */
    private static void bulk(FluxChunk chunk) {
      for (FluxColumn column : chunk.columns()) {
        for (int row = 0; row < chunk.rows(); row++) {
          boolean same =
              switch (column.type()) {
                case DOUBLE ->
                    Double.doubleToRawLongBits(column.doubles()[row])
                        == Double.doubleToRawLongBits(column.doubleAt(row));
                case LONG, UNSIGNED_LONG, TIME, DURATION ->
                    column.longs()[row] == column.longAt(row);
                default -> true;
              };
          if (!same || (column.isNull(row) && !column.hasNulls())) {
            throw new AssertionError(column.label() + " differs in row " + row);
          }
        }
      }
    }
  }
}
