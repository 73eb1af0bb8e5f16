package dev.aquifer.replica;

import java.util.Collection;

/**
 * Tells which replicas there are, for a set whose replicas come and go; see {@link
 * ReplicaSetBuilder#directory}. Asked on a thread of the set's own, which may wait for it.
 */
@FunctionalInterface
public interface NodeDirectory {
  /**
   * A replica.
   *
   * @param url the JDBC URL, without credentials
   * @param weight its share of reads in proportion to those of others, above 0
   */
  record Member(String url, double weight) {}

  /**
   * All replicas there are now. The primary may be among them.
   *
   * @throws Exception the directory cannot be asked: the set keeps the replicas that it has, as it
   *     does where there are none in the answer
   */
  Collection<Member> members() throws Exception;

  /**
   * The addresses that DNS has for a name (records A and AAAA), each a replica of weight 1. How
   * long the JVM keeps an answer is its {@code networkaddress.cache.ttl}. With TLS, the servers'
   * certificates must be valid for their addresses; {@link #srv} has names.
   *
   * @param name such as {@code replicas.db.internal}
   * @param url of a replica, with <code>{host}</code> in the place of its address: <code>
   *     jdbc:postgresql://{host}:5432/app</code>
   */
  static NodeDirectory dns(String name, String url) {
    return DnsDirectory.addresses(name, url);
  }

  /**
   * The servers that DNS has for a service (records SRV) of the lowest priority that there is, with
   * their weights; a weight of 0 counts as 1.
   *
   * @param service such as {@code _postgresql._tcp.db.internal}
   * @param url of a replica, with <code>{host}</code> and <code>{port}</code> in the place of its
   *     name and port: <code>jdbc:postgresql://{host}:{port}/app</code>
   */
  static NodeDirectory srv(String service, String url) {
    return DnsDirectory.services(service, url, "dns:");
  }
}
