package dev.aquifer.replica;

import dev.aquifer.spi.Observer.RouteReason;

/** Where a statement goes, and why. Made once a node and reason, so that routing allocates none. */
record Route(Node node, RouteReason reason) {}
