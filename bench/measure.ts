import { execFile, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const program = join(import.meta.dirname, '..', 'bin', 'kubernode')

export async function kubernode(...args: string[]): Promise<void> {
  await promisify(execFile)(program, args)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** '187 (173–251)'. */
export function spread(values: readonly number[]): string {
  return `${Math.round(median(values))} (${Math.round(Math.min(...values))}–${Math.round(Math.max(...values))})`
}

/** Resident memory of the program's own processes (conmon included, containers not): '48 MB main, 40 MB runtime, …'. */
export function memoryOf(name: string, dataDir: string): string {
  const pids = execFileSync('pgrep', ['-f', `${name}|${dataDir}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(Number)
  const groups = new Map<string, { count: number; kilobytes: number }>()
  for (const pid of pids) {
    const kind = kindOf(pid)
    if (!kind) continue
    const group = groups.get(kind) ?? { count: 0, kilobytes: 0 }
    groups.set(kind, { count: group.count + 1, kilobytes: group.kilobytes + residentKilobytes(pid) })
  }
  const total = [...groups.values()].reduce((sum, { kilobytes }) => sum + kilobytes, 0)
  const parts = [...groups].map(
    ([kind, { count, kilobytes }]) => `${kind}${count > 1 ? ` ×${count}` : ''} ${megabytes(kilobytes)}`,
  )
  return `${megabytes(total)} MB (${parts.join(', ')})`
}

function kindOf(pid: number): string | undefined {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const text = args.join(' ')
    if (/\/conmon$/.test(args[0]!)) return 'conmon'
    if (/runtime-process|native\/process/.test(text)) return 'runtime'
    return /kubernode\.mjs up/.test(text) ? 'main' : undefined
  } catch {
    return undefined
  }
}

/** Proportional set size: shared pages of many conmons count once. */
function residentKilobytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
}

const megabytes = (kilobytes: number) => Math.round(kilobytes / 1024)
