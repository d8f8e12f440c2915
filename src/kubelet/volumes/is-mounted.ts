import { statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whether something is mounted on the directory: it is then on another device than its parent. */
export const isMounted = (directory: string): boolean =>
  statSync(directory).dev !== statSync(dirname(directory)).dev
