package dev.aquifer.tsquery;

import dev.aquifer.RefusedQueryException;
import org.jspecify.annotations.Nullable;

/**
 * One column of an answer: an aggregate of a field.
 *
 * @param aggregate what is computed in each window
 * @param field the field's name in the query model
 * @param quantile the share of points, 0 to 1, of {@link Aggregate#QUANTILE}; null for all others
 */
public record Selection(Aggregate aggregate, String field, @Nullable Double quantile) {
  /**
   * Checks the name and the share.
   *
   * @throws RefusedQueryException when the name is empty, too long or has control characters, or
   *     the share is not from 0 to 1, missing, or not wanted
   */
  public Selection {
    Names.require("field", field);
    boolean fits =
        aggregate == Aggregate.QUANTILE
            ? quantile != null && quantile >= 0 && quantile <= 1
            : quantile == null;
    if (!fits) {
      throw new RefusedQueryException(
          aggregate == Aggregate.QUANTILE
              ? "The quantile %s of %s is none; use Selection.quantile(0 to 1, field)."
                  .formatted(quantile, Names.printable(field))
              : "%s of %s takes no quantile, but got %s."
                  .formatted(aggregate.function(), Names.printable(field), quantile));
    }
    // Of the two zeros one will do.
    quantile = quantile == null ? null : (Double) (quantile + 0.0);
  }

  /**
   * An aggregate that needs nothing but the field.
   *
   * @throws RefusedQueryException as above
   */
  public Selection(Aggregate aggregate, String field) {
    this(aggregate, field, null);
  }

  /**
   * The value that the share q of the points do not pass; see {@link Aggregate#QUANTILE}.
   *
   * @param q 0 to 1; 0.95 for the 95th percentile
   * @throws RefusedQueryException as above
   */
  public static Selection quantile(double q, String field) {
    return new Selection(Aggregate.QUANTILE, field, q);
  }

  /** What its column is called, such as {@code mean(delay)} or {@code quantile(0.95, delay)}. */
  public String name() {
    return aggregate.function() + "(" + (quantile == null ? "" : quantile + ", ") + field + ")";
  }

  @Override
  public String toString() {
    return name();
  }
}
