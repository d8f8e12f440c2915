import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { CgroupReader } from './cgroup-usage.ts'

function mountOf(files: Record<string, string>): string {
  const mount = mkdtempSync(join(tmpdir(), 'kubernode-cgroup-'))
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(mount, file)), { recursive: true })
    writeFileSync(join(mount, file), content)
  }
  return mount
}

const cases: { title: string; files: Record<string, string>; expected: object }[] = [
  {
    title: 'the unified hierarchy tells processor time in microseconds, and unlimited memory as a word',
    files: {
      'cgroup.controllers': 'cpu memory pids\n',
      'pod/c/cpu.stat': 'usage_usec 1500\nuser_usec 1000\n',
      'pod/c/memory.current': '1000\n',
      'pod/c/memory.max': 'max\n',
      'pod/c/memory.stat': 'anon 700\ninactive_file 200\npgfault 5\npgmajfault 1\n',
      'pod/c/pids.current': '3\n',
    },
    expected: {
      cpuNanoseconds: 1_500_000,
      memory: { usage: 1000, workingSet: 800, rss: 700, pageFaults: 5, majorPageFaults: 1 },
      processes: 3,
    },
  },
  {
    title: 'separate hierarchies tell it in nanoseconds, each figure in its own',
    files: {
      'cpuacct/pod/c/cpuacct.usage': '42\n',
      'memory/pod/c/memory.usage_in_bytes': '1000\n',
      'memory/pod/c/memory.limit_in_bytes': '4096\n',
      'memory/pod/c/memory.stat':
        'rss 1\ntotal_rss 600\ntotal_inactive_file 2000\ntotal_pgfault 5\ntotal_pgmajfault 1\ntotal_swap 7\n',
    },
    expected: {
      cpuNanoseconds: 42,
      memory: {
        usage: 1000,
        workingSet: 0,
        rss: 600,
        limit: 4096,
        pageFaults: 5,
        majorPageFaults: 1,
        swapUsage: 7,
      },
    },
  },
  { title: 'a cgroup that is gone uses nothing', files: { 'cpuacct/x': '' }, expected: {} },
]

for (const { title, files, expected } of cases) {
  test(title, () => {
    const mount = mountOf(files)
    try {
      assert.deepEqual(new CgroupReader(mount).usage('/pod/c'), expected)
    } finally {
      rmSync(mount, { recursive: true })
    }
  })
}
