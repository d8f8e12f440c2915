// The floor: what the container runtime alone needs to run `true` so many times, one after the other, with cgroups
// where crun can have them. No images, no network, no logs.
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
let bundle: string | undefined

/** Milliseconds for `count` runs. */
export async function crunFloor(count: number): Promise<number> {
  bundle ??= makeBundle()
  // Hybrid hosts: crun refuses unless the second hierarchy looks empty (docs/decisions/0002, RUNTIME notes).
  const script = `mount --bind /dev/null /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null; exec "$0" "$@"`
  const commands = Array.from({ length: count }, (_, index) => `crun run floor-${process.pid}-${index}`).join(
    ' && ',
  )
  const startedAt = performance.now()
  await run('unshare', ['-m', 'sh', '-c', script, 'sh', '-c', commands], { cwd: bundle })
  return performance.now() - startedAt
}

function makeBundle(): string {
  const directory = mkdtempSync(join(tmpdir(), 'kubernode-floor-'))
  const bin = join(directory, 'rootfs', 'bin')
  mkdirSync(bin, { recursive: true })
  for (const folder of ['proc', 'sys', 'dev']) mkdirSync(join(directory, 'rootfs', folder))
  copyFileSync('/bin/busybox', join(bin, 'busybox'))
  symlinkSync('busybox', join(bin, 'true'))
  const spec = JSON.parse(
    execFileSync('sh', ['-c', `cd ${directory} && crun spec && cat config.json`], { encoding: 'utf8' }),
  )
  spec.process.args = ['/bin/true']
  spec.process.terminal = false
  writeFileSync(join(directory, 'config.json'), JSON.stringify(spec))
  return directory
}
