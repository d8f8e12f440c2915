import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..')
export const cache = join(root, '.cache')

/** Said to the person as it is: what is wrong and what to do. */
export class SetupError extends Error {}

/** Runs one step. It says something only when it took work: `work` answers true when it changed anything. */
export async function step(what, quiet, work) {
  const startedAt = performance.now()
  const announce = setTimeout(() => console.log(`  … ${what}`), 1000)
  try {
    const changed = await work()
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    if (changed) console.log(`  ✔ ${what} (${seconds} s)`)
    else if (!quiet) console.log(`  ✔ ${what}: nothing to do`)
  } finally {
    clearTimeout(announce)
  }
}

/** Runs a command silently; fails with SetupError that carries the end of what it printed. */
export function run(command, args, { cwd = root, why } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', chunk => {
        output += chunk
      })
    }
    const fail = text => reject(new SetupError(`${why ?? `"${command} ${args.join(' ')}"`} failed: ${text}`))
    child.once('error', error => fail(error.message))
    child.once('close', code =>
      code === 0 ? resolve(output) : fail(output.trim().split('\n').slice(-8).join('\n')),
    )
  })
}

/** True when the stamp differs from `content`; `write()` it when the work is done. */
export function stamp(name, content) {
  const file = join(cache, 'setup', name)
  const digest = createHash('sha256').update(content).digest('hex')
  return {
    fresh: existsSync(file) && readFileSync(file, 'utf8') === digest,
    write() {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, digest)
    },
  }
}

export function onPath(command) {
  return (process.env.PATH ?? '')
    .split(':')
    .concat('/usr/sbin', '/sbin')
    .some(folder => existsSync(join(folder, command)))
}
