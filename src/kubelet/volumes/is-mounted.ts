import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Whether something is mounted on the directory: it is then on another device than its parent. */
export async function isMounted(directory: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(directory), stat(dirname(directory))])
  return own.dev !== parent.dev
}
