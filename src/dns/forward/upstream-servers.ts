// The host's own resolvers: read from its resolv.conf, and again whenever that file changes.
import { type FSWatcher, readFileSync, realpathSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Log } from '../../base/log.ts'
import type { ServerAddress } from './exchange.ts'

/** In the file's order, without those that are this server itself. */
export function serversOf(resolvConf: string, own: ReadonlySet<string>): ServerAddress[] {
  const listed = resolvConf
    .split('\n')
    .map(line => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter(address => address !== undefined)
  return [...new Set(listed)].filter(address => !own.has(address))
}

export interface UpstreamOptions {
  /** '/etc/resolv.conf' */
  file: string
  /** Addresses of this server: asking them would go in a circle. */
  own: ReadonlySet<string>
  onChange: (servers: readonly ServerAddress[]) => void
  log: Log
}

/** Tells the servers now and after each change, until the signal aborts. */
export async function followUpstreams(options: UpstreamOptions, signal: AbortSignal): Promise<void> {
  const { file, own, onChange, log } = options
  let told: string | undefined
  let watchers: FSWatcher[] = []
  const close = () => {
    for (const watcher of watchers) watcher.close()
    watchers = []
  }
  const look = () => {
    close()
    // The file is often a link into another directory, and replaced instead of written: both places are watched.
    for (const path of places(file)) {
      try {
        const watcher = watch(dirname(path), { persistent: false }, (_, name) => {
          if (name === null || name === basename(path)) look()
        })
        watcher.on('error', error => log.warn({ error, path }, 'changes of the resolvers are not seen'))
        watchers.push(watcher)
      } catch (error) {
        log.warn({ error, path }, 'changes of the resolvers are not seen')
      }
    }
    const servers = serversOf(contentOf(file), own)
    if (servers.join() === told) return
    told = servers.join()
    onChange(servers)
  }
  look()
  await new Promise<void>(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  close()
}

function places(file: string): string[] {
  try {
    return [...new Set([file, realpathSync(file)])]
  } catch {
    return [file]
  }
}

/** A host without the file has no resolvers. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
