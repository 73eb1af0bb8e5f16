package dev.aquifer.tsquery.flux;

import java.io.IOException;
import java.io.InputStream;

/**
 * Reads the annotated CSV that InfluxDB answers Flux with, as it arrives, into typed columns. No
 * object is made for a row or a cell; texts that come again are the same object.
 *
 * <pre>{@code
 * FluxCsv.read(
 *     body,
 *     chunk -> {
 *       long[] times = chunk.column("_time").longs();
 *       double[] values = chunk.column("_value").doubles();
 *       for (int row = 0; row < chunk.rows(); row++) {
 *         draw(times[row], values[row]);
 *       }
 *     });
 * }</pre>
 *
 * <p>The request's dialect must have the header and the annotation {@code datatype}; {@code group}
 * and {@code default} are heeded where they are. The body must be whole: one that ends anywhere but
 * after the empty line that ends a result is an error, never a short answer.
 */
public final class FluxCsv {
  private FluxCsv() {}

  /**
   * Reads an answer to its end, within {@link FluxCsvLimits#defaults}.
   *
   * @param body read from, not closed; needs no buffer of its own
   * @throws FailedScriptException the answer ends with an error of the server
   * @throws BrokenAnswerException the body is no such answer, or ended before its end
   * @throws dev.aquifer.RefusedQueryException the answer is larger than the limits
   * @throws IOException the body's own
   */
  public static void read(InputStream body, FluxSink sink) throws IOException {
    read(body, FluxCsvLimits.defaults(), sink);
  }

  /**
   * Reads an answer to its end.
   *
   * @param body read from, not closed; needs no buffer of its own
   * @throws FailedScriptException the answer ends with an error of the server
   * @throws BrokenAnswerException the body is no such answer, or ended before its end
   * @throws dev.aquifer.RefusedQueryException the answer is larger than the limits
   * @throws IOException the body's own
   */
  public static void read(InputStream body, FluxCsvLimits limits, FluxSink sink)
      throws IOException {
    new FluxCsvReader(body, limits, sink).read();
  }
}
