package dev.aquifer.cache;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.util.concurrent.TimeUnit;

/**
 * Closes a connection on which nothing came back for long after something was sent: a half-open one
 * says no more of itself than that. Only then is another made. For one connection; on its own
 * thread.
 */
// What closing and looking later end with makes no difference.
@SuppressWarnings("FutureReturnValueIgnored")
final class SilentPeer extends ChannelDuplexHandler {
  private final long limit;
  private long asked;
  private boolean waiting;
  private boolean looking;

  /**
   * @param limit in nanoseconds
   */
  SilentPeer(long limit) {
    this.limit = limit;
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise)
      throws Exception {
    if (!waiting) {
      waiting = true;
      asked = System.nanoTime();
      if (!looking) {
        lookAfter(context, limit);
      }
    }
    super.write(context, message, promise);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    waiting = false;
    super.channelRead(context, message);
  }

  private void lookAfter(ChannelHandlerContext context, long delay) {
    looking = true;
    context.executor().schedule(() -> look(context), delay, TimeUnit.NANOSECONDS);
  }

  private void look(ChannelHandlerContext context) {
    looking = false;
    if (!waiting || !context.channel().isActive()) {
      return;
    }
    long left = limit - (System.nanoTime() - asked);
    if (left > 0) {
      lookAfter(context, left);
    } else {
      context.close();
    }
  }
}
