// Takes away mounts under the kubelet's directory, whoever's pod they belong to.
import { readFileSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { unmountIfMounted } from '../../runtime/native/syscall/libc.ts'

/** Unmounts everything under the kubelet's directory, the innermost first, and what shareMounts made of it. */
export function removeVolumeMounts(dir: string): void {
  for (const target of mountsUnder(dir).reverse()) unmountIfMounted(target)
  unmountIfMounted(resolve(dir))
}

/** Mount points under the directory in the order in which they were made. */
export function mountsUnder(dir: string): string[] {
  const prefix = resolve(dir) + sep
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map(line => unescapeBlanks(line.split(' ')[4] ?? ''))
    .filter(target => target.startsWith(prefix))
}

/** The kernel writes blanks and backslashes as \040. */
const unescapeBlanks = (path: string) =>
  path.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
