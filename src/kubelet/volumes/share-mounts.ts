// Makes mounts under the kubelet's directory visible in the runtime's mount namespace, which is a slave of ours:
// where / is private, only a shared mount of the directory itself passes them on.
import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { MS, mount } from '../../runtime/native/syscall/libc.ts'

/** To be called before the runtime makes its mount namespace. Idempotent; removeVolumeMounts undoes it. */
export function shareMounts(dir: string): void {
  const target = resolve(dir)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  if (isSharedMount(target)) return
  mount(target, target, null, MS.bind)
  mount('none', target, null, MS.shared)
}

/** mountinfo's optional fields name the peer group of a shared mount. */
function isSharedMount(target: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some(line => line.split(' ')[4] === target && / shared:\d+/.test(line))
}
