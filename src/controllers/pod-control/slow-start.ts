// Does many alike things at once, a few at first: when all would fail, few are tried. Upstream: slowStartBatch.

/** Batches of 1, 2, 4 …; after a batch with a failure no further one begins. `error` is the first of them. */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<unknown>,
): Promise<{ successes: number; error?: unknown }> {
  let successes = 0
  let begun = 0
  for (let size = Math.min(count, 1); size > 0; size = Math.min(2 * size, count - begun)) {
    const first = begun
    begun += size
    const results = await Promise.allSettled(Array.from({ length: size }, (_, index) => act(first + index)))
    const failed = results.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
    successes += size - failed.length
    if (failed[0]) return { successes, error: failed[0].reason }
  }
  return { successes }
}
