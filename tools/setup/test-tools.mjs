// Programs that only tests run and whose Debian packages would start a service when installed: unpacked beside
// the project instead, which needs no root.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, run } from './step.mjs'

/** A real registry to pull from: .cache/test-tools/docker-registry/usr/bin/docker-registry. */
const TOOLS = [{ package: 'docker-registry', program: 'usr/bin/docker-registry' }]

export async function ensureTestTools() {
  const missing = TOOLS.filter(tool => !existsSync(join(cache, 'test-tools', tool.package, tool.program)))
  for (const tool of missing) await unpack(tool.package)
  return missing.length > 0
}

async function unpack(name) {
  const target = join(cache, 'test-tools', name)
  const work = `${target}.${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    const download = () =>
      run('apt-get', ['-o', 'APT::Sandbox::User=root', '-qq', 'download', name], {
        cwd: work,
        why: `downloading ${name}`,
      })
    await download().catch(async () => {
      await run('apt-get', ['update', '-qq'], { why: 'apt-get update' })
      await download()
    })
    const deb = readdirSync(work).find(file => file.endsWith('.deb'))
    await run('dpkg', ['-x', join(work, deb), join(work, 'tree')])
    rmSync(target, { recursive: true, force: true })
    renameSync(join(work, 'tree'), target)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
