package dev.aquifer.cache;

import dev.aquifer.Tag;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Says what a value depends on, beside the tags that its cache's settings name. Called once a load.
 *
 * @param <K> keys
 * @param <V> values
 */
@FunctionalInterface
public interface Tagger<K, V> {
  /** The tags; the value is null where the load found none. */
  Set<Tag> tags(K key, @Nullable V value);
}
