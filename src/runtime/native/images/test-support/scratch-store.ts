// A store in a directory of its own that goes away with the test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { SystemClock } from '../../../../base/clock.ts'
import { silentLog } from '../../../../base/log.ts'
import { ImageStore, type ImageStoreOptions } from '../image-store.ts'

/** Unpacking keeps owners and makes devices. */
export const NEEDS_ROOT = process.getuid?.() === 0 ? false : 'only root can unpack layers'

export function scratchDirectory(context: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kubernode-images-'))
  context.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export async function scratchStore(
  context: TestContext,
  options: Partial<ImageStoreOptions> = {},
): Promise<{ store: ImageStore; directory: string }> {
  const directory = options.directory ?? scratchDirectory(context)
  const store = await ImageStore.open({ log: silentLog, clock: new SystemClock(), ...options, directory })
  context.after(() => store.close())
  return { store, directory }
}
