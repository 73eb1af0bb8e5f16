/** Many small writes as few large ones: {@link dev.aquifer.batch.Batcher}. */
@NullMarked
package dev.aquifer.batch;

import org.jspecify.annotations.NullMarked;
