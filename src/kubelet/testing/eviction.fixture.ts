// What tests of eviction share: pods with their usage, a node that is low or fine, thresholds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Container } from '../../api/types/core-v1.ts'
import { type EvictionState, judge as judgeWith } from '../eviction/judge.ts'
import type { PodUsage } from '../eviction/pod-usage.ts'
import { DEFAULT_HARD, type Observations, parseThresholds, type Threshold } from '../eviction/threshold.ts'
import { podOf, spec } from './pods.fixture.ts'

export const MI = 2 ** 20

export const GI = 2 ** 30

export const NONE = { bytes: 0, inodes: 0 }

export const files = (bytes: number, inodes = 1) => ({ bytes, inodes })

const requesting = (memory?: string): Partial<Container> =>
  memory ? { resources: { requests: { memory } } } : {}

export function usage(
  name: string,
  memory: number,
  more: Partial<PodUsage> & { request?: string } = {},
): PodUsage {
  return {
    pod: podOf({ containers: [spec('app', requesting(more.request))] }, { name, uid: name }),
    priority: 0,
    containers: [{ name: 'app', memory, rootfs: NONE, logs: NONE }],
    emptyDirs: {},
    processes: 1,
    ...more,
  }
}

export const TRANSITION_MS = 300_000

export const judge = (...args: [Threshold[], Observations, EvictionState, number]) =>
  judgeWith(...args, TRANSITION_MS)

export const hard = parseThresholds(DEFAULT_HARD)

export const low: Observations = { 'memory.available': { available: 50 * MI, capacity: GI } }

export const fine: Observations = { 'memory.available': { available: 500 * MI, capacity: GI } }

export const RULES = { softGraceSeconds: 30, ownImageDisk: false }

export async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'eviction-'))
  try {
    await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
