package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import dev.aquifer.Tenant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * For which calls the caches of a node are in use: a mode for all, and exceptions to it. Immutable;
 * every method but {@link #mode} returns another. {@link Caches#adoption(Adoption)} sets it at run
 * time, for all caches of the node at once.
 *
 * <p>The first of these that says something about a call decides: what was said of its cache, of
 * its tenant, of a share of tenants, of a share of keys, of all. Shares go by a stable hash, the
 * same in every process; a larger share contains the smaller one.
 */
public final class Adoption {
  private static final int BUCKETS = 10_000;

  /** How much a cache takes part in a call. */
  public enum Mode {
    /**
     * The loader answers, on the calling thread; nothing is read or stored. Voids are still made
     * and heard, so switching on again serves nothing that became stale meanwhile.
     */
    OFF,
    /**
     * The loader answers, on the calling thread. Beside it, on threads of its own and never in the
     * caller's way, the cache is read and filled, and what it would have answered is compared.
     */
    SHADOW,
    /** The cache answers. */
    ON
  }

  private record Share(int buckets, Mode mode) {
    @Nullable Mode of(String text) {
      int hash = text.hashCode() * 0x9E3779B9;
      hash = (hash ^ (hash >>> 15)) * 0x85EBCA6B;
      return Integer.remainderUnsigned(hash ^ (hash >>> 13), BUCKETS) < buckets ? mode : null;
    }
  }

  private final Mode base;
  private final Map<String, Adoption> caches;
  private final Map<Tenant, Mode> tenants;
  private final @Nullable Share tenantShare;
  private final @Nullable Share keyShare;

  private Adoption(
      Mode base,
      Map<String, Adoption> caches,
      Map<Tenant, Mode> tenants,
      @Nullable Share tenantShare,
      @Nullable Share keyShare) {
    this.base = base;
    this.caches = Map.copyOf(caches);
    this.tenants = Map.copyOf(tenants);
    this.tenantShare = tenantShare;
    this.keyShare = keyShare;
  }

  /** The same mode for all calls. */
  public static Adoption of(Mode mode) {
    return new Adoption(mode, Map.of(), Map.of(), null, null);
  }

  /** This cache goes by rules of its own, whatever these say of its calls. */
  public Adoption cache(String name, Adoption rules) {
    if (!rules.caches.isEmpty()) {
      throw new ConfigurationException(
          "The rules of cache '%s' name caches themselves: %s. Say all caches at the top."
              .formatted(name, rules.caches.keySet()));
    }
    Map<String, Adoption> more = new HashMap<>(caches);
    more.put(Caches.checked(name), rules);
    return new Adoption(base, more, tenants, tenantShare, keyShare);
  }

  /** This cache is in this mode, whatever else is said. */
  public Adoption cache(String name, Mode mode) {
    return cache(name, of(mode));
  }

  /** This tenant is in this mode. */
  public Adoption tenant(Tenant tenant, Mode mode) {
    Map<Tenant, Mode> more = new HashMap<>(tenants);
    more.put(tenant, mode);
    return new Adoption(base, caches, more, tenantShare, keyShare);
  }

  /**
   * A share of the tenants is in this mode.
   *
   * @param percent 0 to 100, in steps of 0.01
   */
  public Adoption tenants(double percent, Mode mode) {
    return new Adoption(base, caches, tenants, share("tenants", percent, mode), keyShare);
  }

  /**
   * A share of the keys of each cache is in this mode.
   *
   * @param percent 0 to 100, in steps of 0.01
   */
  public Adoption keys(double percent, Mode mode) {
    return new Adoption(base, caches, tenants, tenantShare, share("keys", percent, mode));
  }

  /** The mode of a call. */
  public Mode mode(String cache, Tenant tenant, Object key) {
    Adoption own = caches.get(cache);
    if (own != null) {
      return own.mode(cache, tenant, key);
    }
    Mode mode = tenants.get(tenant);
    if (mode == null && tenantShare != null) {
      mode = tenantShare.of(tenant.id());
    }
    if (mode == null && keyShare != null) {
      mode = keyShare.of(cache + ':' + text(key));
    }
    return mode == null ? base : mode;
  }

  /** Whether every call is in one mode, this one. */
  boolean everywhere(Mode mode) {
    return equals(of(mode));
  }

  /** What cannot be a key is the cache's to refuse, where it is on. */
  private static String text(Object key) {
    try {
      return KeyText.of(key);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static Share share(String what, double percent, Mode mode) {
    if (!(percent >= 0 && percent <= 100)) {
      throw new ConfigurationException(
          "The share of %s is %s %%; use 0 to 100.".formatted(what, percent));
    }
    return new Share((int) Math.round(percent * BUCKETS / 100), mode);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Adoption that
        && base == that.base
        && caches.equals(that.caches)
        && tenants.equals(that.tenants)
        && Objects.equals(tenantShare, that.tenantShare)
        && Objects.equals(keyShare, that.keyShare);
  }

  @Override
  public int hashCode() {
    return Objects.hash(base, caches, tenants, tenantShare, keyShare);
  }

  @Override
  public String toString() {
    return "%s, caches %s, tenants %s, share of tenants %s, share of keys %s"
        .formatted(base, caches, tenants, text(tenantShare), text(keyShare));
  }

  private static String text(@Nullable Share share) {
    return share == null ? "none" : share.buckets * 100.0 / BUCKETS + " % " + share.mode.name();
  }
}
