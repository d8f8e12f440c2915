import type { Clock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'

/** Upstream tries ten times, 100 to 200 ms apart, and only for this account. */
const PATIENCE_MS = 1_500
const AWAITED = 'default'

/** Waits for a new namespace's default service account, which a controller is about to make; not for others. */
export function waitForDefaultAccount(
  storage: Storage,
  clock: Clock,
): (namespace: string, name: string) => Promise<void> {
  return async (namespace, name) => {
    if (name !== AWAITED) return
    const done = new AbortController()
    void clock.sleep(PATIENCE_MS, done.signal).then(
      () => done.abort(),
      () => {},
    )
    const options = { after: storage.revision(), signal: done.signal }
    const key = `/registry/serviceaccounts/${namespace}/${name}`
    if (storage.get(key)) {
      done.abort()
      return
    }
    for await (const event of storage.watch(key, options)) {
      if (event.type === 'put' && event.key === key) break
    }
    done.abort()
  }
}
