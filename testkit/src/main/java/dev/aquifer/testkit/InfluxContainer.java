package dev.aquifer.testkit;

import java.security.SecureRandom;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.InfluxDBContainer;
import org.testcontainers.utility.DockerImageName;

/** InfluxDB 2 in a container. Loaded only when nothing nearer was found. */
final class InfluxContainer {
  /** System property that names another image. */
  static final String IMAGE_PROPERTY = "aquifer.test.influxdb.image";

  private static final String IMAGE = "influxdb:2.7";

  private InfluxContainer() {}

  static boolean isDockerThere() {
    try {
      return DockerClientFactory.instance().isDockerAvailable();
    } catch (RuntimeException e) {
      return false;
    }
  }

  static InfluxServer start() {
    String token = Secrets.password(new SecureRandom());
    InfluxDBContainer<?> container =
        new InfluxDBContainer<>(
                DockerImageName.parse(System.getProperty(IMAGE_PROPERTY, IMAGE))
                    .asCompatibleSubstituteFor("influxdb"))
            .withUsername("aquifer")
            .withPassword(token)
            .withOrganization(InfluxServer.OWN_ORG)
            .withBucket("first")
            .withAdminToken(token);
    try {
      container.start();
      return InfluxServer.connect(container.getUrl(), token, InfluxServer.OWN_ORG, container::stop);
    } catch (RuntimeException e) {
      container.stop();
      throw new TestkitException("the InfluxDB container did not start", e);
    }
  }
}
