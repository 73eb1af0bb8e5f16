package dev.aquifer.tsquery;

/**
 * One column of an answer: an aggregate of a field.
 *
 * @param aggregate what is computed in each window
 * @param field the field's name in the query model
 */
public record Selection(Aggregate aggregate, String field) {
  /**
   * Checks the name.
   *
   * @throws dev.aquifer.RefusedQueryException when the name is empty, too long or has control
   *     characters
   */
  public Selection {
    Names.require("field", field);
  }

  @Override
  public String toString() {
    return aggregate.function() + "(" + field + ")";
  }
}
