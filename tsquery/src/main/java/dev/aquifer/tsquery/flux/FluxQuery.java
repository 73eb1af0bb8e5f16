package dev.aquifer.tsquery.flux;

import dev.aquifer.ConfigurationException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A script whose values travel beside its text, for InfluxDB 2.x: the script reads {@code
 * params.name}, the value goes into the request's {@code extern}. No value is ever part of the
 * text, and what is pushed down stays pushed down.
 *
 * <pre>{@code
 * FluxQuery query =
 *     FluxQuery.of(script).bind("device", device).confinedTo("tenant", tenant);
 * send(query.text(), query.extern());
 * }</pre>
 *
 * <p>Immutable: each method returns another query.
 */
public final class FluxQuery {
  /** No name that can be bound begins with an underscore. */
  private static final String TENANT = "_tenant";

  private final FluxScript script;
  private final Map<String, Expression> values;

  private FluxQuery(FluxScript script, Map<String, Expression> values) {
    this.script = script;
    this.values = values;
  }

  /**
   * A query without bound values.
   *
   * @throws RefusedScriptException see {@link FluxScript#parse}
   */
  public static FluxQuery of(String text) {
    return new FluxQuery(FluxScript.parse(text), Map.of());
  }

  /**
   * Binds a value to {@code params.name}.
   *
   * @param name a letter, then letters, digits and underscores, none of Flux's keywords
   * @param value a String, Long, Integer, Double, Boolean, Instant, Duration, or a List of those
   * @throws ConfigurationException the name cannot be bound or is bound already, or values of this
   *     type cannot be
   * @throws dev.aquifer.RefusedQueryException Flux has no such value: a float that is not finite, a
   *     text that is not Unicode
   */
  public FluxQuery bind(String name, Object value) {
    if (!name.matches("[A-Za-z][A-Za-z0-9_]*") || !Lexer.isName(name)) {
      throw new ConfigurationException(
          "'" + Messages.shown(name) + "' is no name for a bound value; use letters and digits");
    }
    return with(name, BoundValue.of(name, value));
  }

  /**
   * The same query, confined as by {@link FluxScript#confinedTo}, with the tenant bound, too.
   *
   * @throws RefusedScriptException it cannot be confined
   * @throws ConfigurationException it is confined already
   */
  public FluxQuery confinedTo(String tag, String value) {
    FluxQuery bound = with(TENANT, BoundValue.of(TENANT, value));
    Expression tenant =
        new Expression.Member(new Expression.Name("params", Place.NONE), TENANT, Place.NONE);
    return new FluxQuery(
        new FluxScript(new TenantGuard(tag, tenant).confine(script.statements())), bound.values);
  }

  /**
   * The same query, its script as {@link FluxScript#optimized()} has it. No bound value gets into
   * the text.
   */
  public FluxQuery optimized() {
    return optimized(FloatSums.EXACT);
  }

  /**
   * The same with a choice about the sums of floats.
   *
   * @param sums whether storage may add what the query engine added
   */
  public FluxQuery optimized(FloatSums sums) {
    return new FluxQuery(
        new FluxScript(new Optimizer(values, sums).optimize(script.statements()).script()), values);
  }

  /** See {@link FluxScript#explain}; of the values only the types are looked at. */
  public FluxPlan explain() {
    return FluxPlan.of(script.statements(), values);
  }

  private FluxQuery with(String name, Expression value) {
    if (values.containsKey(name)) {
      throw new ConfigurationException(
          name.equals(TENANT)
              ? "The query is confined to a tenant already."
              : "A value is bound to '" + name + "' already.");
    }
    Map<String, Expression> more = new LinkedHashMap<>(values);
    more.put(name, value);
    return new FluxQuery(script, more);
  }

  /** The text, without any of the values. */
  public String text() {
    return script.text();
  }

  /** The values, as the JSON that a request's {@code extern} is. */
  public String extern() {
    List<Expression.Property> properties = new ArrayList<>();
    values.forEach(
        (name, value) -> properties.add(new Expression.Property(name, value, Place.NONE)));
    return BoundValue.extern(new Expression.Fields(null, properties, Place.NONE));
  }

  /** The text; values are never shown. */
  @Override
  public String toString() {
    return text();
  }
}
