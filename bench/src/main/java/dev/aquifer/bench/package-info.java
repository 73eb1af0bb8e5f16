/**
 * What each layer costs, beside its peers. One class a question, one method a contender, so that
 * every ratio comes from one run.
 *
 * <p>Not {@code @NullMarked}: fields of JMH states are set by their set-up methods, not by
 * constructors.
 */
package dev.aquifer.bench;
