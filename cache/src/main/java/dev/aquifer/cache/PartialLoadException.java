package dev.aquifer.cache;

import dev.aquifer.AquiferException;
import java.util.Map;

/**
 * Thrown by a bulk loader that has values for some keys and failures for others. What it has is
 * stored and returned; each failure reaches the callers of its key alone. A key in neither map has
 * no value.
 */
public final class PartialLoadException extends AquiferException {
  private static final long serialVersionUID = 1L;

  private final transient Map<?, ?> values;
  private final transient Map<?, ? extends Throwable> errors;

  /**
   * What was loaded, and what failed.
   *
   * @param values by key
   * @param errors by key
   */
  public <K> PartialLoadException(
      Map<? extends K, ?> values, Map<? extends K, ? extends Throwable> errors) {
    super(
        "%d of %d keys could not be loaded."
            .formatted(errors.size(), errors.size() + values.size()));
    this.values = Map.copyOf(values);
    this.errors = Map.copyOf(errors);
  }

  /** What was loaded, by key. */
  public Map<?, ?> values() {
    return values;
  }

  /** What failed, by key. */
  public Map<?, ? extends Throwable> errors() {
    return errors;
  }
}
