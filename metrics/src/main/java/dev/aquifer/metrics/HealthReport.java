package dev.aquifer.metrics;

import dev.aquifer.spi.Observer.NodeState;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * How things are, from the gauges. {@code down}: nodes are known and none of them can be used.
 * {@code degraded}: Redis is lost, or some node is not healthy; answers are still right, and
 * slower. {@code up}: neither, as far as anybody said.
 */
final class HealthReport {
  private static final Set<NodeState> UNUSABLE =
      EnumSet.of(NodeState.EJECTED, NodeState.PROBING, NodeState.DRAINING);
  private static final Set<NodeState> WELL = EnumSet.of(NodeState.HEALTHY, NodeState.RAMP);

  private final Map<String, NodeState> nodes = new TreeMap<>();
  private final String redis;
  private final String status;

  HealthReport(MeterRegistry registry) {
    for (Gauge gauge : registry.find("aquifer.node.state").gauges()) {
      String node = gauge.getId().getTag("node");
      String state = gauge.getId().getTag("state");
      if (node != null && state != null && gauge.value() == 1) {
        nodes.put(node, NodeState.valueOf(state.toUpperCase(Locale.ROOT)));
      }
    }
    boolean lost = false;
    boolean usable = false;
    for (Gauge gauge : registry.find("aquifer.cache.remote.usable").gauges()) {
      lost |= gauge.value() == 0;
      usable |= gauge.value() == 1;
    }
    redis = lost ? "lost" : usable ? "usable" : "unknown";
    if (!nodes.isEmpty() && UNUSABLE.containsAll(nodes.values())) {
      status = "down";
    } else {
      status = lost || !WELL.containsAll(nodes.values()) ? "degraded" : "up";
    }
  }

  int httpStatus() {
    return status.equals("down") ? 503 : 200;
  }

  String json() {
    JsonText json = new JsonText();
    json.open('{').name("status").text(status).name("redis").text(redis);
    json.name("nodes").open('{');
    nodes.forEach((node, state) -> json.name(node).text(CacheMeters.word(state)));
    return json.close('}').close('}').toString();
  }
}
