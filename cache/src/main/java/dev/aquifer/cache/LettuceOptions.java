package dev.aquifer.cache;

import dev.aquifer.ConfigurationException;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.Delay;
import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * What holds for every connection of ours. The protocol is the newest that the server speaks: RESP
 * 3, or RESP 2 where it knows no {@code HELLO}.
 */
final class LettuceOptions {
  private static final Duration FIRST_RECONNECT = Duration.ofMillis(20);
  private static final Duration LONGEST_RECONNECT = Duration.ofMillis(500);
  private static final int SILENCES = 2;

  private LettuceOptions() {}

  static ClientResources resources(NodeSettings settings) {
    long silent = SILENCES * settings.silenceLimit().toNanos();
    return ClientResources.builder()
        .ioThreadPoolSize(2)
        .computationThreadPoolSize(2)
        .threadFactoryProvider(pool -> Threads.named("aquifer-" + pool + "-"))
        .reconnectDelay(
            Delay.exponential(FIRST_RECONNECT, LONGEST_RECONNECT, 2, TimeUnit.MILLISECONDS))
        .nettyCustomizer(
            new NettyCustomizer() {
              @Override
              public void afterChannelInitialized(Channel channel) {
                channel.pipeline().addFirst(new SilentPeer(silent));
              }
            })
        .build();
  }

  static <B extends ClientOptions.Builder> B of(B builder, NodeSettings settings) {
    builder
        .maintNotificationsConfig(MaintNotificationsConfig.disabled())
        .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
        .socketOptions(
            SocketOptions.builder()
                .connectTimeout(settings.connectTimeout())
                .keepAlive(true)
                .tcpNoDelay(true)
                .build());
    Path trust = settings.redisTrust();
    if (trust != null) {
      if (!Files.isReadable(trust)) {
        throw new ConfigurationException(
            "redisTrust is %s, which cannot be read; name a file of certificates in PEM form."
                .formatted(trust));
      }
      builder.sslOptions(
          SslOptions.builder()
              .jdkSslProvider()
              .handshakeTimeout(settings.connectTimeout())
              .trustManager(trust.toFile())
              .build());
    }
    return builder;
  }
}
