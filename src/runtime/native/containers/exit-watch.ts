// One watch on conmon's exit directory tells of every container's end the moment it happens.
import { readdirSync, watch } from 'node:fs'

/** Calls back with the container's id; also for files that were there before. Stop with the answered function. */
export function watchExits(directory: string, onExit: (id: string) => void): () => void {
  const watcher = watch(directory, (_, name) => {
    // conmon renames a temporary file into place: the final name is the bare id.
    if (name && /^[0-9a-f]{64}$/.test(name)) onExit(name)
  })
  for (const name of readdirSync(directory)) if (/^[0-9a-f]{64}$/.test(name)) onExit(name)
  return () => watcher.close()
}
