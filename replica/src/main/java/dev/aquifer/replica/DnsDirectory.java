package dev.aquifer.replica;

import dev.aquifer.ConfigurationException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Hashtable;
import java.util.List;
import java.util.regex.Pattern;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.Attribute;
import javax.naming.directory.InitialDirContext;

/** What DNS says of replicas, by the JDK's own resolver and DNS provider. */
final class DnsDirectory {
  private static final String HOST = "{host}";
  private static final String PORT = "{port}";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,255}");
  private static final Pattern BLANKS = Pattern.compile(" +");

  private DnsDirectory() {}

  static NodeDirectory addresses(String name, String url) {
    placeholder(url, HOST);
    return () -> addressesOf(name, url);
  }

  /**
   * @param server {@code dns:} for those of the system, or {@code dns://host:port}
   */
  static NodeDirectory services(String service, String url, String server) {
    placeholder(url, HOST);
    placeholder(url, PORT);
    if (!NAME.matcher(service).matches()) {
      throw new ConfigurationException(
          "Not the name of a service in DNS: '%s'. It is like _postgresql._tcp.db.internal"
              .formatted(service));
    }
    return () -> servicesOf(service, url, server);
  }

  private static void placeholder(String url, String what) {
    if (!url.contains(what)) {
      throw new ConfigurationException(
          "The URL '%s' has no %s, where each replica's is to go".formatted(url, what));
    }
  }

  private static Collection<NodeDirectory.Member> addressesOf(String name, String url)
      throws UnknownHostException {
    return Arrays.stream(InetAddress.getAllByName(name))
        .map(DnsDirectory::literal)
        .sorted()
        .map(address -> new NodeDirectory.Member(url.replace(HOST, address), 1))
        .toList();
  }

  private static String literal(InetAddress address) {
    String text = address.getHostAddress();
    return address instanceof Inet6Address ? '[' + text + ']' : text;
  }

  private record Service(int priority, int weight, String host, int port) {
    /** "priority weight port target." */
    static Service read(String text) {
      String[] parts = BLANKS.split(text.strip(), -1);
      if (parts.length != 4) {
        throw new IllegalStateException("Not an SRV record: '%s'".formatted(text));
      }
      String host =
          parts[3].endsWith(".") ? parts[3].substring(0, parts[3].length() - 1) : parts[3];
      return new Service(
          Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), host, Integer.parseInt(parts[2]));
    }
  }

  // The DNS provider reads records, never objects, and the name cannot lead to another provider.
  @SuppressWarnings({"BanJNDI", "JdkObsolete"})
  private static Collection<NodeDirectory.Member> servicesOf(
      String service, String url, String server) throws NamingException {
    Hashtable<String, String> settings = new Hashtable<>();
    settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
    settings.put(Context.PROVIDER_URL, server);
    settings.put("com.sun.jndi.dns.timeout.initial", "1000");
    settings.put("com.sun.jndi.dns.timeout.retries", "2");
    List<Service> found = new ArrayList<>();
    InitialDirContext context = new InitialDirContext(settings);
    try {
      Attribute records = context.getAttributes(service, new String[] {"SRV"}).get("SRV");
      for (int i = 0; records != null && i < records.size(); i++) {
        found.add(Service.read(String.valueOf(records.get(i))));
      }
    } finally {
      context.close();
    }
    int first = found.stream().mapToInt(Service::priority).min().orElse(0);
    return found.stream()
        // A host of "." says that there is no such service.
        .filter(each -> each.priority() == first && !each.host().isEmpty())
        .map(
            each ->
                new NodeDirectory.Member(
                    url.replace(HOST, each.host()).replace(PORT, Integer.toString(each.port())),
                    Math.max(1, each.weight())))
        .toList();
  }
}
